#include "io/db.h"

#include <poll.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/panic.h"
#include "io/db_connect.h"
#include "io/db_wire.h"

#define TAKES_MAX	64	/* parameters of a statement; ours have 14 */
#define RETRY_US	((int64_t)100000)	/* between two searches */
#define GLANCE_MS	30	/* for who is back to say a first word; what
				 * each second of his absence costs */

/*
 * Without a byte of an answer, before it is asked who is the right server:
 * longer than nearly all that we send takes, and than the pauses of a network
 * that loses a packet.
 */
#define SILENCE_US	((int64_t)700000)
#define ANSWER_MS	2000	/* for the server to notice its own time-out */

struct db {
	struct db_target target;

	PGconn *conn;			/* NULL: not connected */
	bool *prepared;			/* by enum sql, over this conn */
	bool in_transaction;		/* as the caller sees it */
	bool warned;			/* a WARNING came since it was reset */

	struct db_search *search;	/* under way, or NULL */
	bool is_silent;			/* somebody let the last one wait */
	struct err why;			/* the last one was in vain */
	int64_t retry_at_us;		/* no new one before */
	struct db_stats stats;
};

static char *
copy(const char *text)
{
	char *copied = strdup(text);

	if (!copied)
		panic("no memory for a connection");
	return copied;
}

static struct db_times
times_or_default(const struct db_times *times)
{
	struct db_times t = times ? *times : (struct db_times){ 0 };

	t.connect_ms = t.connect_ms ? t.connect_ms : 1000;
	t.silent_ms = t.silent_ms ? t.silent_ms : 2000;
	t.lock_ms = t.lock_ms ? t.lock_ms : 5000;
	t.statement_ms = t.statement_ms ? t.statement_ms : 10000;
	t.idle_ms = t.idle_ms ? t.idle_ms : 10000;
	t.commit_ms = t.commit_ms ? t.commit_ms : 30000;
	return t;
}

struct db *
db_new(const char *const *conninfos, enum db_role role,
    const char *application, const struct db_times *times)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		panic("no memory for a connection");
	db->prepared = calloc(sql_catalogue_size, sizeof(*db->prepared));
	if (!db->prepared)
		panic("no memory for a connection");
	db->target = (struct db_target){
		.role = role, .application = copy(application),
		.times = times_or_default(times),
	};
	for (size_t i = 0; conninfos[i]; i++) {
		if (i == DB_CANDIDATES)
			panic("more than %d candidates", DB_CANDIDATES);
		db->target.conninfo[i] = copy(conninfos[i]);
		db->target.n++;
	}
	return db;
}

/* Let the connection go; a transaction on it is rolled back by the server. */
static void
drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	memset(db->prepared, 0, sql_catalogue_size * sizeof(*db->prepared));
}

void
db_free(struct db *db)
{
	if (!db)
		return;
	drop(db);
	db_search_free(db->search);
	free(db->prepared);
	for (size_t i = 0; i < db->target.n; i++)
		free(db->target.conninfo[i]);
	free(db->target.application);
	free(db);
}

bool
db_is_connected(const struct db *db)
{
	return db->conn != NULL;
}

bool
db_in_transaction(const struct db *db)
{
	return db->in_transaction;
}

struct db_stats
db_stats(const struct db *db)
{
	return db->stats;
}

/* ---- connecting ------------------------------------------------------ */

/* One step of the search, which ends with a connection, or in vain. */
static enum status
go_on(struct db *db, int wait_ms)
{
	struct err why;
	enum status st;

	st = db_search_go_on(db->search, wait_ms, &db->conn, &why);
	if (st != OK && !db_search_is_over(db->search))
		return st;
	db->is_silent = st != OK && !db_search_was_answered(db->search);
	db_search_free(db->search);
	db->search = NULL;
	if (st != OK) {
		db->stats.waits += db->is_silent && wait_ms > GLANCE_MS;
		db->why = why;
		return st;
	}
	PQsetNoticeReceiver(db->conn, db_note_warning, &db->warned);
	db->stats.connects++;
	db->retry_at_us = 0;
	return OK;
}

/*
 * How long a caller may wait for a new search.  Who serves waits once for the
 * silent, and then glances only: but for that a server's return would be
 * noticed by the next request but one, however far away that is.  Those who
 * refuse cost nothing, and are asked as if nothing had been.
 */
