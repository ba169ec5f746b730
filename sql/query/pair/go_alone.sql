-- Commits wait for no standby, once the settings are read again.
--
-- rows:  none
ALTER SYSTEM SET synchronous_standby_names = '';
