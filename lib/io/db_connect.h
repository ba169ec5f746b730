/*
 * db_connect: finds the server that a connection of io/db is to go to.
 *
 * All candidates are asked at once, so that one which does not answer keeps
 * nobody from one which does: a search takes connect_ms at most, and
 * DB_GRACE_MS more than the right server's answer if another is silent.
 *
 *	search = db_search_new(&target);
 *	do
 *		st = db_search_go_on(search, 0, &conn, err);
 *	while (st != OK && !db_search_is_over(search));	... and do other things
 *	db_search_free(search);
 *
 * Part of io/db; no other module needs it.
 */
#ifndef IO_DB_CONNECT_H
#define IO_DB_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "io/db.h"

#define DB_GRACE_MS	100	/* for a later primary to speak up; and for who
				 * has begun to speak to go on */

struct db_search;
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
	size_t current;			/* whom the last connection is to */
};

/*
 * Begin to look for the right one of the candidates, and wait for nobody.  t
 * must outlive the search.  End it with db_search_free(), at any time.
 */
struct db_search *db_search_new(struct db_target *t);
void db_search_free(struct db_search *s);

/*
 * Go on with it: until wait_ms after its beginning, or, with 0, as far as it
 * goes without waiting for those who have not begun to speak.  Of several
 * primaries the right one is that with the highest timeline, and never one
 * below t->timeline.
 *
 * To a primary that nobody has used since its start this commits, and waits
 * connect_ms at most for the replica to confirm that (F3), whatever wait_ms
 * is: one process does, and those that find it at work wait for it for
 * wait_ms.
 *
 * *out is in pipeline mode and does not block; end it with PQfinish().
 * UNAVAILABLE when there is none yet, and err tells of each candidate.
 */
MUST_USE enum status db_search_go_on(struct db_search *s, int wait_ms,
    struct pg_conn **out, struct err *err);

/* Found, or in vain: nobody is left to answer, or connect_ms are over. */
bool db_search_is_over(const struct db_search *s);

/* Did everybody answer, or refuse, and none is the right one? */
bool db_search_was_answered(const struct db_search *s);

/*
 * A search because the connection to t->current has fallen silent: waits, and
 * says whether that server is still the right one.  It is if it answers as
 * such, and if it has anything at all to say (that it is full, or stops), as
 * long as no other one is.  If it is not, err tells of each candidate.
 */
MUST_USE bool db_search_confirms(struct db_search *s, struct err *err);

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
