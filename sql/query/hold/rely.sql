-- W2, unknown: is there a hold of this home, whoever wrote it, that is waited
-- out?  Then it stays until the change that relies on it has ended.
--
-- takes: home text, age_s int8
-- gives: seen_from text
-- rows:  maybe
SELECT seen_from
  FROM cache_hold
 WHERE home = $1
   AND since <= clock_timestamp() - $2 * interval '1 second'
 ORDER BY since
 LIMIT 1
   FOR KEY SHARE;
