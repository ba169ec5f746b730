-- Let an account in, or keep it out.
--
-- takes: id int8, is_active bool
-- rows:  none
UPDATE account SET is_active = $2 WHERE id = $1;
