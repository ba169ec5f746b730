-- A standby follows no primary, once the settings are read again.
--
-- rows:  none
ALTER SYSTEM SET primary_conninfo = '';
