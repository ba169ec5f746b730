-- Let nobody else make a project of a name like this one before this
-- transaction ends.  Behind the project lock, and of another kind (seed 1).
--
-- takes: ultra_name text
-- gives: locked void
-- rows:  one
SELECT pg_advisory_xact_lock(hashtextextended($1, 1)) AS locked;
