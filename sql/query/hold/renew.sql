-- This machine's hold is still needed.  Whether the replica knows does not
-- matter, and it may be away for the same reason: so this waits for nobody.
--
-- takes: home text, seen_from text
-- gives: synchronous_commit text
-- rows:  maybe
UPDATE cache_hold
   SET renewed_at = clock_timestamp()
 WHERE home = $1 AND seen_from = $2
RETURNING set_config('synchronous_commit', 'local', true)
           AS synchronous_commit;
