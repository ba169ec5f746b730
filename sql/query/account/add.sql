-- A new account.
--
-- takes: name text, email text, password_hash text null
-- gives: id int8
-- rows:  one
INSERT INTO account (name, email, password_hash)
VALUES ($1, $2, $3)
RETURNING id;