static int
patience_ms(const struct db *db)
{
	return db->target.times.in_background && db->is_silent ? GLANCE_MS :
	    db->target.times.connect_ms;
}

/*
 * What has come meanwhile for the search that is under way; and if that was
 * in vain, a new one.
 */
static enum status
connect_now(struct db *db, struct err *err)
{
	enum status st = UNAVAILABLE;

	if (db->search)
		st = go_on(db, 0);
	if (st != OK && !db->search && clock_mono_us() >= db->retry_at_us) {
		db->search = db_search_new(&db->target);
		db->retry_at_us = clock_mono_us() + RETRY_US;
		st = go_on(db, patience_ms(db));
	}
	return st == OK ? OK : err_set(err, UNAVAILABLE, "%s", db->why.text);
}

/* Is there something to read, be it the end? */
static bool
has_word(const struct db *db)
{
	struct pollfd fd = { .fd = PQsocket(db->conn), .events = POLLIN };

	return poll(&fd, 1, 0) != 0;
}

/*
 * Has the server said something while nobody asked?  Then it has most likely
 * ended the connection (restart, time-out, administrator): better to know now
 * than to send a statement and not know whether it was done.
 */
static bool
is_stale(const struct db *db)
{
	return PQstatus(db->conn) == CONNECTION_BAD || has_word(db);
}

static enum status
have_connection(struct db *db, struct err *err)
{
	if (db->in_transaction && !db->conn)
		return err_set(err, UNAVAILABLE, "database connection was "
		    "lost, and the transaction with it");
	if (db->conn && !db->in_transaction && is_stale(db))
		drop(db);
	return db->conn ? OK : connect_now(db, err);
}

enum status
db_reach(struct db *db, struct err *err)
{
	return have_connection(db, err);
}

/* ---- sending --------------------------------------------------------- */

static const struct sql_statement *
statement_of(enum sql sql)
{
	if ((size_t)sql >= sql_catalogue_size)
		panic("there is no statement %d", (int)sql);
	return &sql_catalogue[sql];
}

static bool
send_prepare(struct db *db, const struct sql_statement *s)
{
	Oid types[TAKES_MAX] = { 0 };

	if (s->n_takes > TAKES_MAX)
		panic("%s takes more than %d parameters", s->name, TAKES_MAX);
	for (size_t i = 0; i < s->n_takes; i++)
		types[i] = db_wire_oid(s->takes[i].type);
	return PQsendPrepare(db->conn, s->name, s->text, (int)s->n_takes,
	    types);
}

static bool
begins(enum sql sql)
{
	return sql == SQL_TRANSACTION_BEGIN ||
	    sql == SQL_TRANSACTION_BEGIN_SNAPSHOT;
}

/* Is there a transaction after a statement, if there was one before? */
static bool
is_within(bool before, enum sql sql)
{
	return begins(sql) || (before && sql != SQL_TRANSACTION_COMMIT &&
	    sql != SQL_TRANSACTION_ROLLBACK);
}

static bool
send_one(struct db *db, enum sql sql, const struct db_wire *wire)
{
	const struct sql_statement *s = statement_of(sql);

	db->stats.queries++;
	return PQsendQueryPrepared(db->conn, s->name, (int)s->n_takes,
	    wire->values, wire->lengths, wire->formats, 1);
}

/* ---- receiving ------------------------------------------------------- */

/* What the server's five letters mean; the first that fits counts. */
static const struct {
	const char *sqlstate;	/* or its class, its first two letters */
	enum status st;
	bool drop;		/* the session is of no more use */
	const char *words;
} meanings[] = {
	{ "23505", CONFLICT, false, "it is there already" },
	{ "23P01", CONFLICT, false, "it is there already" },
	{ "23503", CONFLICT, false, "what it belongs to is gone" },
	{ "23", INVALID, false, "a value is refused" },
	{ "22", INVALID, false, "a value is refused" },
	{ "55P03", UNAVAILABLE, false, "somebody else is changing it" },
	{ "57014", UNAVAILABLE, false, "it took too long" },
	{ "40", UNAVAILABLE, false, "somebody else changed it" },
	{ "25P02", UNAVAILABLE, false, "an earlier statement failed" },
	{ "25006", UNAVAILABLE, true, "database is read-only" },
	{ "26000", UNAVAILABLE, true, "the session was reset" },
	{ "0A000", UNAVAILABLE, true, "the schema has changed" },
	{ "42501", UNAVAILABLE, true, "the database role may not do this" },
	{ "42", UNAVAILABLE, true, "the schema is not the one of this "
	    "program (try: tilsit migrate)" },
	{ "57", UNAVAILABLE, true, "database is stopping or starting" },
	{ "53", UNAVAILABLE, false, "database lacks memory, disk or slots" },
	{ "", UNAVAILABLE, false, "database failed" },
};

