-- How long ago this project's fence could not be deleted.
--
-- takes: project text
-- gives: age_us int8
-- rows:  maybe
SELECT (extract(epoch FROM clock_timestamp() - since) * 1000000)::int8
           AS age_us
  FROM cache_hold
 WHERE project = $1;
