-- Archive, quarantine, deprecate a project, or make it active again.
--
-- takes: id int8, status text, status_reason text
-- rows:  none
UPDATE project SET status = $2, status_reason = $3 WHERE id = $1;