static enum status
explain(struct db *db, const struct sql_statement *s, const PGresult *result,
    struct err *err, bool *must_drop)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	size_t i = 0;

	if (!state)	/* libpq's own trouble, not the server's words */
		return err_set(err, UNAVAILABLE, "database connection was "
		    "lost: %s", PQerrorMessage(db->conn));
	while (strncmp(state, meanings[i].sqlstate,
	    strlen(meanings[i].sqlstate)) != 0)
		i++;
	/* Within a transaction the loss must be known, not papered over. */
	*must_drop = *must_drop || meanings[i].drop;
	return err_set(err, meanings[i].st, "%s (%s: %s %s)",
	    meanings[i].words, s->name, state, text ? text : "");
}

/* The server is silent: is that only because it is slow? */
static bool
is_only_slow(struct db *db)
{
	struct db_search *search = db_search_new(&db->target);
	bool is_it = db_search_confirms(search, &db->why) || has_word(db);

	db_search_free(search);
	db->stats.doubts++;
	if (!is_it) {
		db->stats.waits++;
		db->is_silent = true;
	}
	return is_it;
}

/*
 * Wait for the socket.  A server that answers nothing for long, because it has
 * much to do, or waits for a lock or for its replica, still answers others; one
 * that is frozen or cut off does not, and is not waited for.  False when it is
 * of no use, or nothing has come by the deadline.
 */
static bool
await(struct db *db, short events, int64_t deadline_us)
{
	int64_t silence_us = SILENCE_US;

	for (;;) {
		int64_t doubt_us = clock_mono_us() + silence_us;

		if (doubt_us > deadline_us)
			return db_wait_socket(db->conn, events, deadline_us);
		if (db_wait_socket(db->conn, events, doubt_us))
			return true;
		if (!is_only_slow(db))
			return false;
		silence_us *= 2;
	}
}

/*
 * The next result of what was sent.  False when the connection is lost or
 * says nothing by the deadline.  *result may be NULL: end of one command.
 *
 * Polling the socket is right with TLS too: the server's records hold 8 KB at
 * most, and libpq always reads with room for as much, so none stays behind.
 */
static bool
next_result(struct db *db, int64_t deadline_us, PGresult **result)
{
	*result = NULL;
	for (;;) {
		int flushed = PQflush(db->conn);

		if (flushed == -1 || PQstatus(db->conn) == CONNECTION_BAD)
			return false;
		if (!PQisBusy(db->conn))
			break;
		if (!await(db, (short)(flushed ? POLLIN | POLLOUT : POLLIN),
		    deadline_us) || !PQconsumeInput(db->conn))
			return false;
	}
	*result = PQgetResult(db->conn);
	return true;
}

/*
 * How long an answer may take.  The server keeps to statement_timeout by
 * itself, but not while a commit waits for the replica, and that must not be
 * cut short (F1); outside of a transaction any statement that is not plainly
 * a SELECT may be a commit.
 */
static int64_t
deadline_for(const struct db *db, enum sql sql)
{
	bool reads = strncmp(statement_of(sql)->text, "SELECT", 6) == 0;
	int64_t ms = db->target.times.statement_ms + ANSWER_MS;

	if (sql == SQL_TRANSACTION_COMMIT)
		ms = db->target.times.commit_ms;
	else if (!db->in_transaction && !reads)
		ms += db->target.times.commit_ms;
	return clock_mono_us() + ms * 1000;
}

/* How one statement was answered. */
struct answer {
	PGresult *result;	/* rows, or the error; or NULL */
	bool lost;		/* there was no answer */
};

