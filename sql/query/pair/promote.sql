-- Have a standby become a primary, soon.
--
-- gives: is_asked bool
-- rows:  one
SELECT pg_promote(false) AS is_asked;
