#include "pkg/license.h"

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "pkg/data/tables.h"

/* Where the reader of an expression stands. */
struct reader {
	struct buf out;
	size_t depth;		/* open parentheses */
	bool wants_operand;	/* a licence or '(' must follow */
	bool after_with;	/* ... no: an exception */
	bool takes_with;	/* the last word was a licence */
};

static int
order_nocase(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)to_lower(a.p[i]);
		unsigned char y = (unsigned char)to_lower(b.p[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.n > b.n) - (a.n < b.n);
}

/* The registered spelling of an identifier, or NULL. */
static const struct str *
find(const struct str *table, size_t count, struct str id)
{
	size_t from = 0, to = count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = order_nocase(id, table[middle]);

		if (order == 0)
			return &table[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

/* One space before every word, but none inside of parentheses. */
static void
put_word(struct reader *r, struct str word)
{
	struct str written = buf_view(&r->out);

	if (written.n && !str_ends(written, STR("(")) &&
	    !str_eq(word, STR(")")))
		buf_byte(&r->out, ' ');
	buf_put(&r->out, word);
}

static enum status
invalid(struct str word, struct err *err)
{
	return err_set(err, INVALID, "Invalid license expression at '%.*s'",
	    STR_ARG(word));
}

/* "LicenseRef-" and a part of one's own: letters, digits, '.', '-'. */
static enum status
read_reference(struct reader *r, struct str word, struct err *err)
{
	struct str own = str_sub(word, sizeof("LicenseRef-") - 1, word.n);

	for (size_t i = 0; i < own.n; i++)
		if (!is_alnum(own.p[i]) && own.p[i] != '.' && own.p[i] != '-')
			own = STR("");
	if (own.n == 0)
		return err_set(err, INVALID, "Invalid licenseref: '%.*s'",
		    STR_ARG(word));
	put_word(r, STR("LicenseRef-"));
	buf_put(&r->out, own);
	return OK;
}

static enum status
read_license(struct reader *r, struct str word, struct err *err)
{
	bool or_later = str_ends(word, STR("+"));
	struct str id = str_sub(word, 0, word.n - or_later);
	const struct str *known;

	known = find(spdx_license, spdx_license_count, id);
	if (!known)
		return err_set(err, INVALID, "Unknown license: '%.*s'",
		    STR_ARG(id));
	put_word(r, *known);
	if (or_later)
		buf_byte(&r->out, '+');
	return OK;
}

static enum status
read_exception(struct reader *r, struct str word, struct err *err)
{
	const struct str *known;

	known = find(spdx_exception, spdx_exception_count, word);
	if (!known)
		return err_set(err, INVALID,
		    "Unknown license exception: '%.*s'", STR_ARG(word));
	put_word(r, *known);
	return OK;
}

static enum status
read_operand(struct reader *r, struct str word, struct err *err)
{
	struct str prefix = STR("LicenseRef-");
	enum status st;

	if (!r->wants_operand)
		return invalid(word, err);
	if (r->after_with)
		st = read_exception(r, word, err);
	else if (str_eq_nocase(str_sub(word, 0, prefix.n), prefix))
		st = read_reference(r, word, err);
	else
		st = read_license(r, word, err);
	r->takes_with = !r->after_with;
	r->wants_operand = false;
	r->after_with = false;
	return st;
}

static enum status
read_parenthesis(struct reader *r, struct str word, struct err *err)
{
	bool opens = word.p[0] == '(';

	if (r->after_with || r->wants_operand != opens ||
	    r->depth == (opens ? LICENSE_MAX_DEPTH : 0))
		return invalid(word, err);
	r->depth += opens ? 1 : (size_t)-1;
	r->takes_with = false;
	put_word(r, word);
	return OK;
}

static enum status
read_operator(struct reader *r, struct str word, struct err *err)
{
	if (r->wants_operand)
		return invalid(word, err);
	r->wants_operand = true;
	r->takes_with = false;
	put_word(r, word);
	return OK;
}

static enum status
read_with(struct reader *r, struct str word, struct err *err)
{
	if (!r->takes_with)
		return invalid(word, err);
	r->after_with = true;
	return read_operator(r, STR("WITH"), err);
}

static enum status
read_word(struct reader *r, struct str word, struct err *err)
{
	if (word.p[0] == '(' || word.p[0] == ')')
		return read_parenthesis(r, word, err);
	if (str_eq_nocase(word, STR("AND")))
		return read_operator(r, STR("AND"), err);
	if (str_eq_nocase(word, STR("OR")))
		return read_operator(r, STR("OR"), err);
	if (str_eq_nocase(word, STR("WITH")))
		return read_with(r, word, err);
	return read_operand(r, word, err);
}

/* Take the next word off the expression; a parenthesis is one by itself. */
static struct str
next_word(struct str *rest)
{
	struct str s = str_trim(*rest);
	size_t end = 0;

	while (end < s.n && !is_space(s.p[end]) && s.p[end] != '(' &&
	    s.p[end] != ')')
		end++;
	if (end == 0 && s.n)
		end = 1;
	*rest = str_sub(s, end, s.n);
	return str_sub(s, 0, end);
}

enum status
license_canonical(struct arena *a, struct str expression, struct str *out,
    struct err *err)
{
	struct reader r = { .out = buf_new(a), .wants_operand = true };
	struct str rest = expression, word;
	enum status st;

	if (expression.n > LICENSE_MAX_BYTES)
		return err_set(err, INVALID,
		    "License expression is over %d bytes", LICENSE_MAX_BYTES);
	while ((word = next_word(&rest)).n) {
		st = read_word(&r, word, err);
		if (st != OK)
			return st;
	}
	if (r.wants_operand || r.depth)
		return err_set(err, INVALID, "Invalid license expression: "
		    "'%.*s' is not complete", STR_ARG(expression));
	*out = buf_view(&r.out);
	return OK;
}