/* Receive up to and with the sync that ends a statement. */
static struct answer
receive(struct db *db, enum sql sql, bool preparing, int64_t deadline_us)
{
	struct answer answer = { 0 };
	PGresult *result;

	for (;;) {
		ExecStatusType is;

		if (!next_result(db, deadline_us, &result)) {
			answer.lost = true;
			return answer;
		}
		if (!result)
			continue;	/* stands between two commands */
		is = PQresultStatus(result);
		if (is == PGRES_COMMAND_OK && preparing) {
			db->prepared[sql] = true;
			preparing = false;
		} else if (is != PGRES_PIPELINE_SYNC && !answer.result) {
			/* Behind an error "aborted" may follow: no matter. */
			answer.result = result;
			continue;
		}
		PQclear(result);
		if (is == PGRES_PIPELINE_SYNC)
			return answer;
	}
}

static void
clear_result(void *result)
{
	PQclear(result);
}

/*
 * Hold a statement to its promise.  A result with other columns than it gives
 * is as much a bug of ours as a missing row.
 */
static enum status
check_promise(const struct sql_statement *s, const PGresult *result,
    struct err *err)
{
	int n = PQntuples(result);

	if ((size_t)PQnfields(result) != s->n_gives)
		panic("%s gives %d columns, not %zu", s->name,
		    PQnfields(result), s->n_gives);
	if (s->rows == DB_ROWS_ONE && n != 1)
		panic("%s promises one row and gives %d", s->name, n);
	if (s->rows == DB_ROWS_MAYBE && n > 1)
		panic("%s promises one row at most and gives %d", s->name, n);
	if (s->rows == DB_ROWS_MAYBE && n == 0)
		return err_set(err, NOT_FOUND, "%s finds nothing", s->name);
	return OK;
}

/* Rows that a statement changed, from its command tag ("UPDATE 3"). */
static int
changed_rows(PGresult *result)
{
	struct str tag = str_c(PQcmdTuples(result));
	int64_t n;

	return str_int64(tag, 0, INT32_MAX, &n) == OK ? (int)n : 0;
}

/*
 * F1: was what this statement committed confirmed as it should be?  When
 * somebody cancels the wait for the replica the server commits all the same
 * and only warns, in words that depend on its language and with no code of
 * their own; nothing else that we send makes it warn as it commits.
 */
static bool
is_confirmed(const struct db *db)
{
	return !db->warned || db->in_transaction;
}

/* Turn an answer into a call's rows and status. */
static void
settle(struct db *db, struct arena *a, struct db_call *call,
    PGresult *result, struct err *err, bool *must_drop)
{
	const struct sql_statement *s = statement_of(call->sql);

	if (!result || PQresultStatus(result) == PGRES_FATAL_ERROR) {
		call->st = explain(db, s, result, err, must_drop);
	} else if (!is_confirmed(db)) {
		*must_drop = call->unknown = true;
		call->st = err_set(err, UNAVAILABLE, "%s: the server did not "
		    "wait for its replica", s->name);
	} else if (call->sql == SQL_TRANSACTION_COMMIT &&
	    strcmp(PQcmdStatus(result), "COMMIT") != 0) {
		call->st = err_set(err, UNAVAILABLE, "nothing to commit: an "
		    "earlier statement failed");
	} else {
		call->st = check_promise(s, result, err);
		call->rows.n = s->n_gives ? PQntuples(result) :
		    changed_rows(result);
		db->stats.rows += PQntuples(result);
	}
	if (call->st == OK && s->n_gives) {
		call->rows.result = result;
		arena_defer(a, clear_result, result);
	} else {
		PQclear(result);
	}
}

/* The session ended in the server's own words: FATAL, not ERROR. */
static bool
is_fatal(const PGresult *result)
{
	const char *severity;

	severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	return severity && strcmp(severity, "ERROR") != 0;
}

/* ---- running --------------------------------------------------------- */

/* Everything that stays the same while calls are sent and answered. */
struct run {
	struct db *db;
	struct arena *a;
	struct db_call *calls;
	size_t n;
	size_t n_sent;
	bool *preparing;	/* by call: it is prepared in this run */
	struct db_wire *wires;	/* by call */
};

static bool
is_preparing(const struct run *run, enum sql sql)
{
	for (size_t i = 0; i < run->n_sent; i++)
		if (run->calls[i].sql == sql && run->preparing[i])
			return true;
	return false;
}

/*
 * Queue all of it with a sync after each, so that each is on its own.  The
 * socket does not block: what it will not take now goes while answers come.
 */
