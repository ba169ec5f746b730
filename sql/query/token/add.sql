-- A new token; for named projects if there are any, else for all.
--
-- takes: account_id int8, secret_hash bytea, label text, projects text[], ttl_s int8 null
-- gives: id int8
-- rows:  one
WITH added AS (
    INSERT INTO token (account_id, secret_hash, label, is_limited, expires_at)
    VALUES ($1, $2, $3, cardinality($4::text[]) > 0,
            now() + $5::int8 * interval '1 second')
    RETURNING id
), limited AS (
    INSERT INTO token_project (token_id, project)
    SELECT DISTINCT added.id, p.name
      FROM added, unnest($4::text[]) AS p (name)
)
SELECT id FROM added;
