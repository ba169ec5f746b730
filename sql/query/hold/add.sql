-- W2h: note that this project's fence could not be deleted.
--
-- takes: project text
-- rows:  none
INSERT INTO cache_hold (project, since)
VALUES ($1, clock_timestamp())
    ON CONFLICT (project) DO NOTHING;
