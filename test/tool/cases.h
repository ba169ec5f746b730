/*
 * cases: the loop of a tool that answers an oracle test.
 *
 * A case is one line of fields in hexadecimal with one space between, so
 * that they may hold any byte; "-" is an empty field.  The answer is one
 * line, written by the tool.  test/prop/oracle.py is the other end.
 */
#ifndef TEST_TOOL_CASES_H
#define TEST_TOOL_CASES_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/panic.h"
#include "base/str.h"

#define CASE_FIELDS		4
#define CASE_ARENA_BYTES	((size_t)64 << 20)

static inline int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	panic("no hexadecimal digit: %d", c);
}

static inline struct str
from_hex(struct arena *a, struct str hex)
{
	char *bytes;

	if (str_eq(hex, STR("-")))
		return STR("");
	bytes = arena_alloc(a, hex.n / 2);
	for (size_t i = 0; i + 1 < hex.n; i += 2)
		bytes[i / 2] = (char)(hex_value(hex.p[i]) << 4 |
		    hex_value(hex.p[i + 1]));
	return (struct str){ bytes, hex.n / 2 };
}

/* Call answer() for each line of standard input, with a fresh arena. */
static inline int
answer_cases(void (*answer)(struct arena *a, const struct str *fields,
    size_t count))
{
	struct arena *a = arena_new(CASE_ARENA_BYTES);
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		struct str fields[CASE_FIELDS], hex;
		struct str rest = str_trim((struct str){ line, (size_t)n });
		size_t count = 0;
		bool more;

		do {
			more = str_cut(rest, ' ', &hex, &rest);
			if (count == CASE_FIELDS)
				panic("more than %d fields", CASE_FIELDS);
			fields[count++] = from_hex(a, hex);
		} while (more);
		answer(a, fields, count);
		putchar('\n');
		arena_reset(a);
	}
	free(line);
	arena_free(a);
	return fflush(stdout) != 0;
}

static inline void
put_str(struct str s)
{
	fwrite(s.p ? s.p : "", 1, s.n, stdout);
}

#endif
