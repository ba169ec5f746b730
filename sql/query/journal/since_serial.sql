-- changelog_since_serial: what came after a serial, in order.
--
-- takes: serial int8, at_most int8
-- gives: project text, version text null, at_us int8, action text, serial int8
-- rows:  any
SELECT project, version, (extract(epoch FROM at) * 1000000)::int8 AS at_us,
       action, serial
  FROM journal
 WHERE serial > $1
 ORDER BY serial
 LIMIT $2;
