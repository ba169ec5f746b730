-- W1: take the project lock, exclusively, until the transaction ends.
-- The lock's key is a hash of the name, not the row's id: it must be there
-- before a new project's row is and after a deleted one's is gone.  Two names
-- with one hash only wait for each other.
--
-- takes: normalized_name text
-- gives: locked void
-- rows:  one
SELECT pg_advisory_xact_lock(hashtextextended($1, 0)) AS locked;
