-- These bytes are out of the store.
--
-- takes: blake2b_256 bytea, filename text
-- rows:  none
DELETE FROM discarded_file WHERE blake2b_256 = $1 AND filename = $2;
