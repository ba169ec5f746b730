-- Commits wait for the standby that postgresql.conf names, once the settings
-- are read again.
--
-- rows:  none
ALTER SYSTEM RESET synchronous_standby_names;
