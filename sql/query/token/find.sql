-- A token by the digest of its secret, with why it may not be used.
--
-- takes: secret_hash bytea
-- gives: id int8, account_id int8, account text, is_active bool, is_limited bool, is_revoked bool, is_expired bool, is_use_old bool
-- rows:  maybe
SELECT t.id, t.account_id, a.name AS account, a.is_active, t.is_limited,
       t.revoked_at IS NOT NULL AS is_revoked,
       coalesce(t.expires_at < now(), false) AS is_expired,
       coalesce(t.last_used_at < now() - interval '1 minute', true)
           AS is_use_old
  FROM token t
  JOIN account a ON a.id = t.account_id
 WHERE t.secret_hash = $1;
