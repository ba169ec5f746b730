-- Every file of one project with all that the JSON API tells of it.
--
-- takes: normalized_name text
-- gives: version text, filename text, packagetype text, python_version text, requires_python text, comment_text text, size int8, sha256 text, md5 text, blake2b_256 text, metadata_sha256 text null, uploaded_at_us int8, yanked_reason text null
-- rows:  any
SELECT r.version, f.filename, f.packagetype, f.python_version,
       f.requires_python, f.comment_text, f.size,
       encode(f.sha256, 'hex') AS sha256, encode(f.md5, 'hex') AS md5,
       encode(f.blake2b_256, 'hex') AS blake2b_256,
       encode(f.metadata_sha256, 'hex') AS metadata_sha256,
       (extract(epoch FROM f.uploaded_at) * 1000000)::int8 AS uploaded_at_us,
       coalesce(f.yanked_reason, r.yanked_reason) AS yanked_reason
  FROM file f
  JOIN release r ON r.id = f.release_id
  JOIN project p ON p.id = f.project_id
 WHERE p.normalized_name = $1
   AND p.status <> 'quarantined'
 ORDER BY r.sort_key, f.filename;
