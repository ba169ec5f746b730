-- This machine has the bytes of a file now.
--
-- takes: node text, blake2b_256 bytea, filename text
-- rows:  none
DELETE FROM missing_copy
 WHERE node = $1 AND blake2b_256 = $2 AND filename = $3;
