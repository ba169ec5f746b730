-- Every hold, for the janitor and the monitor; oldest first.
--
-- gives: project text, age_us int8
-- rows:  any
SELECT project,
       (extract(epoch FROM clock_timestamp() - since) * 1000000)::int8
           AS age_us
  FROM cache_hold
 ORDER BY since;
