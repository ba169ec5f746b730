#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/panic.h"

struct str
str_c(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

struct str
str_sub(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from >= to)
		return STR("");
	return (struct str){ s.p + from, to - from };
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (to_lower(a.p[i]) != to_lower(b.p[i]))
			return false;
	return true;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	    str_eq(str_sub(s, s.n - suffix.n, s.n), suffix);
}

size_t
str_find(struct str s, char c, size_t from)
{
	const char *hit;

	if (from >= s.n)
		return s.n;
	hit = memchr(s.p + from, c, s.n - from);
	return hit ? (size_t)(hit - s.p) : s.n;
}

size_t
str_rfind(struct str s, char c)
{
	const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

size_t
str_find_str(struct str s, struct str needle, size_t from)
{
	const char *hit;

	if (from >= s.n)
		return s.n;
	hit = memmem(s.p + from, s.n - from, needle.p, needle.n);
	return hit ? (size_t)(hit - s.p) : s.n;
}

struct str
str_trim(struct str s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
str_cut(struct str s, char sep, struct str *head, struct str *rest)
{
	size_t at = str_find(s, sep, 0);

	*head = str_sub(s, 0, at);
	*rest = str_sub(s, at + 1, s.n);
	return at < s.n;
}

char *
str_z(struct arena *a, struct str s)
{
	char *copy = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	return copy;
}

struct str
str_dup(struct arena *a, struct str s)
{
	return (struct str){ str_z(a, s), s.n };
}

struct str
str_lower(struct arena *a, struct str s)
{
	char *copy = str_z(a, s);

	for (size_t i = 0; i < s.n; i++)
		copy[i] = to_lower(copy[i]);
	return (struct str){ copy, s.n };
}

struct str
str_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		panic("bad format: %s", fmt);
	text = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (struct str){ text, (size_t)n };
}

enum status
str_int64(struct str s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = min < 0 && s.n > 0 && s.p[0] == '-';
	int64_t value = 0;

	if (s.n == (negative ? 1 : 0))
		return INVALID;
	for (size_t i = negative; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (!is_digit(s.p[i]))
			return INVALID;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return INVALID;
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
		return INVALID;
	if (value < min || value > max)
		return INVALID;
	*out = value;
	return OK;
}

void
str_list_add(struct arena *a, struct str_list *list, struct str s)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 8;

		list->at = arena_grow(a, list->at, list->cap * sizeof(s),
		    cap * sizeof(s));
		list->cap = cap;
	}
	list->at[list->n++] = s;
}

bool
str_list_has(const struct str_list *list, struct str s)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->at[i], s))
			return true;
	return false;
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void
str_list_sort(struct str_list *list)
{
	if (list->n)
		qsort(list->at, list->n, sizeof(list->at[0]), by_bytes);
}
