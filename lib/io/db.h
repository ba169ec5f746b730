/*
 * db: one connection to PostgreSQL, and the statements of sql/query/.
 *
 *	struct db_rows rows;
 *
 *	st = db_run(db, a, SQL_PAGE_FILES, DB_ARGS(db_text(name)), &rows, err);
 *	if (st != OK)
 *		return st;
 *	for (int i = 0; i < rows.n; i++)
 *		page_row(db_str(&rows, i, PAGE_FILES_FILENAME),
 *		    db_int64(&rows, i, PAGE_FILES_SIZE));
 *
 * There is no way to run text that is not in the catalogue.  A statement is
 * prepared on its first use over a connection, in the same round trip.
 *
 * The connection is made by the first statement that needs it, and again by
 * the next one after it was lost: to that one of its candidates which has the
 * role asked for at that moment (rules F3 and F4; io/db_connect).  An attempt
 * that fails costs at most connect_ms, twice that after the primary's start.
 * With in_background it does so once: while a server is silent each call only
 * looks whether a connection has come about meanwhile, and is UNAVAILABLE at
 * once if not, so that it costs those who can do without it next to nothing
 * more (30 ms of each second, for whoever begins a new attempt).
 *
 * A server that does not answer is asked over other connections whether it is
 * still there, after 0.7 s and again after pauses that double.  If it is not,
 * or not what it was, the connection is lost; else it is waited for, for as
 * long as the times below allow.
 *
 * How the server's answers become a status (err has the words):
 *	CONFLICT	unique or exclusion constraint; a row that another
 *			refers to, or that is gone (foreign key)
 *	INVALID		text that is not UTF-8 or holds a NUL, a value that a
 *			check, a NOT NULL or a type's range refuses.  Our own
 *			checks come before this one, which is the last line:
 *			no input may end the process, so it is no panic()
 *	UNAVAILABLE	everything else: time-outs (lock, statement), deadlock,
 *			connection lost, server stopping or read-only, out of
 *			memory or disk, schema older than this program
 *
 * The session is in UTC and UTF-8, READ COMMITTED, with the time-outs below.
 * Time stamps travel as int8, microseconds since 1970.
 *
 * Ownership: struct db is long-lived and for one process; rows belong to the
 * arena they were fetched into.
 */
#ifndef IO_DB_H
#define IO_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sql.h"	/* enum sql, made from sql/query/ */

struct arena;
struct db;

/* The types that statements take and give. */
enum db_type {
	DB_BOOL,
	DB_BYTEA,
	DB_INT2,
	DB_INT4,
	DB_INT8,
	DB_JSONB,
	DB_TEXT,
	DB_INT8_ARRAY,
	DB_TEXT_ARRAY,
	DB_VOID,	/* what a function gives that gives nothing */
};

/* How many rows a statement promises. */
enum db_promise {
	DB_ROWS_ANY,
	DB_ROWS_ONE,	/* another number is a bug of ours: panic() */
	DB_ROWS_MAYBE,	/* none is NOT_FOUND; two or more, panic() */
	DB_ROWS_NONE,	/* it gives nothing at all */
};

/* One parameter or one column. */
struct sql_item {
	const char *name;
	enum db_type type;
	bool is_nullable;
};

/* One file of sql/query/. */
struct sql_statement {
	const char *name;	/* "file/list" */
	const char *text;	/* without the comment at its top */
	enum db_promise rows;
	size_t n_takes;
	const struct sql_item *takes;
	size_t n_gives;
	const struct sql_item *gives;
};

/* The catalogue, by enum sql; made by sql/sqlc.awk. */
extern const struct sql_statement sql_catalogue[];
extern const size_t sql_catalogue_size;

/* What a connection is to. */
enum db_role {
	DB_PRIMARY,	/* the primary that writers were let in on, once the
			 * replica has confirmed what it held at its start */
	DB_STANDBY,	/* a replica, preferably the first candidate; one that
			 * is promoted meanwhile is UNAVAILABLE */
	DB_OWNER,	/* any server that is no replica, whatever its schema:
			 * for `tilsit migrate` and what precedes service */
	DB_ANY,		/* whatever it is: for `tilsit failover` */
};

