-- changed_packages: the projects that changed after a time.
--
-- takes: since_s int8, at_most int8
-- gives: project text
-- rows:  any
SELECT DISTINCT project
  FROM journal
 WHERE at > to_timestamp($1)
 ORDER BY project
 LIMIT $2;