static bool
send_all(struct run *run)
{
	struct db *db = run->db;

	for (; run->n_sent < run->n; run->n_sent++) {
		enum sql sql = run->calls[run->n_sent].sql;
		bool prepare = !db->prepared[sql] && !is_preparing(run, sql);

		run->preparing[run->n_sent] = prepare;
		if ((prepare && !send_prepare(db, statement_of(sql))) ||
		    !send_one(db, sql, &run->wires[run->n_sent]) ||
		    !PQpipelineSync(db->conn))
			return false;
	}
	return true;
}

/* No answer for calls from i on: say so, and let the connection go. */
static void
lose(struct run *run, size_t i, struct err *err)
{
	err_set(err, UNAVAILABLE, "database connection was lost: %s",
	    PQstatus(run->db->conn) == CONNECTION_BAD ?
	    PQerrorMessage(run->db->conn) : "no answer in time");
	for (; i < run->n; i++) {
		run->calls[i].st = UNAVAILABLE;
		run->calls[i].unknown = i <= run->n_sent;
		run->db->in_transaction = is_within(run->db->in_transaction,
		    run->calls[i].sql);
	}
	drop(run->db);
}

/* Receive all answers; err explains the first failure. */
static enum status
receive_all(struct run *run, struct err *err)
{
	struct db *db = run->db;
	enum status first = OK;
	bool must_drop = false;

	for (size_t i = 0; i < run->n; i++) {
		struct db_call *call = &run->calls[i];
		struct err why;
		struct answer answer;

		db->warned = false;
		db->in_transaction = is_within(db->in_transaction, call->sql);
		answer = receive(db, call->sql, run->preparing[i],
		    deadline_for(db, call->sql));
		if (answer.lost || is_fatal(answer.result)) {
			PQclear(answer.result);
			if (first == OK)
				first = UNAVAILABLE;
			lose(run, i, first == UNAVAILABLE ? err : NULL);
			return first;
		}
		settle(db, run->a, call, answer.result, &why, &must_drop);
		if (first == OK && call->st != OK && call->st != NOT_FOUND)
			first = err_set(err, call->st, "%s", why.text);
		else if (run->n == 1 && call->st == NOT_FOUND)
			err_set(err, NOT_FOUND, "%s", why.text);
	}
	if (must_drop)
		drop(db);
	return first;
}

/* Before anything is sent: no answers yet, and no transaction in another. */
static void
begin_run(struct run *run)
{
	bool within = run->db->in_transaction;

	for (size_t i = 0; i < run->n; i++) {
		struct db_call *call = &run->calls[i];

		if (within && begins(call->sql))
			panic("a transaction within a transaction");
		within = is_within(within, call->sql);
		call->rows = (struct db_rows){
		    .statement = statement_of(call->sql) };
		call->st = UNAVAILABLE;
		call->unknown = false;
	}
}

/*
 * Is the replica none any more?  The server says so with the first answer
 * after its promotion (in_hot_standby, PostgreSQL 14).
 */
static bool
was_promoted(const struct db *db)
{
	const char *is_standby;

	if (db->target.role != DB_STANDBY || !db->conn)
		return false;
	is_standby = PQparameterStatus(db->conn, "in_hot_standby");
	return !is_standby || strcmp(is_standby, "on") != 0;
}

static enum status
give_up(struct run *run, struct err *err)
{
	for (size_t i = 0; i < run->n; i++)
		run->calls[i].st = UNAVAILABLE;
	drop(run->db);
	return err_set(err, UNAVAILABLE, "the replica was promoted");
}

static enum status
run_all(struct run *run, struct err *err)
{
	struct db *db = run->db;
	int64_t start = clock_mono_us();
	enum status st;

	begin_run(run);
	st = have_connection(db, err);
	if (st == OK && !send_all(run)) {
		lose(run, 0, err);
		st = UNAVAILABLE;
	} else if (st == OK) {
		st = receive_all(run, err);
		if (was_promoted(db))
			st = give_up(run, err);
	}
	db->stats.us += clock_mono_us() - start;
	return st;
}

/* Run one call, whose arguments are encoded. */
static enum status
run_one(struct db *db, struct arena *a, struct db_call *call,
    struct db_wire *wire, struct err *err)
{
	bool preparing = false;
	struct run run = { .db = db, .a = a, .calls = call, .n = 1,
	    .preparing = &preparing, .wires = wire };
	enum status st = run_all(&run, err);

