/*
 * json: writes one JSON document into a buf, compact (RFC 8259).
 *
 *	struct json j = json_new(&rs->body);
 *	json_object(&j);
 *	json_key(&j, STR("name"));
 *	json_str(&j, project.name);
 *	json_end(&j);
 *
 * Commas, colons and brackets are its business.  Keys come out in the order
 * they are written.  Wrong nesting is a bug of ours: panic().
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct buf;

#define JSON_DEPTH	16	/* levels; our deepest document has 6 */

struct json {
	struct buf *out;
	unsigned depth;			/* 0: outside of any bracket */
	bool after_key;			/* the next value belongs to a key */
	bool used[JSON_DEPTH + 1];	/* has this level an element? */
	char close[JSON_DEPTH + 1];	/* how this level ends: '}' or ']' */
};

struct json json_new(struct buf *out);

void json_object(struct json *j);	/* begin one; json_end() ends it */
void json_array(struct json *j);	/* begin one; json_end() ends it */
void json_end(struct json *j);
void json_key(struct json *j, struct str key);

/*
 * A string.  Escapes what RFC 8259 section 7 asks for, and < > & as well, so
 * that the text is harmless inside HTML; bytes that are not UTF-8 come out as
 * U+FFFD.
 */
void json_str(struct json *j, struct str value);

void json_int(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);

/* json_str(), or null for an empty value. */
void json_str_or_null(struct json *j, struct str value);

/* A whole value that is JSON already: what json_new() wrote elsewhere. */
void json_raw(struct json *j, struct str value);

#endif
