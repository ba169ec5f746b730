-- Every release of one project with its metadata, oldest version first.
--
-- takes: normalized_name text
-- gives: version text, canonical text, is_prerelease bool, yanked_reason text null, metadata text, created_at_us int8, has_files bool
-- rows:  any
SELECT r.version, r.canonical, r.is_prerelease, r.yanked_reason,
       r.metadata::text AS metadata,
       (extract(epoch FROM r.created_at) * 1000000)::int8 AS created_at_us,
       EXISTS (SELECT FROM file f WHERE f.release_id = r.id) AS has_files
  FROM release r
  JOIN project p ON p.id = r.project_id
 WHERE p.normalized_name = $1
 ORDER BY r.sort_key;
