#include "io/db_connect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/panic.h"
#include "io/db_wire.h"

#define OPTIONS_BYTES	512	/* the longest text that options_text() makes */
#define LOOK_AGAIN_MS	20	/* while another process confirms */

enum stage {
	DIALLING,	/* libpq's own exchange goes on */
	ASKING,		/* connected, and asked what it is */
	KNOWN,
	FAILED,		/* .why tells */
};

/* What a server says of itself: server/look, or primary/look. */
struct look {
	bool is_standby;
	int64_t timeline;
	bool is_entered;
	bool is_confirmed;
	bool is_blind;		/* may not see its start */
};

/* One candidate. */
struct attempt {
	PGconn *conn;
	enum stage stage;
	PostgresPollingStatusType want;
	bool has_spoken;	/* anything, or it has hung up */
	struct look look;
	struct err why;		/* it is not what we want */
};

struct db_search {
	struct db_target *target;
	int64_t began_us;
	int64_t heard_us;	/* when any of them last spoke; 0: none has */
	bool is_over;
	bool was_answered;
	struct attempt at[DB_CANDIDATES];
};

void
db_note_warning(void *flag, const PGresult *notice)
{
	bool *warned = flag;
	const char *severity;

	severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity && strcmp(severity, "WARNING") == 0)
		*warned = true;
}

bool
db_wait_socket(const PGconn *conn, short events, int64_t deadline_us)
{
	struct pollfd fd = { .fd = PQsocket(conn), .events = events };

	for (;;) {
		int64_t left_us = deadline_us - clock_mono_us();
		int n;

		if (left_us <= 0)
			return false;
		n = poll(&fd, 1, (int)(left_us / 1000 + 1));
		if (n > 0)
			return true;
		if (n == -1 && errno != EINTR)
			return false;
	}
}

/* ---- dialling -------------------------------------------------------- */

/*
 * Session settings that ride along with the connection's first packet.  Every
 * statement of ours is planned once: none is planned better for knowing its
 * parameters, and left alone the server plans some of them every time, which
 * costs more than to run them.
 */
static void
options_text(const struct db_times *t, char *text)
{
	snprintf(text, OPTIONS_BYTES,
	    "-c timezone=UTC -c lock_timeout=%d -c statement_timeout=%d "
	    "-c idle_in_transaction_session_timeout=%d "
	    "-c default_transaction_isolation=read\\ committed "
	    "-c synchronous_commit=remote_apply "
	    "-c plan_cache_mode=force_generic_plan",
	    t->lock_ms, t->statement_ms, t->idle_ms);
}

/* The rest of libpq's words for a failure, of which some have two lines. */
static enum status
failed(struct attempt *at, const char *words)
{
	at->stage = FAILED;
	return err_set(&at->why, UNAVAILABLE, "%.*s",
	    (int)strcspn(words, "\n"), words);
}

static void
dial(const struct db_target *t, const char *conninfo, struct attempt *at)
{
	char options[OPTIONS_BYTES], silent_ms[12];
	/* What comes behind dbname wins over what conninfo says. */
	const char *const names[] = { "dbname", "options", "client_encoding",
	    "application_name", "tcp_user_timeout", "keepalives_idle",
	    "keepalives_interval", "keepalives_count", NULL };
	const char *const values[] = { conninfo, options, "UTF8",
	    t->application, silent_ms, "1", "1", "2", NULL };

	options_text(&t->times, options);
	snprintf(silent_ms, sizeof(silent_ms), "%d", t->times.silent_ms);
	*at = (struct attempt){ .want = PGRES_POLLING_WRITING };
	at->conn = PQconnectStartParams(names, values, 1);
	if (!at->conn)
		panic("no memory for a connection");
	if (PQstatus(at->conn) == CONNECTION_BAD)
		failed(at, PQerrorMessage(at->conn));
}

/* ---- asking ---------------------------------------------------------- */

static bool
send_question(PGconn *conn, enum sql sql)
{
	return PQsendQueryParams(conn, sql_catalogue[sql].text, 0, NULL, NULL,
	    NULL, NULL, 1) && PQflush(conn) != -1;
}

static int64_t
value(const PGresult *result, int column)
{
	return db_wire_int((struct str){ PQgetvalue(result, 0, column),
	    (size_t)PQgetlength(result, 0, column) });
}

static enum sql
look_statement(enum db_role role)
{
	return role == DB_PRIMARY ? SQL_PRIMARY_LOOK : SQL_SERVER_LOOK;
}