	return st == OK ? call->st : st;
}

enum status
db_run(struct db *db, struct arena *a, enum sql sql,
    const struct db_arg *args, size_t n_args, struct db_rows *rows,
    struct err *err)
{
	struct db_call call = { .sql = sql };
	struct db_wire wire;
	enum status st;

	st = db_wire_args(a, statement_of(sql), args, n_args, &wire, err);
	if (st == OK)
		st = run_one(db, a, &call, &wire, err);
	if (st == OK && rows)
		*rows = call.rows;
	return st;
}

enum status
db_run_each(struct db *db, struct arena *a, struct db_call *calls, size_t n,
    struct err *err)
{
	struct run run = { .db = db, .a = a, .calls = calls, .n = n };
	enum status st = OK;

	run.preparing = arena_array(a, n, sizeof(*run.preparing));
	run.wires = arena_array(a, n, sizeof(*run.wires));
	for (size_t i = 0; i < n && st == OK; i++)
		st = db_wire_args(a, statement_of(calls[i].sql),
		    calls[i].args, calls[i].n_args, &run.wires[i], err);
	return st == OK ? run_all(&run, err) : st;
}

/* ---- streaming ------------------------------------------------------- */

/* Prepare a statement now, in a round trip of its own. */
static enum status
prepare(struct db *db, enum sql sql, struct err *err)
{
	const struct sql_statement *s = statement_of(sql);
	struct answer answer = { .lost = true };
	bool must_drop = false;
	enum status st = OK;

	if (db->prepared[sql])
		return OK;
	if (send_prepare(db, s) && PQpipelineSync(db->conn))
		answer = receive(db, sql, true, deadline_for(db, sql));
	if (answer.lost || !db->prepared[sql]) {
		st = explain(db, s, answer.result, err, &must_drop);
		if (answer.lost || must_drop)
			drop(db);
	}
	PQclear(answer.result);
	return st;
}

/* Hand the rows on as they come; the connection is dropped if that fails. */
static enum status
receive_rows(struct db *db, const struct sql_statement *s, int64_t wait_us,
    enum status (*each)(void *arg, const struct db_rows *row), void *arg,
    struct err *err)
{
	bool must_drop = false;
	enum status st = OK;
	PGresult *result;

	for (;;) {
		ExecStatusType is;

		if (!next_result(db, clock_mono_us() + wait_us, &result)) {
			st = explain(db, s, NULL, err, &must_drop);
			drop(db);
			return st;
		}
		if (!result)
			continue;
		is = PQresultStatus(result);
		if (is == PGRES_SINGLE_TUPLE) {
			const struct db_rows row = { s, result, 1 };

			db->stats.rows++;
			st = each(arg, &row);
			must_drop = st != OK;
		} else if (is != PGRES_TUPLES_OK && is != PGRES_PIPELINE_SYNC) {
			st = explain(db, s, result, err, &must_drop);
		}
		PQclear(result);
		if (must_drop)
			drop(db);
		if (must_drop || is == PGRES_PIPELINE_SYNC)
			return st;
	}
}

enum status
db_stream(struct db *db, struct arena *a, enum sql sql,
    const struct db_arg *args, size_t n_args,
    enum status (*each)(void *arg, const struct db_rows *row), void *arg,
    struct err *err)
{
	const struct sql_statement *s = statement_of(sql);
	int64_t start = clock_mono_us();
	bool must_drop = true;
	struct db_wire wire;
	enum status st;

	if (s->rows != DB_ROWS_ANY)
		panic("%s cannot be streamed", s->name);
	st = db_wire_args(a, s, args, n_args, &wire, err);
	if (st == OK)
		st = have_connection(db, err);
	if (st == OK)
		st = prepare(db, sql, err);
	if (st != OK)
		return st;
	if (!send_one(db, sql, &wire) || !PQsetSingleRowMode(db->conn) ||
	    !PQpipelineSync(db->conn)) {
		st = explain(db, s, NULL, err, &must_drop);
		drop(db);
	} else {
		st = receive_rows(db, s, (db->target.times.statement_ms + ANSWER_MS) *
		    1000LL, each, arg, err);
	}
	db->stats.us += clock_mono_us() - start;
	return st;
}

/*
 * The simple protocol takes several statements in one text, but not while a
 * pipeline is open.
 */
