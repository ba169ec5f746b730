/*
 * db_connect: finds the server that a connection of io/db is to go to.
 *
 * All candidates are asked at once, so that one which does not answer keeps
 * nobody from one which does: an attempt takes connect_ms at most, and
 * DB_GRACE_MS more than the right server's answer if another is silent.
 *
 * Part of io/db; no other module needs it.
 */
#ifndef IO_DB_CONNECT_H
#define IO_DB_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "io/db.h"

#define DB_GRACE_MS	100	/* for a later primary to speak up */

struct pg_conn;
struct pg_result;

/* Where to look, and for what. */
struct db_target {
	char *conninfo[DB_CANDIDATES];
	size_t n;
	enum db_role role;
	char *application;
	struct db_times times;		/* none is 0 */
	int64_t timeline;		/* the highest that was ever found */
};

/*
 * Connect to the right one of the candidates.  Of several primaries that is
 * the one with the highest timeline, and never one below t->timeline.
 *
 * To a primary that nobody has used since its start this commits, and waits
 * connect_ms at most for the replica to confirm that (F3); while another
 * process does so, it waits for that.
 *
 * *out is in pipeline mode and does not block; end it with PQfinish().
 * UNAVAILABLE when there is none, and err tells of each candidate.
 */
MUST_USE enum status db_connect(struct db_target *t, struct pg_conn **out,
    struct err *err);

/*
 * Wait until a connection's socket can be read, or written if events has
 * POLLOUT.  False when it cannot by the deadline (of clock_mono_us()).
 */
bool db_wait_socket(const struct pg_conn *conn, short events,
    int64_t deadline_us);

/*
 * A notice receiver of libpq that sets the bool at flag on a warning, and
 * keeps all notices from standard error.
 */
void db_note_warning(void *flag, const struct pg_result *notice);

#endif
