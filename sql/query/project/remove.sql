-- Remove a project with its releases, files and roles.  Its journal stays.
--
-- takes: id int8
-- rows:  none
DELETE FROM project WHERE id = $1;
