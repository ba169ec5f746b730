-- W2h, second half, in a transaction of its own: from here the hold counts.
-- Whoever does not see it took his snapshot, and before that his fence, before
-- this clock is read.
--
-- takes: home text, seen_from text
-- rows:  none
UPDATE cache_hold
   SET since = clock_timestamp()
 WHERE home = $1 AND seen_from = $2 AND since IS NULL;
