-- F3: note that all which this server held at its start is confirmed.
--
-- rows:  none
UPDATE primary_state
   SET started_at = (SELECT backend_start
                       FROM pg_stat_activity
                      WHERE backend_type = 'checkpointer');
