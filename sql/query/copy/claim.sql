-- One file that a machine lacks and that is due to be fetched; nobody else gets
-- it for lease_s seconds, after which a try that was killed is done again.
--
-- takes: node text, lease_s int8
-- gives: blake2b_256 bytea, filename text, size int8, metadata_sha256 bytea null, attempts int4
-- rows:  maybe
WITH due AS (
    SELECT m.blake2b_256, m.filename
      FROM missing_copy m
      JOIN file f USING (blake2b_256, filename)
     WHERE m.node = $1 AND m.next_try_at <= now()
     ORDER BY m.next_try_at
     LIMIT 1
       FOR UPDATE OF m SKIP LOCKED
)
UPDATE missing_copy m
   SET attempts = m.attempts + 1,
       next_try_at = now() + $2 * interval '1 second'
  FROM due d, file f
 WHERE m.node = $1
   AND m.blake2b_256 = d.blake2b_256 AND m.filename = d.filename
   AND f.blake2b_256 = d.blake2b_256 AND f.filename = d.filename
RETURNING m.blake2b_256, m.filename, f.size, f.metadata_sha256, m.attempts;
