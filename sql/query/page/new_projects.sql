-- RSS: the newest projects, with the newest serial in the same snapshot.
--
-- takes: at_most int8
-- gives: newest_serial int8, name text null, normalized_name text null, summary text null, at_us int8 null
-- rows:  any
SELECT s.value AS newest_serial, p.name, p.normalized_name, p.summary,
       (extract(epoch FROM p.created_at) * 1000000)::int8 AS at_us
  FROM serial_counter s
  LEFT JOIN (
    SELECT name, normalized_name, created_at, id,
           coalesce((SELECT r.metadata->>'summary'
                       FROM release r
                      WHERE r.project_id = project.id
                      ORDER BY r.sort_key DESC
                      LIMIT 1), '') AS summary
      FROM project
     WHERE status <> 'quarantined'
     ORDER BY created_at DESC, id DESC
     LIMIT $1
  ) p ON true
 ORDER BY p.created_at DESC, p.id DESC;
