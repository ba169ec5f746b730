-- updated_releases: the releases that changed after a time.
--
-- takes: since_s int8, at_most int8
-- gives: project text, version text
-- rows:  any
SELECT DISTINCT project, version
  FROM journal
 WHERE at > to_timestamp($1)
   AND version IS NOT NULL
 ORDER BY project, version
 LIMIT $2;
