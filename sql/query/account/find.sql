-- One account by its name.
--
-- takes: name text
-- gives: id int8, name text, password_hash text null, is_active bool
-- rows:  maybe
SELECT id, name, password_hash, is_active
  FROM account
 WHERE name = $1;
