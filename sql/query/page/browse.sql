-- browse: releases that have all of these classifiers.
--
-- takes: classifiers text[], at_most int8
-- gives: project text, version text
-- rows:  any
SELECT p.name AS project, r.version
  FROM release r
  JOIN project p ON p.id = r.project_id
 WHERE p.status <> 'quarantined'
   AND r.metadata->'classifiers' ?& $1::text[]
 ORDER BY p.normalized_name, r.sort_key
 LIMIT $2;
