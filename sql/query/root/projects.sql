-- The projects of one chunk: from a name up to another ('' for no end: '~' is
-- behind every name).  Both ends are index conditions; an OR would be a filter
-- over the rest of the list.
--
-- takes: first_name text, next_name text
-- gives: name text, normalized_name text, last_serial int8
-- rows:  any
SELECT name, normalized_name, last_serial
  FROM project
 WHERE normalized_name >= $1
   AND normalized_name < coalesce(nullif($2, ''), '~')
   AND status <> 'quarantined'
 ORDER BY normalized_name;
