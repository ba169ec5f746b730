-- Note a migration as applied.
--
-- takes: name text
-- rows:  none
INSERT INTO schema_migration (name) VALUES ($1);
