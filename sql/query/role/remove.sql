-- Take an account's role away.
--
-- takes: project_id int8, account_id int8
-- rows:  none
DELETE FROM role WHERE project_id = $1 AND account_id = $2;
