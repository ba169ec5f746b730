-- A file could not be fetched: why, and when to try again.
--
-- takes: node text, blake2b_256 bytea, filename text, last_error text, delay_ms int8
-- rows:  none
UPDATE missing_copy
   SET last_error = $4,
       next_try_at = now() + $5 * interval '1 millisecond'
 WHERE node = $1 AND blake2b_256 = $2 AND filename = $3;
