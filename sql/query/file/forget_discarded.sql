-- These bytes are out of one machine's store.
--
-- takes: node text, blake2b_256 bytea, filename text
-- rows:  none
DELETE FROM discarded_file
 WHERE node = $1 AND blake2b_256 = $2 AND filename = $3;
