/*
 * db_wire: values as PostgreSQL sends and receives them in binary.
 *
 * Binary both ways: bytea travels without being doubled in size, text may be
 * any length without a NUL at its end, and nothing is escaped, so that nothing
 * can be escaped wrongly.  Each type's form is that of its send and receive
 * functions in the server's source (backend/utils/adt), unchanged since 8.0.
 *
 * Part of io/db; no other module needs it.
 */
#ifndef IO_DB_WIRE_H
#define IO_DB_WIRE_H

#include "io/db.h"

#define DB_WIRE_ARG_MAX	((size_t)256 << 20)	/* bytes of one argument */

/* Arguments in the arrays that libpq wants, one element to a parameter. */
struct db_wire {
	const char **values;	/* NULL where the argument is NULL */
	int *lengths;
	int *formats;		/* all 1: binary */
};

/* The server's number for a type (pg_type.oid; fixed for built-in types). */
unsigned db_wire_oid(enum db_type type);

/*
 * Encode what a statement takes.  INVALID for NULL where it takes none and
 * for a number out of the type's range, TOO_LARGE over DB_WIRE_ARG_MAX.
 * panic() when number or kinds of the arguments are not the statement's.
 * The arena owns what was encoded; text and bytes stay where they are.
 */
MUST_USE enum status db_wire_args(struct arena *a,
    const struct sql_statement *s, const struct db_arg *args, size_t n,
    struct db_wire *wire, struct err *err);

/* Read a big-endian integer of 1 to 8 bytes. */
int64_t db_wire_int(struct str bytes);

/* Read a text[] of one dimension.  What is no such thing gives fewer. */
struct str_list db_wire_texts(struct arena *a, struct str bytes);

#endif
