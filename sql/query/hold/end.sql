-- End a hold.  Waits for the changes that rely on it; and, as its commit is
-- confirmed by the replica, it cannot come back by a failover.
--
-- takes: home text, seen_from text
-- rows:  none
DELETE FROM cache_hold WHERE home = $1 AND seen_from = $2;
