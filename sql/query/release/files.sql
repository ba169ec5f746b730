-- The files of one release, for XML-RPC; none while in quarantine.
--
-- takes: normalized_name text, canonical text
-- gives: filename text, packagetype text, python_version text, comment_text text, size int8, sha256 text, md5 text, blake2b_256 text, uploaded_at_us int8
-- rows:  any
SELECT f.filename, f.packagetype, f.python_version, f.comment_text, f.size,
       encode(f.sha256, 'hex') AS sha256, encode(f.md5, 'hex') AS md5,
       encode(f.blake2b_256, 'hex') AS blake2b_256,
       (extract(epoch FROM f.uploaded_at) * 1000000)::int8 AS uploaded_at_us
  FROM file f
  JOIN release r ON r.id = f.release_id
  JOIN project p ON p.id = r.project_id
 WHERE p.normalized_name = $1
   AND r.canonical = $2
   AND p.status <> 'quarantined'
 ORDER BY f.filename;
