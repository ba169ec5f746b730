-- Bytes on one machine that nothing needs, discarded longer ago than this.
--
-- takes: node text, older_than_s int8, at_most int8
-- gives: blake2b_256 bytea, filename text
-- rows:  any
SELECT blake2b_256, filename
  FROM discarded_file
 WHERE node = $1
   AND discarded_at < now() - $2 * interval '1 second'
 ORDER BY discarded_at
 LIMIT $3;
