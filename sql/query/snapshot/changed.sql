-- What the snapshot has yet to take over: the changes after a serial.
--
-- takes: serial int8, at_most int8
-- gives: serial int8, normalized_name text
-- rows:  any
SELECT serial, normalized_name
  FROM journal
 WHERE serial > $1
 ORDER BY serial
 LIMIT $2;
