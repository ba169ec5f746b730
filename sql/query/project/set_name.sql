-- Show the project under the spelling of its newest upload.
--
-- takes: id int8, name text
-- rows:  none
UPDATE project SET name = $2 WHERE id = $1;
