-- Remove a release with its files.
--
-- takes: id int8
-- rows:  none
DELETE FROM release WHERE id = $1;
