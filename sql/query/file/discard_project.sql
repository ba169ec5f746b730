-- Have the bytes of a project's files swept; the rows go with the project.
--
-- takes: project_id int8
-- rows:  none
INSERT INTO discarded_file (blake2b_256, filename)
SELECT blake2b_256, filename FROM file WHERE project_id = $1;
