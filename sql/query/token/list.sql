-- The tokens of one account, or of all ('').
--
-- takes: account text
-- gives: id int8, account text, label text, projects text, created_at_us int8, expires_at_us int8 null, last_used_at_us int8 null, is_revoked bool
-- rows:  any
SELECT t.id, a.name AS account, t.label,
       coalesce((SELECT string_agg(tp.project, ' ' ORDER BY tp.project)
                   FROM token_project tp
                  WHERE tp.token_id = t.id), '') AS projects,
       (extract(epoch FROM t.created_at) * 1000000)::int8 AS created_at_us,
       (extract(epoch FROM t.expires_at) * 1000000)::int8 AS expires_at_us,
       (extract(epoch FROM t.last_used_at) * 1000000)::int8
           AS last_used_at_us,
       t.revoked_at IS NOT NULL AS is_revoked
  FROM token t
  JOIN account a ON a.id = t.account_id
 WHERE $1 = '' OR a.name = $1
 ORDER BY t.id;
