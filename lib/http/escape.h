/* escape: percent-encoding, undone (RFC 3986 section 2.1). */
#ifndef HTTP_ESCAPE_H
#define HTTP_ESCAPE_H

#include <stdbool.h>

#include "base/str.h"

struct arena;

/*
 * Decode %XX once; with plus_is_space, a '+' as well.  A '%' without two hex
 * digits behind it stays as it is.  The result is in the arena, or s itself
 * when there is nothing to decode; it may hold any byte.
 */
struct str escape_undo(struct arena *a, struct str s, bool plus_is_space);

/* The same into memory of s.n bytes; the answer is how many it took. */
size_t escape_undo_into(char *into, struct str s, bool plus_is_space);

/* Does every '%' begin an escape? */
bool escape_is_valid(struct str s);

#endif