static struct look
read_look(enum db_role role, const PGresult *result)
{
	struct look look = {
		.is_standby = value(result, SERVER_LOOK_IS_STANDBY) != 0,
		.timeline = value(result, SERVER_LOOK_TIMELINE),
		.is_entered = true, .is_confirmed = true,
	};

	if (role != DB_PRIMARY)
		return look;
	look.is_entered = value(result, PRIMARY_LOOK_IS_ENTERED) != 0;
	look.is_confirmed = value(result, PRIMARY_LOOK_IS_CONFIRMED) != 0;
	look.is_blind = PQgetisnull(result, 0, PRIMARY_LOOK_IS_CONFIRMED);
	return look;
}

/* What a server said instead of an answer. */
static enum status
refusal(const PGresult *result, struct err *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	return err_set(err, UNAVAILABLE, "%s%s",
	    state && strncmp(state, "42", 2) == 0 ? "the schema is not the "
	    "one of this program (try: tilsit migrate): " : "",
	    text ? text : "no answer");
}

/* The results of one question, as far as they are here. */
static void
take_answers(enum db_role role, struct attempt *at)
{
	while (at->stage == ASKING && !PQisBusy(at->conn)) {
		PGresult *result = PQgetResult(at->conn);

		if (!result)
			at->stage = KNOWN;
		else if (PQresultStatus(result) == PGRES_TUPLES_OK)
			at->look = read_look(role, result);
		else if (refusal(result, &at->why) != OK)
			at->stage = FAILED;
		PQclear(result);
	}
}

/* One step, after its socket became ready. */
static void
advance(enum db_role role, struct attempt *at)
{
	if (at->stage == ASKING) {
		if (PQconsumeInput(at->conn))
			take_answers(role, at);
		else
			failed(at, PQerrorMessage(at->conn));
		return;
	}
	at->want = PQconnectPoll(at->conn);
	if (at->want == PGRES_POLLING_READING ||
	    at->want == PGRES_POLLING_WRITING)
		return;
	if (at->want == PGRES_POLLING_OK &&
	    PQsetnonblocking(at->conn, 1) == 0 &&
	    send_question(at->conn, look_statement(role)))
		at->stage = ASKING;
	else
		failed(at, PQerrorMessage(at->conn));
}

static bool
is_pending(const struct attempt *at)
{
	return at->stage == DIALLING || at->stage == ASKING;
}

/* ---- choosing -------------------------------------------------------- */

/* Is it what we look for?  If it is not, and is known, .why tells. */
static bool
is_wanted(const struct db_target *t, struct attempt *at)
{
	const struct look *look = &at->look;

	if (at->stage != KNOWN)
		return false;
	if (t->role == DB_ANY)
		return true;
	if (t->role == DB_STANDBY) {
		err_set(&at->why, UNAVAILABLE, "it is no replica");
		return look->is_standby;
	}
	if (look->is_standby)
		err_set(&at->why, UNAVAILABLE, "it is a replica");
	else if (look->timeline < t->timeline)
		err_set(&at->why, UNAVAILABLE, "it was the primary before "
		    "the last failover");
	else if (!look->is_entered)
		err_set(&at->why, UNAVAILABLE, "it was promoted, and waits "
		    "for `tilsit failover`");
	else if (look->is_blind)
		err_set(&at->why, UNAVAILABLE, "its role may not read when "
		    "the server started (GRANT pg_read_all_stats)");
	else
		return true;
	return false;
}

/* The best by now; NULL when there is none. */
static struct attempt *
best(const struct db_target *t, struct attempt *at)
{
	struct attempt *found = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (is_wanted(t, &at[i]) && (!found ||
		    at[i].look.timeline > found->look.timeline))
			found = &at[i];
	return found;
}

/* Nobody who has not answered yet could be better. */
static bool
is_decided(struct db_search *s)
{
	const struct db_target *t = s->target;
	const struct attempt *found = best(t, s->at);

	for (size_t i = 0; i < t->n; i++)
		if (is_pending(&s->at[i]))
			return t->role == DB_STANDBY && found == &s->at[0];
	return true;
}

/* Has one begun to speak, and not ended? */
static bool
is_spoken_to(const struct db_search *s)
{
	for (size_t i = 0; i < s->target->n; i++)
		if (is_pending(&s->at[i]) && s->at[i].has_spoken)
			return true;
	return false;
}

