/*
 * db: drives lib/io/db for test/io/31-db.t, one command to a line.
 * Arguments: conninfo and the five numbers of struct db_times.
 *
 *	run NAME [ARG ...]	db_run(); an ARG is i:5 b:1 t:text x:hex n
 *				T:a,b (texts) I:1,2 (numbers)
 *	each NAME[=ARG] ...	db_run_each()
 *	stream NAME ARG		db_stream(): rows, sum of column 0
 *	stop NAME ARG		the same, given up at the third row
 *	begin snapshot commit rollback
 *	stats			connects, queries, rows
 *
 * Answers with one line each: STATUS, "unknown" if so, [rows], err's text.
 * Its statements are its own: this file defines the catalogue, and so the
 * one in lib.a is not linked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/buf.h"
#include "io/db.h"

#define ITEMS(...)	(const struct sql_item[]){ __VA_ARGS__ }
#define NUMBER		{ "x", DB_INT8, false }

const struct sql_statement sql_catalogue[] = {
	[SQL_TRANSACTION_BEGIN] = { "begin", "BEGIN", DB_ROWS_NONE,
	    0, NULL, 0, NULL },
	[SQL_TRANSACTION_BEGIN_SNAPSHOT] = { "snapshot",
	    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", DB_ROWS_NONE,
	    0, NULL, 0, NULL },
	[SQL_TRANSACTION_COMMIT] = { "commit", "COMMIT", DB_ROWS_NONE,
	    0, NULL, 0, NULL },
	[SQL_TRANSACTION_ROLLBACK] = { "rollback", "ROLLBACK", DB_ROWS_NONE,
	    0, NULL, 0, NULL },

	[SQL_SERVER_LOOK] = { "look", "SELECT pg_is_in_recovery(), 1::int8",
	    DB_ROWS_ONE, 0, NULL, 2, ITEMS({ "is_standby", DB_BOOL, false },
	    NUMBER) },

	[SQL_COUNT] = { "one", "SELECT $1", DB_ROWS_ONE,
	    1, ITEMS(NUMBER), 1, ITEMS(NUMBER) },
	{ "maybe", "SELECT 1::int8 WHERE $1", DB_ROWS_MAYBE,
	    1, ITEMS({ "b", DB_BOOL, false }), 1, ITEMS(NUMBER) },
	{ "types", "SELECT $1, $2, $3, $4, $5, $6, $7, $8, "
	    "array_to_string($9, ';')", DB_ROWS_ONE,
	    9, ITEMS({ "a", DB_BOOL, true }, { "b", DB_BYTEA, true },
	    { "c", DB_INT2, true }, { "d", DB_INT4, true },
	    { "e", DB_INT8, true }, { "f", DB_JSONB, true },
	    { "g", DB_TEXT, true }, { "h", DB_TEXT_ARRAY, true },
	    { "i", DB_INT8_ARRAY, true }),
	    9, ITEMS({ "a", DB_BOOL, true }, { "b", DB_BYTEA, true },
	    { "c", DB_INT2, true }, { "d", DB_INT4, true },
	    { "e", DB_INT8, true }, { "f", DB_JSONB, true },
	    { "g", DB_TEXT, true }, { "h", DB_TEXT_ARRAY, true },
	    { "i", DB_TEXT, true }) },
	{ "sleep", "SELECT pg_sleep($1 / 1000.0)", DB_ROWS_ONE,
	    1, ITEMS(NUMBER), 1, ITEMS({ "v", DB_VOID, false }) },
	{ "add", "INSERT INTO t (x) VALUES ($1)", DB_ROWS_NONE,
	    1, ITEMS(NUMBER), 0, NULL },
	{ "clear", "DELETE FROM t", DB_ROWS_NONE, 0, NULL, 0, NULL },
	{ "count", "SELECT count(*) FROM t", DB_ROWS_ONE,
	    0, NULL, 1, ITEMS(NUMBER) },
	{ "lock", "SELECT pg_advisory_xact_lock($1)", DB_ROWS_ONE,
	    1, ITEMS(NUMBER), 1, ITEMS({ "v", DB_VOID, false }) },
	{ "try", "SELECT pg_try_advisory_xact_lock_shared($1)", DB_ROWS_ONE,
	    1, ITEMS(NUMBER), 1, ITEMS({ "b", DB_BOOL, false }) },
	{ "series", "SELECT n, repeat('x', 100) FROM generate_series(1, $1) n",
	    DB_ROWS_ANY, 1, ITEMS(NUMBER),
	    2, ITEMS(NUMBER, { "t", DB_TEXT, false }) },
	{ "slow", "SELECT n FROM generate_series(1, $1) n "
	    "WHERE n < 10 OR pg_sleep(1) IS NOT NULL", DB_ROWS_ANY,
	    1, ITEMS(NUMBER), 1, ITEMS(NUMBER) },
	{ "division", "SELECT 1 / (3 - n) FROM generate_series(1, $1) n",
	    DB_ROWS_ANY, 1, ITEMS(NUMBER), 1, ITEMS(NUMBER) },
	{ "pid", "SELECT pg_backend_pid()", DB_ROWS_ONE,
	    0, NULL, 1, ITEMS({ "x", DB_INT4, false }) },
	{ "setting", "SELECT current_setting($1)", DB_ROWS_ONE,
	    1, ITEMS({ "t", DB_TEXT, false }), 1,
	    ITEMS({ "t", DB_TEXT, false }) },
	{ "warn", "DO $$ BEGIN RAISE WARNING 'canceling wait'; END $$",
	    DB_ROWS_NONE, 0, NULL, 0, NULL },
	{ "notice", "DO $$ BEGIN RAISE NOTICE 'harmless'; END $$",
	    DB_ROWS_NONE, 0, NULL, 0, NULL },
	{ "missing", "SELECT x FROM no_such_table", DB_ROWS_ANY,
	    0, NULL, 1, ITEMS(NUMBER) },
	{ "child", "INSERT INTO child (x) VALUES ($1)", DB_ROWS_NONE,
	    1, ITEMS(NUMBER), 0, NULL },
};

const size_t sql_catalogue_size =
    sizeof(sql_catalogue) / sizeof(*sql_catalogue);

static enum sql
statement_named(struct str name)
{
	for (size_t i = 0; i < sql_catalogue_size; i++)
		if (sql_catalogue[i].name &&
		    str_eq(str_c(sql_catalogue[i].name), name))
			return (enum sql)i;
	fprintf(stderr, "no statement %.*s\n", STR_ARG(name));
	exit(1);
}

static int64_t
number(struct str text)
{
	int64_t n;

	if (str_int64(text, INT64_MIN, INT64_MAX, &n) == OK)
		return n;
	fprintf(stderr, "no number: %.*s\n", STR_ARG(text));
	exit(1);
}

static struct db_arg
from_hex(struct arena *a, struct str hex)
{
	unsigned char *bytes = arena_alloc(a, hex.n / 2);

	for (size_t i = 0; i < hex.n / 2; i++) {
		unsigned byte;

		sscanf(str_z(a, str_sub(hex, 2 * i, 2 * i + 2)), "%2x", &byte);
		bytes[i] = (unsigned char)byte;
	}
	return db_bytes(bytes, hex.n / 2);
}

static struct db_arg
from_list(struct arena *a, char kind, struct str text)
{
	struct str_list *list = arena_alloc(a, sizeof(*list));
	int64_t *numbers;
	struct str one;
	bool more = text.n > 0;

	while (more) {
		more = str_cut(text, ',', &one, &text);
		str_list_add(a, list, one);
	}
	if (kind == 'T')
		return db_text_array(list);
	numbers = arena_array(a, list->n, sizeof(*numbers));
	for (size_t i = 0; i < list->n; i++)
		numbers[i] = number(list->at[i]);
	return db_int_array(numbers, list->n);
}

static struct db_arg
read_arg(struct arena *a, struct str word)
{
	struct str text = str_sub(word, 2, word.n);

	switch (word.p[0]) {
	case 'i': return db_int(number(text));
	case 'b': return db_bool(number(text) != 0);
	case 't': return db_text(text);
	case 'x': return from_hex(a, text);
	case 'z': return db_text((struct str){ "a\0b", 3 });
	case 'n': return db_null();
	default:  return from_list(a, word.p[0], text);
	}
}

static void
put_value(struct arena *a, struct buf *out, const struct db_rows *rows, int r,
    int c)
{
	struct str_list list;

	if (db_is_null(rows, r, c)) {
		buf_put(out, STR("null"));
		return;
	}
	switch (rows->statement->gives[c].type) {
	case DB_BOOL:
		buf_put(out, db_bool_at(rows, r, c) ? STR("t") : STR("f"));
		break;
	case DB_BYTEA:
		buf_hex(out, db_bytes_at(rows, r, c).p,
		    db_bytes_at(rows, r, c).n);
		break;
	case DB_INT2:
	case DB_INT4:
	case DB_INT8:
		buf_int(out, db_int64(rows, r, c));
		break;
	case DB_TEXT_ARRAY:
		list = db_str_list(a, rows, r, c);
		for (size_t i = 0; i < list.n; i++) {
			buf_put(out, list.at[i]);
			buf_byte(out, ';');
		}
		break;
	case DB_TEXT:
	case DB_JSONB:
		buf_put(out, db_str(rows, r, c));
		break;
	case DB_INT8_ARRAY:
	case DB_VOID:
		break;
	}
}

static void
put_rows(struct arena *a, struct buf *out, const struct db_rows *rows)
{
	buf_byte(out, '[');
	if (!rows->result)
		buf_int(out, rows->n);
	for (int r = 0; rows->result && r < rows->n; r++) {
		if (r > 0)
			buf_byte(out, '/');
		for (int c = 0; c < (int)rows->statement->n_gives; c++) {
			if (c > 0)
				buf_byte(out, ',');
			put_value(a, out, rows, r, c);
		}
	}
	buf_byte(out, ']');
}

struct sum {
	int64_t rows, sum, stop_at;
};

static enum status
add_up(void *arg, const struct db_rows *row)
{
	struct sum *sum = arg;

	sum->rows++;
	sum->sum += db_int64(row, 0, 0);
	return sum->rows == sum->stop_at ? GONE : OK;
}

static enum status
do_stream(struct db *db, struct arena *a, struct str rest, int64_t stop_at,
    struct buf *out, struct err *err)
{
	struct sum sum = { 0, 0, stop_at };
	struct rusage usage;
	struct str name;
	struct db_arg arg;
	enum status st;

	str_cut(rest, ' ', &name, &rest);
	arg = read_arg(a, rest);
	st = db_stream(db, a, statement_named(name), &arg, 1, add_up, &sum,
	    err);
	getrusage(RUSAGE_SELF, &usage);
	buf_put(out, str_fmt(a, "[%lld,%lld] kb=%ld", (long long)sum.rows,
	    (long long)sum.sum, usage.ru_maxrss));
	return st;
}

static enum status
do_run(struct db *db, struct arena *a, struct str rest, struct buf *out,
    struct err *err)
{
	struct db_arg args[16];
	size_t n = 0;
	struct db_rows rows = { 0 };
	struct str name, word;
	enum status st;
	bool more = str_cut(rest, ' ', &name, &rest);

	while (more) {
		more = str_cut(rest, ' ', &word, &rest);
		args[n++] = read_arg(a, word);
	}
	st = db_run(db, a, statement_named(name), args, n, &rows, err);
	put_rows(a, out, &rows);
	return st;
}

static enum status
do_each(struct db *db, struct arena *a, struct str rest, struct buf *out,
    struct err *err)
{
	struct db_call calls[64] = { 0 };
	struct db_arg args[64];
	struct str word, arg;
	enum status st;
	bool more = true;
	size_t n = 0;

	for (; more; n++) {
		more = str_cut(rest, ' ', &word, &rest);
		calls[n].n_args = str_cut(word, '=', &word, &arg);
		calls[n].args = &args[n];
		calls[n].sql = statement_named(word);
		if (calls[n].n_args)
			args[n] = read_arg(a, arg);
	}
	st = db_run_each(db, a, calls, n, err);
	for (size_t i = 0; i < n; i++) {
		buf_put(out, str_c(status_name(calls[i].st)));
		if (calls[i].unknown)
			buf_put(out, STR("?"));
		put_rows(a, out, &calls[i].rows);
		buf_byte(out, ' ');
	}
	return st;
}

static enum status
command(struct db *db, struct arena *a, struct str line, struct buf *out,
    struct err *err)
{
	struct str verb, rest;
	struct db_stats stats;
	bool unknown = false;
	enum status st = OK;

	str_cut(line, ' ', &verb, &rest);
	if (str_eq(verb, STR("run")))
		return do_run(db, a, rest, out, err);
	if (str_eq(verb, STR("each")))
		return do_each(db, a, rest, out, err);
	if (str_eq(verb, STR("stream")))
		return do_stream(db, a, rest, 0, out, err);
	if (str_eq(verb, STR("stop")))
		return do_stream(db, a, rest, 3, out, err);
	if (str_eq(verb, STR("begin")))
		return db_begin(db, err);
	if (str_eq(verb, STR("snapshot")))
		return db_begin_snapshot(db, err);
	if (str_eq(verb, STR("rollback"))) {
		db_rollback(db);
	} else if (str_eq(verb, STR("commit"))) {
		st = db_commit(db, &unknown, err);
		buf_put(out, unknown ? STR("unknown ") : STR(""));
	} else {
		stats = db_stats(db);
		buf_put(out, str_fmt(a, "[%lld,%lld,%lld] %d",
		    (long long)stats.connects, (long long)stats.queries,
		    (long long)stats.rows, db_is_connected(db)));
	}
	return st;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct db_times times;
	struct db *db;
	char line[65536];

	if (argc != 7)
		return 1;
	times.connect_ms = (int)number(str_c(argv[2]));
	times.lock_ms = (int)number(str_c(argv[3]));
	times.statement_ms = (int)number(str_c(argv[4]));
	times.idle_ms = (int)number(str_c(argv[5]));
	times.commit_ms = (int)number(str_c(argv[6]));
	db = db_new((const char *const[]){ argv[1], NULL }, DB_OWNER,
	    "db-test", &times);
	while (fgets(line, sizeof(line), stdin)) {
		struct buf out = buf_new(a);
		struct err err = { "", OK };
		enum status st;

		line[strcspn(line, "\n")] = '\0';
		st = command(db, a, str_c(line), &out, &err);
		printf("%s ", status_name(st));
		fwrite(buf_view(&out).p, 1, out.len, stdout);
		printf(" %s\n", err.text);
		fflush(stdout);
		arena_reset(a);
	}
	arena_free(a);
	db_free(db);
	return 0;
}