/* Milliseconds; 0 stands for the value in brackets. */
struct db_times {
	int connect_ms;		/* to get a connection (1000) */
	int silent_ms;		/* for the server's machine to take what was
				 * sent to it, over TCP (2000); a machine that
				 * is gone is noticed a second or two later
				 * while nothing is sent */
	int lock_ms;		/* to get a lock: lock_timeout (5000) */
	int statement_ms;	/* statement_timeout (10000) */
	int idle_ms;		/* idle_in_transaction_session_timeout, after
				 * which a frozen process loses its locks
				 * (10000) */
	int commit_ms;		/* for a commit to be confirmed, also by the
				 * replica (30000); then it is unknown */
	bool in_background;	/* wait once only, as above (no) */
};

struct db_stats {
	int64_t connects;	/* connections made */
	int64_t queries;	/* statements sent */
	int64_t rows;		/* rows received */
	int64_t us;		/* microseconds spent, connecting included */
	int64_t waits;		/* how often a call has waited in vain: for a
				 * connection, or for whoever fell silent */
	int64_t doubts;		/* how often a silent server was asked for */
};

/*
 * A connection to be: nothing is contacted yet.  conninfos are the candidates,
 * each as libpq has it ("host=/run/postgresql dbname=tilsit"), DB_CANDIDATES
 * at most, and NULL after the last; a host given by name is looked up without
 * a limit in time, so give a socket folder or an address.  application shows in pg_stat_activity.
 * times may be NULL.  Copies all of it.  End it with db_free().
 */
#define DB_CANDIDATES	4
struct db *db_new(const char *const *conninfos, enum db_role role,
    const char *application, const struct db_times *times);
void db_free(struct db *db);

/* Have a connection now: UNAVAILABLE, and err says why there is none. */
MUST_USE enum status db_reach(struct db *db, struct err *err);

/* Is there a connection now?  (It may be lost without anybody knowing.) */
bool db_is_connected(const struct db *db);

/* Sums since db_new(). */
struct db_stats db_stats(const struct db *db);

/* ---- arguments ------------------------------------------------------- */

enum db_arg_kind {
	DB_ARG_NULL,
	DB_ARG_BOOL,
	DB_ARG_BYTES,
	DB_ARG_INT,
	DB_ARG_TEXT,
	DB_ARG_INT_ARRAY,
	DB_ARG_TEXT_ARRAY,
};

/* One argument; made by a function below, which copies no bytes. */
struct db_arg {
	enum db_arg_kind kind;
	int64_t number;			/* INT, BOOL */
	struct str bytes;		/* BYTES, TEXT */
	const int64_t *numbers;		/* INT_ARRAY */
	size_t n_numbers;
	const struct str_list *texts;	/* TEXT_ARRAY */
};

struct db_arg db_null(void);
struct db_arg db_bool(bool value);
struct db_arg db_int(int64_t value);		/* int2, int4, int8 */
struct db_arg db_text(struct str value);	/* text, jsonb */
struct db_arg db_text_or_null(struct str value);	/* empty is NULL */
struct db_arg db_bytes(const void *bytes, size_t n);	/* bytea */
struct db_arg db_int_array(const int64_t *numbers, size_t n);
struct db_arg db_text_array(const struct str_list *texts);

