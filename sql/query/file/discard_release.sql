-- Have the bytes of a release's files swept; the rows go with the release.
--
-- takes: release_id int8
-- rows:  none
INSERT INTO discarded_file (blake2b_256, filename)
SELECT blake2b_256, filename FROM file WHERE release_id = $1;
