-- Every release of one project, oldest version first.
--
-- takes: normalized_name text
-- gives: version text, canonical text, is_prerelease bool, yanked_reason text null, has_files bool
-- rows:  any
SELECT r.version, r.canonical, r.is_prerelease, r.yanked_reason,
       EXISTS (SELECT FROM file f WHERE f.release_id = r.id) AS has_files
  FROM release r
  JOIN project p ON p.id = r.project_id
 WHERE p.normalized_name = $1
 ORDER BY r.sort_key;
