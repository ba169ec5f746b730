#include "pkg/name.h"

#include "base/arena.h"

static bool
is_separator(char c)
{
	return c == '-' || c == '_' || c == '.';
}

bool
name_is_valid(struct str name)
{
	if (name.n == 0 || name.n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) && !is_separator(name.p[i]))
			return false;
	return is_alnum(name.p[0]) && is_alnum(name.p[name.n - 1]);
}

struct str
name_normalize(struct arena *a, struct str name)
{
	char *to = arena_alloc(a, name.n);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		if (!is_separator(name.p[i]))
			to[n++] = to_lower(name.p[i]);
		else if (i == 0 || !is_separator(name.p[i - 1]))
			to[n++] = '-';
	}
	return (struct str){ to, n };
}

bool
name_is_normal(struct str name)
{
	if (!name_is_valid(name))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c != to_lower(c) || c == '_' || c == '.')
			return false;
		if (c == '-' && name.p[i + 1] == '-')
			return false;	/* i + 1: the last is no '-' */
	}
	return true;
}

static char
lookalike(char c)
{
	switch (c) {
	case 'l': case 'L': case 'i': case 'I': return '1';
	case 'o': case 'O':			return '0';
	default:				return to_lower(c);
	}
}

struct str
name_ultra(struct arena *a, struct str name)
{
	char *to = arena_alloc(a, name.n);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++)
		if (!is_separator(name.p[i]))
			to[n++] = lookalike(name.p[i]);
	return (struct str){ to, n };
}
