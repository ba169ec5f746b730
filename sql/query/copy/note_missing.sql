-- A machine lacks the bytes of a file that the index has.
--
-- takes: node text, blake2b_256 bytea, filename text, last_error text
-- rows:  none
INSERT INTO missing_copy (node, blake2b_256, filename, last_error)
SELECT $1, blake2b_256, filename, $4
  FROM file
 WHERE blake2b_256 = $2 AND filename = $3
    ON CONFLICT (node, blake2b_256, filename)
    DO UPDATE SET last_error = EXCLUDED.last_error;
