/*
 * xmlrpc: reads calls and writes answers (xmlrpc.com/spec, and <nil/>, <i8>).
 *
 * Reading, within bounds: no DTD and so no entities but XML's own five, no
 * element where the specification has none.
 *
 *	st = xmlrpc_parse(arena, body, &call, &err);
 *	if (st != OK)
 *		xmlrpc_fault(&rs->body, -32700, STR("parse error"));
 *
 * Writing keeps no state, so that a long answer can be sent and its buffer
 * emptied between any two calls:
 *
 *	xmlrpc_begin_response(b);
 *	xmlrpc_array(b);
 *	xmlrpc_str(b, name);
 *	xmlrpc_int(b, serial);
 *	xmlrpc_array_end(b);
 *	xmlrpc_end_response(b);
 *
 * A fault is sent with HTTP 200 as any other answer: Python's client takes
 * every other number for a broken transport.
 */
#ifndef HTTP_XMLRPC_H
#define HTTP_XMLRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;

#define XMLRPC_BODY_MAX		((size_t)1 << 20)	/* bytes */
#define XMLRPC_DEPTH_MAX	16	/* values within values */
#define XMLRPC_VALUES_MAX	20000	/* values in one call */

enum xmlrpc_type {
	XMLRPC_NIL,
	XMLRPC_INT,		/* int, i4, i8 */
	XMLRPC_BOOL,
	XMLRPC_STRING,
	XMLRPC_DOUBLE,
	XMLRPC_DATETIME,
	XMLRPC_BASE64,
	XMLRPC_ARRAY,
	XMLRPC_STRUCT,
};

struct xmlrpc_value {
	enum xmlrpc_type type;
	struct str name;	/* of a struct's member; else empty */
	int64_t integer;	/* INT; BOOL as 0 or 1 */
	double number;		/* DOUBLE; always finite */
	struct str text;	/* STRING in UTF-8; BASE64 decoded; DATETIME
				 * as "20261121T12:00:05" */
	struct xmlrpc_value *items;	/* of ARRAY and STRUCT */
	size_t n;
};

struct xmlrpc_call {
	struct str method;
	struct xmlrpc_value *params;
	size_t n;
};

/*
 * Read a methodCall.  INVALID when it is none, with err naming the line;
 * TOO_LARGE over one of the limits above.  All of it lies in the arena.
 * A value without a type is a string; numbers may have white space around
 * them; int takes what fits into 64 bits.  A member name given twice is kept
 * twice.
 */
MUST_USE enum status xmlrpc_parse(struct arena *arena, struct str body,
    struct xmlrpc_call *out, struct err *err);

/* A struct's member by name, the last of that name, or NULL. */
const struct xmlrpc_value *xmlrpc_find(const struct xmlrpc_value *of,
    struct str name);

/* The answer's frame; one value goes between the two. */
void xmlrpc_begin_response(struct buf *b);
void xmlrpc_end_response(struct buf *b);

/*
 * One value.  Numbers that <int> cannot hold go out as <i8>, which Python's
 * client reads as well.  Text loses what XML cannot carry, see buf_xml().
 */
void xmlrpc_int(struct buf *b, int64_t value);
void xmlrpc_bool(struct buf *b, bool value);
void xmlrpc_str(struct buf *b, struct str value);
void xmlrpc_datetime(struct buf *b, int64_t wall_us);
void xmlrpc_nil(struct buf *b);

/* Values between these two are its elements. */
void xmlrpc_array(struct buf *b);
void xmlrpc_array_end(struct buf *b);

/* Members between these two; one value in each member. */
void xmlrpc_struct(struct buf *b);
void xmlrpc_member(struct buf *b, struct str name);
void xmlrpc_member_end(struct buf *b);
void xmlrpc_struct_end(struct buf *b);

/* A whole answer that is a fault. */
void xmlrpc_fault(struct buf *b, int code, struct str text);

#endif
