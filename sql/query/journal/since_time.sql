-- changelog: what came after a time, in order of serials.
--
-- takes: since_s int8, at_most int8
-- gives: project text, version text null, at_us int8, action text, serial int8
-- rows:  any
SELECT project, version, (extract(epoch FROM at) * 1000000)::int8 AS at_us,
       action, serial
  FROM journal
 WHERE at > to_timestamp($1)
 ORDER BY serial
 LIMIT $2;
