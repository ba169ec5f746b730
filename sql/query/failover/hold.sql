-- Changes need not wait for the fences of a memcached whose machine is off:
-- it comes back empty.
--
-- takes: home text, seen_from text
-- rows:  none
INSERT INTO cache_hold (home, seen_from, since)
VALUES ($1, $2, '-infinity')
    ON CONFLICT (home, seen_from) DO UPDATE
   SET since = '-infinity', renewed_at = clock_timestamp();
