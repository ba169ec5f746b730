-- RSS: the newest releases of one project.
--
-- takes: normalized_name text, at_most int8
-- gives: version text, summary text, author_email text, created_at_us int8
-- rows:  any
SELECT r.version,
       coalesce(r.metadata->>'summary', '') AS summary,
       coalesce(r.metadata->>'author_email', '') AS author_email,
       (extract(epoch FROM r.created_at) * 1000000)::int8 AS created_at_us
  FROM release r
  JOIN project p ON p.id = r.project_id
 WHERE p.normalized_name = $1
 ORDER BY r.created_at DESC, r.id DESC
 LIMIT $2;