/* How long to wait for the next word. */
static int64_t
end_of_wait(struct db_search *s, int wait_ms)
{
	int64_t soon = s->heard_us + DB_GRACE_MS * 1000LL;
	int64_t end = s->began_us + wait_ms * 1000LL;

	if (best(s->target, s->at))
		return soon;
	return end < soon && is_spoken_to(s) ? soon : end;
}

/* What to wait for before the next step. */
static struct pollfd
next_event(const struct attempt *at)
{
	struct pollfd fd = { .fd = -1, .events = POLLIN };

	if (!is_pending(at))
		return fd;
	fd.fd = PQsocket(at->conn);
	if (at->stage == DIALLING && at->want == PGRES_POLLING_WRITING)
		fd.events = POLLOUT;
	else if (at->stage == ASKING && PQflush(at->conn) == 1)
		fd.events = POLLIN | POLLOUT;
	return fd;
}

/* Wait for any of them; false when none has anything to say by then. */
static bool
wait_for_any(struct db_search *s, int64_t until_us)
{
	struct pollfd fds[DB_CANDIDATES];
	int64_t left_us = until_us - clock_mono_us();
	size_t n = s->target->n;

	for (size_t i = 0; i < n; i++)
		fds[i] = next_event(&s->at[i]);
	if (poll(fds, (nfds_t)n, left_us > 0 ? (int)(left_us / 1000 + 1) :
	    0) == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (fds[i].fd == -1 || !fds[i].revents)
			continue;
		if (fds[i].revents & POLLIN) {
			s->at[i].has_spoken = true;
			s->heard_us = clock_mono_us();
		}
		advance(s->target->role, &s->at[i]);
	}
	return true;
}

/* The best one, when it is decided or time is over. */
static struct attempt *
pursue(struct db_search *s, int wait_ms)
{
	while (!is_decided(s) && wait_for_any(s, end_of_wait(s, wait_ms)))
		continue;
	return best(s->target, s->at);
}

/* Why it is none of them. */
static enum status
none_of(struct db_search *s, struct err *err)
{
	const struct db_target *t = s->target;
	char all[ERR_TEXT_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; i < t->n && used < sizeof(all); i++) {
		if (is_pending(&s->at[i]))
			err_set(&s->at[i].why, UNAVAILABLE, "no answer within "
			    "%d ms", t->times.connect_ms);
		used += (size_t)snprintf(all + used, sizeof(all) - used,
		    "%s%s", i ? "; the other: " : "", s->at[i].why.text);
	}
	return err_set(err, UNAVAILABLE, "%s is not reachable: %s",
	    t->role == DB_STANDBY ? "a replica" : "database", all);
}

/* ---- the first commit (F3) ------------------------------------------- */

/*
 * Run a statement without parameters; its result, or NULL and err.  The
 * connection is of no use after a failure.
 */
static PGresult *
ask(PGconn *conn, enum sql sql, int64_t deadline_us, struct err *err)
{
	PGresult *result = NULL, *next;

	if (!send_question(conn, sql))
		goto lost;
	do {
		while (PQisBusy(conn))
			if (!db_wait_socket(conn, POLLIN, deadline_us) ||
			    !PQconsumeInput(conn))
				goto lost;
		next = PQgetResult(conn);
		if (next) {
			PQclear(result);
			result = next;
		}
	} while (next);
	if (result && PQresultStatus(result) != PGRES_FATAL_ERROR)
		return result;
	(void)refusal(result, err);
	PQclear(result);
	return NULL;

lost:
	PQclear(result);
	(void)err_set(err, UNAVAILABLE, "the primary has started anew, and its "
	    "replica has not confirmed yet what it holds");
	return NULL;
}

static enum status
ask_bool(PGconn *conn, enum sql sql, int64_t deadline_us, bool *out,
    struct err *err)
{
	PGresult *result = ask(conn, sql, deadline_us, err);

	if (!result)
		return UNAVAILABLE;
	*out = sql_catalogue[sql].n_gives > 0 && value(result, 0) != 0;
	PQclear(result);
	return OK;
}

/*
 * Wait until this process may confirm, or another one has, until turn_us.  A
 * server process whose client has given up goes on to wait for the replica,
 * and keeps the lock: so there is one of these, however long the replica is
 * away.
 */
