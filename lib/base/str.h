/*
 * str: a view of bytes, pointer and length.
 *
 * Text from outside is a `struct str`; it may hold any byte and is not
 * NUL-terminated.  A view owns nothing: whoever made the bytes (mostly an
 * arena) says how long they live.  Copying a view copies no bytes.
 *
 * ASCII only: case and space never ask the locale.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct arena;

struct str {
	const char *p;	/* may be NULL while n is 0 */
	size_t n;	/* bytes */
};

/* A view of a string literal, also as a constant initialiser (STR_INIT). */
#define STR(literal)		((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal)	{ "" literal, sizeof(literal) - 1 }

/* printf("%.*s", STR_ARG(s)); for err_set() and log texts. */
#define STR_ARG(s)		(int)((s).n > 4096 ? 4096 : (s).n), (s).p ? (s).p : ""

/* View a NUL-terminated string, less the NUL.  NULL gives the empty view. */
struct str str_c(const char *z);

/* The bytes from..to (to not included), cut to what there is. */
struct str str_sub(struct str s, size_t from, size_t to);

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b);

/* Byte order, shorter first when one begins the other: <0, 0, >0. */
int str_cmp(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Position of the first byte c at or after from, or s.n. */
size_t str_find(struct str s, char c, size_t from);

/* Position of the last byte c, or s.n. */
size_t str_rfind(struct str s, char c);

/* Position of the first needle at or after from, or s.n.  Not empty. */
size_t str_find_str(struct str s, struct str needle, size_t from);

/* Without ASCII white space (space, \t \n \v \f \r) at both ends. */
struct str str_trim(struct str s);

/*
 * Split at the first sep: *head is what stands before it, *rest what stands
 * behind.  Without one, *head is all of s, *rest is empty, and the answer is
 * false.  rest or head may point to s's own variable.
 */
bool str_cut(struct str s, char sep, struct str *head, struct str *rest);

/* A copy in the arena; followed by a NUL that .n does not count. */
struct str str_dup(struct arena *a, struct str s);

/* A NUL-terminated copy.  Bytes behind a NUL within s are lost to its user. */
char *str_z(struct arena *a, struct str s);

/* A lower-case copy (ASCII). */
struct str str_lower(struct arena *a, struct str s);

/* Formatted text in the arena, for our own words; never SQL, HTML, JSON. */
struct str str_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

/*
 * Read a whole decimal number: digits, with one '-' before them if min is
 * below 0.  INVALID when it is anything else or not within min..max.
 */
MUST_USE enum status str_int64(struct str s, int64_t min, int64_t max,
    int64_t *out);

/* A growing list of views, in an arena. */
struct str_list {
	struct str *at;		/* NULL while n is 0 */
	size_t n;
	size_t cap;
};

void str_list_add(struct arena *a, struct str_list *list, struct str s);
bool str_list_has(const struct str_list *list, struct str s);

/* Sort by str_cmp(). */
void str_list_sort(struct str_list *list);

/* ASCII character classes that do not ask the locale. */
static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_alnum(char c)
{
	return is_digit(c) || is_alpha(c);
}

static inline bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

#endif
