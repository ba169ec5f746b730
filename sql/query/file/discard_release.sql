-- Have the bytes of a release's files swept, on all machines; the rows go with
-- the release.
--
-- takes: release_id int8, nodes text[]
-- rows:  none
WITH gone AS (
    SELECT blake2b_256, filename FROM file WHERE release_id = $1
), unmissed AS (
    DELETE FROM missing_copy m USING gone g
     WHERE m.blake2b_256 = g.blake2b_256 AND m.filename = g.filename
)
INSERT INTO discarded_file (node, blake2b_256, filename)
SELECT node, blake2b_256, filename FROM gone, unnest($2) AS node;
