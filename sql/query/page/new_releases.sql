-- RSS: the newest releases, with the newest serial in the same snapshot.
--
-- takes: at_most int8
-- gives: newest_serial int8, name text null, normalized_name text null, version text null, summary text null, author_email text null, at_us int8 null
-- rows:  any
SELECT s.value AS newest_serial, r.name, r.normalized_name, r.version,
       r.summary, r.author_email,
       (extract(epoch FROM r.created_at) * 1000000)::int8 AS at_us
  FROM serial_counter s
  LEFT JOIN (
    SELECT p.name, p.normalized_name, release.version, release.created_at,
           release.id,
           coalesce(release.metadata->>'summary', '') AS summary,
           coalesce(release.metadata->>'author_email', '') AS author_email
      FROM release
      JOIN project p ON p.id = release.project_id
     WHERE p.status <> 'quarantined'
     ORDER BY release.created_at DESC, release.id DESC
     LIMIT $1
  ) r ON true
 ORDER BY r.created_at DESC, r.id DESC;