enum status
db_run_script(struct db *db, const char *text, struct err *err)
{
	static const struct sql_statement script = { .name = "script" };
	bool must_drop = false;
	PGresult *result;
	ExecStatusType is;
	enum status st;

	st = have_connection(db, err);
	if (st != OK)
		return st;
	if (!PQexitPipelineMode(db->conn))
		panic("a script in the middle of a pipeline");
	result = PQexec(db->conn, text);
	is = PQresultStatus(result);
	if (is != PGRES_COMMAND_OK && is != PGRES_TUPLES_OK)
		st = explain(db, &script, result, err, &must_drop);
	PQclear(result);
	if (PQstatus(db->conn) == CONNECTION_BAD ||
	    !PQenterPipelineMode(db->conn))
		drop(db);
	return st;
}

/* ---- transactions ---------------------------------------------------- */

static enum status
begin(struct db *db, enum sql sql, struct err *err)
{
	enum status st = db_run(db, NULL, sql, DB_NO_ARGS, NULL, err);

	if (st != OK)
		db_rollback(db);
	return st;
}

enum status
db_begin(struct db *db, struct err *err)
{
	return begin(db, SQL_TRANSACTION_BEGIN, err);
}

enum status
db_begin_snapshot(struct db *db, struct err *err)
{
	return begin(db, SQL_TRANSACTION_BEGIN_SNAPSHOT, err);
}

enum status
db_commit(struct db *db, bool *unknown, struct err *err)
{
	struct db_call call = { .sql = SQL_TRANSACTION_COMMIT };
	struct db_wire wire = { 0 };
	enum status st;

	if (!db->in_transaction)
		panic("a commit without a transaction");
	st = run_one(db, NULL, &call, &wire, err);
	db->in_transaction = false;
	*unknown = call.unknown;
	return st;
}

void
db_rollback(struct db *db)
{
	bool ended;

	if (!db->in_transaction)
		return;
	ended = db->conn && db_run(db, NULL, SQL_TRANSACTION_ROLLBACK,
	    DB_NO_ARGS, NULL, NULL) == OK;
	if (!ended)
		drop(db);
	db->in_transaction = false;
}

/* ---- reading rows ---------------------------------------------------- */

/* The type of a column, after a check that the place is there. */
static enum db_type
type_at(const struct db_rows *rows, int row, int column)
{
	if (!rows->result || row < 0 || row >= rows->n || column < 0 ||
	    (size_t)column >= rows->statement->n_gives)
		panic("there is no row %d, column %d", row, column);
	return rows->statement->gives[column].type;
}

static struct str
value_at(const struct db_rows *rows, int row, int column, bool is_type)
{
	if (!is_type)
		panic("%s: %s is of another type", rows->statement->name,
		    rows->statement->gives[column].name);
	return (struct str){ PQgetvalue(rows->result, row, column),
	    (size_t)PQgetlength(rows->result, row, column) };
}

bool
db_is_null(const struct db_rows *rows, int row, int column)
{
	(void)type_at(rows, row, column);
	return PQgetisnull(rows->result, row, column);
}

struct str
db_str(const struct db_rows *rows, int row, int column)
{
	enum db_type t = type_at(rows, row, column);
	struct str s = value_at(rows, row, column,
	    t == DB_TEXT || t == DB_JSONB);

	/* jsonb in binary has the number of its version in front. */
	return t == DB_JSONB ? str_sub(s, 1, s.n) : s;
}

int64_t
db_int64(const struct db_rows *rows, int row, int column)
{
	enum db_type t = type_at(rows, row, column);

	return db_wire_int(value_at(rows, row, column,
	    t == DB_INT8 || t == DB_INT4 || t == DB_INT2));
}

bool
db_bool_at(const struct db_rows *rows, int row, int column)
{
	enum db_type t = type_at(rows, row, column);

	return db_wire_int(value_at(rows, row, column, t == DB_BOOL)) != 0;
}

struct str
db_bytes_at(const struct db_rows *rows, int row, int column)
{
	enum db_type t = type_at(rows, row, column);

	return value_at(rows, row, column, t == DB_BYTEA);
}

struct str_list
db_str_list(struct arena *a, const struct db_rows *rows, int row, int column)
{
	enum db_type t = type_at(rows, row, column);

	return db_wire_texts(a, value_at(rows, row, column,
	    t == DB_TEXT_ARRAY));
}