static enum status
await_turn(PGconn *conn, struct look *look, int64_t turn_us,
    int64_t deadline_us, struct err *err)
{
	bool is_mine = false;
	PGresult *result;
	enum status st;

	for (;;) {
		st = ask_bool(conn, SQL_PRIMARY_TRY_LOCK, deadline_us,
		    &is_mine, err);
		if (st != OK || is_mine)
			return st;
		if (clock_mono_us() >= turn_us)
			return err_set(err, UNAVAILABLE, "the primary has "
			    "started anew, and another process waits for its "
			    "replica");
		poll(NULL, 0, LOOK_AGAIN_MS);
		result = ask(conn, SQL_PRIMARY_LOOK, deadline_us, err);
		if (!result)
			return UNAVAILABLE;
		*look = read_look(DB_PRIMARY, result);
		PQclear(result);
		if (look->is_confirmed)
			return OK;
	}
}

/*
 * What a primary holds when it starts may never have been confirmed by the
 * replica, though it is visible now.  So a commit behind all of it comes
 * first; and only when that is confirmed, in a second one, does a row say so:
 * were it one commit, a cancelled wait would make the row visible all the
 * same.
 */
static enum status
confirm(PGconn *conn, struct look *look, int64_t turn_us,
    int64_t deadline_us, struct err *err)
{
	bool warned = false, is_done;
	enum status st = await_turn(conn, look, turn_us, deadline_us, err);

	if (st != OK || look->is_confirmed)
		return st;
	FAULT_POINT("F3-locked");
	PQsetNoticeReceiver(conn, db_note_warning, &warned);
	st = ask_bool(conn, SQL_TRANSACTION_CONFIRM, deadline_us, &is_done,
	    err);
	if (st == OK && warned)
		st = err_set(err, UNAVAILABLE, "the server did not wait for "
		    "its replica");
	FAULT_POINT("F3-confirmed");
	if (st == OK)
		st = ask_bool(conn, SQL_PRIMARY_CONFIRM, deadline_us,
		    &is_done, err);
	FAULT_POINT("F3-noted");
	if (st == OK)
		st = ask_bool(conn, SQL_PRIMARY_UNLOCK, deadline_us, &is_done,
		    err);
	return st;
}

/* ---- all of it ------------------------------------------------------- */

static enum status
make_ready(const struct db_target *t, struct attempt *at, int wait_ms,
    struct err *err)
{
	int64_t now = clock_mono_us();
	enum status st = OK;

	if (!at->look.is_confirmed)
		st = confirm(at->conn, &at->look, now + wait_ms * 1000LL,
		    now + t->times.connect_ms * 1000LL, err);
	if (st == OK && !PQenterPipelineMode(at->conn))
		st = err_set(err, UNAVAILABLE, "database is not reachable: %s",
		    PQerrorMessage(at->conn));
	return st;
}

struct db_search *
db_search_new(struct db_target *t)
{
	struct db_search *s = calloc(1, sizeof(*s));

	if (!s)
		panic("no memory for a connection");
	s->target = t;
	s->began_us = clock_mono_us();
	for (size_t i = 0; i < t->n; i++)
		dial(t, t->conninfo[i], &s->at[i]);
	return s;
}

void
db_search_free(struct db_search *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->target->n; i++)
		PQfinish(s->at[i].conn);
	free(s);
}

enum status
db_search_go_on(struct db_search *s, int wait_ms, PGconn **out,
    struct err *err)
{
	struct db_target *t = s->target;
	struct attempt *found = pursue(s, wait_ms);
	enum status st;

	s->was_answered = !found && is_decided(s);
	s->is_over = found || s->was_answered || clock_mono_us() >=
	    s->began_us + t->times.connect_ms * 1000LL;
	if (!found)
		return none_of(s, err);
	st = make_ready(t, found, wait_ms, err);
	if (st == OK) {
		*out = found->conn;
		found->conn = NULL;
		t->timeline = found->look.timeline;
		t->current = (size_t)(found - s->at);
	}
	return st;
}

bool
db_search_is_over(const struct db_search *s)
{
	return s->is_over;
}

bool
db_search_was_answered(const struct db_search *s)
{
	return s->was_answered;
}

bool
db_search_confirms(struct db_search *s, struct err *err)
{
	const struct attempt *found = pursue(s, s->target->times.connect_ms);
	const struct attempt *own = &s->at[s->target->current];

	(void)none_of(s, err);
	return found ? found == own : own->has_spoken && own->stage != KNOWN;
}
