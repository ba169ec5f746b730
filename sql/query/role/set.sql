-- Give an account a role, or another one.
--
-- takes: project_id int8, account_id int8, role text
-- rows:  none
INSERT INTO role (project_id, account_id, role)
VALUES ($1, $2, $3)
    ON CONFLICT (project_id, account_id) DO UPDATE SET role = EXCLUDED.role;
