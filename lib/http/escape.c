#include "http/escape.h"

#include "base/arena.h"

/* The value of a hex digit, or -1. */
static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at s.p[at] stands for, or -1. */
static int
escaped_byte(struct str s, size_t at)
{
	int high, low;

	if (s.p[at] != '%' || s.n - at < 3)
		return -1;
	high = hex_value(s.p[at + 1]);
	low = hex_value(s.p[at + 2]);
	return high == -1 || low == -1 ? -1 : high << 4 | low;
}

size_t
escape_undo_into(char *into, struct str s, bool plus_is_space)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int byte = escaped_byte(s, i);

		if (byte != -1) {
			into[n++] = (char)byte;
			i += 2;
		} else if (plus_is_space && s.p[i] == '+') {
			into[n++] = ' ';
		} else {
			into[n++] = s.p[i];
		}
	}
	return n;
}

struct str
escape_undo(struct arena *a, struct str s, bool plus_is_space)
{
	char *out;

	if (str_find(s, '%', 0) == s.n &&
	    (!plus_is_space || str_find(s, '+', 0) == s.n))
		return s;
	out = arena_alloc(a, s.n);
	return (struct str){ out, escape_undo_into(out, s, plus_is_space) };
}

bool
escape_is_valid(struct str s)
{
	for (size_t at = str_find(s, '%', 0); at < s.n;
	    at = str_find(s, '%', at + 1))
		if (escaped_byte(s, at) == -1)
			return false;
	return true;
}
