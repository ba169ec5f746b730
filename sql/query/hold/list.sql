-- Every hold, for the runner of one machine: those that are its own, and those
-- that nobody has looked after for so long.
--
-- takes: node text, lost_s int8
-- gives: home text, seen_from text, is_own bool, is_lost bool
-- rows:  any
SELECT home, seen_from, seen_from = $1 AS is_own,
       renewed_at <= clock_timestamp() - $2 * interval '1 second' AS is_lost
  FROM cache_hold
 ORDER BY home, seen_from;
