-- Have all processes of the server read its settings again, soon.
--
-- gives: is_asked bool
-- rows:  one
SELECT pg_reload_conf() AS is_asked;