/* Arguments for a call: an array and its length. */
#define DB_ARGS(...)							\
	(const struct db_arg[]){ __VA_ARGS__ },				\
	sizeof((const struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg)
#define DB_NO_ARGS	NULL, 0

/* ---- running --------------------------------------------------------- */

/* What a statement gave. */
struct db_rows {
	const struct sql_statement *statement;
	void *result;	/* NULL when there is nothing to read */
	int n;		/* rows; of a statement that gives nothing: how many
			 * it changed */
};

/*
 * Run one statement.  Outside of a transaction it is one of its own.
 *
 * NOT_FOUND when it promises `maybe` and finds none; else as above.  The
 * number and kinds of the arguments must be those that the statement takes,
 * or it is a panic(); NULL for what is not nullable is INVALID.  rows may be
 * NULL when nobody will read them; a may then be NULL if there are no args.
 */
MUST_USE enum status db_run(struct db *db, struct arena *a, enum sql sql,
    const struct db_arg *args, size_t n_args, struct db_rows *rows,
    struct err *err);

/* One statement of several. */
struct db_call {
	enum sql sql;
	const struct db_arg *args;
	size_t n_args;
	/* set by db_run_each(): */
	struct db_rows rows;
	enum status st;		/* as db_run() would have answered */
	bool unknown;		/* sent, but the answer was lost: it may have
				 * been done, and may yet be */
};

/*
 * Run statements in order, in one round trip.  Each is a transaction of its
 * own and sees what was committed before it began, unless SQL_TRANSACTION_
 * BEGIN stands before it: a pipeline may begin, hold and end transactions.
 *
 * OK when every call was answered with OK or NOT_FOUND; else the status of
 * the first that was not, which err explains.  A failed statement does not
 * keep the next ones from running, unless in a transaction, where they all
 * fail, its commit too.
 */
MUST_USE enum status db_run_each(struct db *db, struct arena *a,
    struct db_call *calls, size_t n, struct err *err);

/*
 * Run a statement that may give more than fits in memory.  each() gets its
 * rows one at a time, as a struct db_rows of one row that is gone when it
 * returns; if it returns anything but OK, the rest is given up together with
 * the connection, and that is the answer.  statement_ms is for all of it.
 */
MUST_USE enum status db_stream(struct db *db, struct arena *a, enum sql sql,
    const struct db_arg *args, size_t n_args,
    enum status (*each)(void *arg, const struct db_rows *row), void *arg,
    struct err *err);

/*
 * Run statements that are not in the catalogue: a migration, within the
 * caller's transaction or, without one, in one of its own.  Nothing else may
 * use this; text is never made of anything that came from outside.
 */
MUST_USE enum status db_run_script(struct db *db, const char *text,
    struct err *err);

/* ---- transactions ---------------------------------------------------- */

/*
 * Begin a transaction; db_begin_snapshot() one that only reads, and whose
 * statements all see the same moment.  There must be none (else panic()).
 *
 * When the connection is lost, whatever is asked until db_commit() or
 * db_rollback() is UNAVAILABLE: nothing can slip out of a transaction.
 */
MUST_USE enum status db_begin(struct db *db, struct err *err);
MUST_USE enum status db_begin_snapshot(struct db *db, struct err *err);

/*
 * Commit.  If it is not OK, *unknown tells two cases apart: false, nothing
 * has changed; true, nobody knows.  It is unknown when the connection was
 * lost, or commit_ms went by, after the COMMIT was sent; and when the server
 * stopped waiting for the replica, which would lose the change in a failover
 * (F1).  The caller looks the change up by its own key, and never guesses.
 */
MUST_USE enum status db_commit(struct db *db, bool *unknown, struct err *err);

/*
 * End a transaction without a trace; without one, do nothing.  Cannot fail:
 * if the server does not answer, the connection goes, and with it all.
 */
void db_rollback(struct db *db);

/* Between db_begin() and the end, even if its connection is lost? */
bool db_in_transaction(const struct db *db);

/* ---- reading rows ---------------------------------------------------- */

/*
 * The value at a row, 0 to n - 1, and a column, PAGE_FILES_SIZE and its kin.
 * NULL reads as empty, 0 or false; db_is_null() knows.  A row, column or type
 * that is not there is a panic().  Views live as long as the rows.
 */
struct str db_str(const struct db_rows *rows, int row, int column);
int64_t db_int64(const struct db_rows *rows, int row, int column);
bool db_bool_at(const struct db_rows *rows, int row, int column);
bool db_is_null(const struct db_rows *rows, int row, int column);
struct str db_bytes_at(const struct db_rows *rows, int row, int column);

/* A text[]; its strings are views too, a NULL in it is empty. */
struct str_list db_str_list(struct arena *a, const struct db_rows *rows,
    int row, int column);

#endif
