-- Something to commit where nothing else was written: a commit that returns
-- has been confirmed by the replica, and with it all that came before.
--
-- gives: is_written bool
-- rows:  one
SELECT pg_logical_emit_message(true, 'tilsit', '') IS NOT NULL AS is_written;
