-- Remove one file's row and have its bytes swept from the store.
--
-- takes: id int8
-- rows:  none
WITH gone AS (
    DELETE FROM file WHERE id = $1 RETURNING blake2b_256, filename
)
INSERT INTO discarded_file (blake2b_256, filename)
SELECT blake2b_256, filename FROM gone;
