-- R3, second half, for every page of one project's files: one statement, so
-- one snapshot for the serial, the hold and the files.  A project without
-- files gives one row whose file columns are null.
--
-- takes: normalized_name text, home text
-- gives: name text, status text, status_reason text, last_serial int8, is_held bool, version text null, filename text null, size int8 null, sha256 text null, blake2b_256 text null, metadata_sha256 text null, requires_python text null, uploaded_at_us int8 null, yanked_reason text null
-- rows:  any
SELECT p.name, p.status, p.status_reason, p.last_serial,
       EXISTS (SELECT FROM cache_hold h WHERE h.home = $2) AS is_held,
       r.version, f.filename, f.size, encode(f.sha256, 'hex') AS sha256,
       encode(f.blake2b_256, 'hex') AS blake2b_256,
       encode(f.metadata_sha256, 'hex') AS metadata_sha256,
       f.requires_python,
       (extract(epoch FROM f.uploaded_at) * 1000000)::int8 AS uploaded_at_us,
       coalesce(f.yanked_reason, r.yanked_reason) AS yanked_reason
  FROM project p
  LEFT JOIN (file f JOIN release r ON r.id = f.release_id)
    ON f.project_id = p.id
   AND p.status <> 'quarantined'
 WHERE p.normalized_name = $1
 ORDER BY r.sort_key, f.filename;
