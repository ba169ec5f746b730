/*
 * catalogue: compare every statement of the catalogue with what a server of
 * the newest schema makes of it.  Argument: conninfo.  Prints TAP.
 */
#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#include "io/db.h"
#include "io/db_wire.h"

static PGconn *conn;

/* Is a column of a table that may be NULL declared so? */
static int
may_be_null(const PGresult *about, int column)
{
	char query[200];
	PGresult *found;
	int may;

	if (PQftablecol(about, column) == 0)
		return 0;	/* an expression: the server cannot say */
	snprintf(query, sizeof(query), "SELECT FROM pg_attribute WHERE "
	    "attrelid = %u AND attnum = %d AND NOT attnotnull",
	    PQftable(about, column), PQftablecol(about, column));
	found = PQexec(conn, query);
	may = PQntuples(found) == 1;
	PQclear(found);
	return may;
}

/* Does the statement itself leave out the rows where it is NULL? */
static int
is_filtered(const struct sql_statement *s, const char *column)
{
	char words[100];

	snprintf(words, sizeof(words), "%s IS NOT NULL", column);
	return strstr(s->text, words) != NULL;
}

static int
is_right(const struct sql_statement *s, const PGresult *about)
{
	int wrong = 0;

	if ((size_t)PQnparams(about) != s->n_takes)
		wrong += printf("# takes %zu, not %d\n", s->n_takes,
		    PQnparams(about));
	if ((size_t)PQnfields(about) != s->n_gives) {
		printf("# gives %zu, not %d\n", s->n_gives,
		    PQnfields(about));
		return 0;
	}
	for (size_t i = 0; i < s->n_gives; i++) {
		const struct sql_item *item = &s->gives[i];
		int c = (int)i;

		if (strcmp(PQfname(about, c), item->name) != 0)
			wrong += printf("# column %d is %s, not %s\n", c,
			    PQfname(about, c), item->name);
		if (PQftype(about, c) != db_wire_oid(item->type))
			wrong += printf("# %s is of type %u, not %u\n",
			    item->name, PQftype(about, c),
			    db_wire_oid(item->type));
		if (!item->is_nullable && may_be_null(about, c) &&
		    !is_filtered(s, item->name))
			wrong += printf("# %s may be null\n", item->name);
	}
	return !wrong;
}

static int
check(const struct sql_statement *s)
{
	Oid types[64] = { 0 };
	PGresult *made, *about;
	int right;

	for (size_t i = 0; i < s->n_takes && i < 64; i++)
		types[i] = db_wire_oid(s->takes[i].type);
	made = PQprepare(conn, s->name, s->text, (int)s->n_takes, types);
	about = PQdescribePrepared(conn, s->name);
	right = PQresultStatus(made) == PGRES_COMMAND_OK &&
	    is_right(s, about);
	if (PQresultStatus(made) != PGRES_COMMAND_OK)
		printf("# %s\n", PQresultErrorField(made,
		    PG_DIAG_MESSAGE_PRIMARY));
	PQclear(about);
	PQclear(made);
	return right;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	conn = PQconnectdb(argc > 1 ? argv[1] : "");
	if (PQstatus(conn) != CONNECTION_OK) {
		fprintf(stderr, "%s", PQerrorMessage(conn));
		return 1;
	}
	printf("1..%zu\n", sql_catalogue_size);
	for (size_t i = 0; i < sql_catalogue_size; i++) {
		int right = check(&sql_catalogue[i]);

		failed += !right;
		printf("%sok %zu - %s\n", right ? "" : "not ", i + 1,
		    sql_catalogue[i].name);
	}
	PQfinish(conn);
	return failed != 0;
}
