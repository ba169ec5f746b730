-- W2h, first half: this machine could not delete a fence on that node.  The
-- time comes later, when nobody can miss the row any more: begin.sql.
--
-- takes: home text, seen_from text
-- rows:  none
INSERT INTO cache_hold (home, seen_from)
VALUES ($1, $2)
    ON CONFLICT (home, seen_from) DO NOTHING;
