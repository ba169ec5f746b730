#include "http/base64.h"

#include "base/arena.h"

/* The six bits of a digit, or -1. */
static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

enum status
base64_decode(struct arena *a, struct str s, struct str *out)
{
	size_t pad = 0, n = 0;
	unsigned bits = 0, have = 0;	/* have counts the bits kept in bits */
	char *bytes;

	if (s.n % 4)
		return INVALID;
	while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
		pad++;
	bytes = arena_alloc(a, s.n / 4 * 3 + 1);
	for (size_t i = 0; i < s.n - pad; i++) {
		int value = digit_value(s.p[i]);

		if (value == -1)
			return INVALID;
		bits = (bits << 6 | (unsigned)value) & 0xfff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[n++] = (char)(bits >> have & 0xff);
		}
	}
	if (bits & ((1u << have) - 1))
		return INVALID;
	*out = (struct str){ bytes, n };
	return OK;
}
