-- How many files a machine lacks, and what the newest try said.
--
-- takes: node text
-- gives: n int8, last_error text null
-- rows:  one
SELECT count(*) AS n,
       (array_agg(last_error ORDER BY next_try_at DESC))[1] AS last_error
  FROM missing_copy
 WHERE node = $1;
