-- Bytes that nothing needs, discarded longer ago than this.
--
-- takes: older_than_s int8, at_most int8
-- gives: blake2b_256 bytea, filename text
-- rows:  any
SELECT blake2b_256, filename
  FROM discarded_file
 WHERE discarded_at < now() - $1 * interval '1 second'
 ORDER BY discarded_at
 LIMIT $2;
