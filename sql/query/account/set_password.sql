-- Change an account's password.
--
-- takes: id int8, password_hash text null
-- rows:  none
UPDATE account SET password_hash = $2 WHERE id = $1;
