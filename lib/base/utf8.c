#include "base/utf8.h"

/* How many bytes follow this first byte, and the least value they may give. */
static size_t
sequence(unsigned char first, uint32_t *bits, uint32_t *least)
{
	if (first >= 0xc2 && first <= 0xdf) {
		*bits = first & 0x1f;
		*least = 0x80;
		return 1;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*bits = first & 0x0f;
		*least = 0x800;
		return 2;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*bits = first & 0x07;
		*least = 0x10000;
		return 3;
	}
	return 0;
}

size_t
utf8_next(struct str s, uint32_t *c)
{
	uint32_t value, least;
	size_t more;

	*c = 0;
	if (s.n == 0)
		return 0;
	if ((unsigned char)s.p[0] < 0x80) {
		*c = (unsigned char)s.p[0];
		return 1;
	}
	more = sequence((unsigned char)s.p[0], &value, &least);
	if (more == 0 || s.n <= more)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		unsigned char byte = (unsigned char)s.p[i];

		if ((byte & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte & 0x3f);
	}
	if (value < least || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*c = value;
	return more + 1;
}

bool
utf8_is_valid(struct str s)
{
	for (size_t i = 0; i < s.n;) {
		uint32_t c;
		size_t n = utf8_next(str_sub(s, i, s.n), &c);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

bool
utf8_is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) ||
	    c == 0x85 || c == 0xa0 || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

/* How many bytes the last character of s has, if it is white space; else 0. */
static size_t
space_at_end(struct str s)
{
	for (size_t n = 1; n <= 3 && n <= s.n; n++) {
		uint32_t c;

		if (utf8_next(str_sub(s, s.n - n, s.n), &c) == n)
			return utf8_is_space(c) ? n : 0;
	}
	return 0;
}

struct str
utf8_trim(struct str s)
{
	uint32_t c;
	size_t n;

	while ((n = utf8_next(s, &c)) > 0 && utf8_is_space(c))
		s = str_sub(s, n, s.n);
	while ((n = space_at_end(s)) > 0)
		s = str_sub(s, 0, s.n - n);
	return s;
}

size_t
utf8_length(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return count;
}
