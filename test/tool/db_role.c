/*
 * db_role: drives lib/io/db's search for a server of a role, for
 * test/io/32-db-role.t.  Arguments: the role (primary, standby, owner),
 * connect_ms, "background" or "waits", and the candidates' connection strings.
 * One command to a line:
 *
 *	reach			db_reach()
 *	newest			the newest serial, SQL_SERIAL_NEWEST
 *	snapshot rollback
 *	stats			connections made; is there one now?
 *	waits			calls that waited in vain; doubts
 *
 * Answers with one line each: STATUS, [what it gave], err's text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "io/db.h"

static enum db_role
role_named(const char *name)
{
	if (strcmp(name, "standby") == 0)
		return DB_STANDBY;
	return strcmp(name, "owner") == 0 ? DB_OWNER : DB_PRIMARY;
}

static enum status
command(struct db *db, struct arena *a, const char *line, struct err *err)
{
	struct db_rows rows;
	enum status st;

	if (strcmp(line, "reach") == 0)
		return db_reach(db, err);
	if (strcmp(line, "snapshot") == 0)
		return db_begin_snapshot(db, err);
	if (strcmp(line, "rollback") == 0) {
		db_rollback(db);
		return OK;
	}
	if (strcmp(line, "stats") == 0) {
		struct db_stats stats = db_stats(db);

		return err_set(err, OK, "[%lld %d]",
		    (long long)stats.connects, db_is_connected(db));
	}
	if (strcmp(line, "waits") == 0) {
		struct db_stats stats = db_stats(db);

		return err_set(err, OK, "[%lld %lld]",
		    (long long)stats.waits, (long long)stats.doubts);
	}
	st = db_run(db, a, SQL_SERIAL_NEWEST, DB_NO_ARGS, &rows, err);
	if (st == OK)
		err_set(err, OK, "[%lld]",
		    (long long)db_int64(&rows, 0, SERIAL_NEWEST_SERIAL));
	return st;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new((size_t)1 << 20);
	struct db_times times = { 0 };
	char line[100];
	struct db *db;

	if (argc < 5)
		return 1;
	times.connect_ms = (int)strtol(argv[2], NULL, 10);
	times.in_background = strcmp(argv[3], "background") == 0;
	db = db_new((const char *const *)&argv[4], role_named(argv[1]),
	    "db-role", &times);
	while (fgets(line, sizeof(line), stdin)) {
		struct err err = { .text = "" };
		enum status st;

		line[strcspn(line, "\n")] = '\0';
		st = command(db, a, line, &err);
		printf("%s %s\n", status_name(st), err.text);
		fflush(stdout);
		arena_reset(a);
	}
	arena_free(a);
	db_free(db);
	return 0;
}
