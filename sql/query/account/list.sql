-- Every account, for the operator.
--
-- gives: name text, email text, is_active bool, has_password bool, created_at_us int8
-- rows:  any
SELECT name, email, is_active, password_hash IS NOT NULL AS has_password,
       (extract(epoch FROM created_at) * 1000000)::int8 AS created_at_us
  FROM account
 ORDER BY name;
