-- Remove one file's row and have its bytes swept, on all machines.
--
-- takes: id int8, nodes text[]
-- rows:  none
WITH gone AS (
    DELETE FROM file WHERE id = $1 RETURNING blake2b_256, filename
), unmissed AS (
    DELETE FROM missing_copy m USING gone g
     WHERE m.blake2b_256 = g.blake2b_256 AND m.filename = g.filename
)
INSERT INTO discarded_file (node, blake2b_256, filename)
SELECT node, blake2b_256, filename FROM gone, unnest($2) AS node;
