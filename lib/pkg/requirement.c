#include "pkg/requirement.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "pkg/name.h"
#include "pkg/specifier.h"

/*
 * A requirement's reader.  The marker is written, in its one form, as it is
 * read; out has room for the longest form that the text can have.
 */
struct reader {
	struct arena *arena;
	struct str rest;
	struct err *err;
	char *out;		/* the marker so far */
	size_t out_n;
	size_t depth;		/* of parentheses in the marker */
};

/*
 * Each word of a marker may grow by two spaces; "in" and its like are the
 * shortest, and 'python_implementation' grows by "platform_".
 */
#define MARKER_ROOM(n)	((n) * 3 + 16)

/* One side of a comparison. */
struct operand {
	bool is_variable;
	struct str text;	/* a name of PEP 508, or what the quotes hold */
};

static const struct variable {
	struct str written;
	struct str name;
} variables[] = {
	{ STR_INIT("python_version"), STR_INIT("python_version") },
	{ STR_INIT("python_full_version"), STR_INIT("python_full_version") },
	{ STR_INIT("os_name"), STR_INIT("os_name") },
	{ STR_INIT("os.name"), STR_INIT("os_name") },
	{ STR_INIT("sys_platform"), STR_INIT("sys_platform") },
	{ STR_INIT("sys.platform"), STR_INIT("sys_platform") },
	{ STR_INIT("platform_release"), STR_INIT("platform_release") },
	{ STR_INIT("platform_system"), STR_INIT("platform_system") },
	{ STR_INIT("platform_version"), STR_INIT("platform_version") },
	{ STR_INIT("platform.version"), STR_INIT("platform_version") },
	{ STR_INIT("platform_machine"), STR_INIT("platform_machine") },
	{ STR_INIT("platform.machine"), STR_INIT("platform_machine") },
	{ STR_INIT("platform_python_implementation"),
	  STR_INIT("platform_python_implementation") },
	{ STR_INIT("platform.python_implementation"),
	  STR_INIT("platform_python_implementation") },
	{ STR_INIT("python_implementation"),
	  STR_INIT("platform_python_implementation") },
	{ STR_INIT("implementation_name"), STR_INIT("implementation_name") },
	{ STR_INIT("implementation_version"),
	  STR_INIT("implementation_version") },
	{ STR_INIT("extra"), STR_INIT("extra") },
	{ STR_INIT("extras"), STR_INIT("extras") },
	{ STR_INIT("dependency_groups"), STR_INIT("dependency_groups") },
};

/* Longest first where one begins another. */
static const struct str marker_operators[] = {
	STR_INIT("==="), STR_INIT("=="), STR_INIT("~="), STR_INIT("!="),
	STR_INIT("<="), STR_INIT(">="), STR_INIT("<"), STR_INIT(">"),
};

#define COUNT(table)	(sizeof(table) / sizeof((table)[0]))

static enum status
expected(struct reader *r, const char *what)
{
	if (r->rest.n == 0)
		return err_set(r->err, INVALID, "Expected %s at the end", what);
	return err_set(r->err, INVALID, "Expected %s at '%.*s'", what,
	    STR_ARG(r->rest));
}

static void
advance(struct reader *r, size_t n)
{
	r->rest = str_sub(r->rest, n, r->rest.n);
}

static void
skip_space(struct reader *r)
{
	while (r->rest.n && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
		advance(r, 1);
}

/* Take one byte if it comes next. */
static bool
take(struct reader *r, char c)
{
	if (r->rest.n == 0 || r->rest.p[0] != c)
		return false;
	advance(r, 1);
	return true;
}

/* What regular expressions call a word; all beyond ASCII counts as one. */
static bool
is_word(char c)
{
	return is_alnum(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Take a whole word if it comes next. */
static bool
take_word(struct reader *r, struct str word)
{
	if (!str_starts(r->rest, word) ||
	    (r->rest.n > word.n && is_word(r->rest.p[word.n])))
		return false;
	advance(r, word.n);
	return true;
}

/* A name or an extra: from a letter or digit to a letter, digit or '_'. */
static bool
take_identifier(struct reader *r, struct str *out)
{
	size_t n = 0;

	if (r->rest.n == 0 || !is_alnum(r->rest.p[0]))
		return false;
	while (n < r->rest.n && (is_alnum(r->rest.p[n]) ||
	    memchr("._-", r->rest.p[n], 3)))
		n++;
	while (!is_word(r->rest.p[n - 1]))
		n--;
	*out = str_sub(r->rest, 0, n);
	advance(r, n);
	return true;
}

/* [a, b] */
static enum status
read_extras(struct reader *r, struct requirement *out)
{
	struct str extra;

	if (!take(r, '['))
		return OK;
	skip_space(r);
	if (take(r, ']'))
		return OK;
	do {
		skip_space(r);
		if (!take_identifier(r, &extra))
			return expected(r, "the name of an extra");
		str_list_add(r->arena, &out->extras, extra);
		skip_space(r);
	} while (take(r, ','));
	if (!take(r, ']'))
		return expected(r, "',' or ']' after an extra");
	return OK;
}

/* Length of the specifier that comes next: an operator and what follows it. */
static size_t
specifier_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && memchr("<>=!~", s.p[n], 5))
		n++;
	if (n == 0)
		return 0;
	while (n < s.n && is_space(s.p[n]))
		n++;
	while (n < s.n && !is_space(s.p[n]) && !memchr(",;)", s.p[n], 3))
		n++;
	return n;
}

/* Only what stands behind === may be any text. */
static bool
is_specifier(struct str s)
{
	if (!str_starts(s, STR("===")))
		for (size_t i = 0; i < s.n; i++)
			if ((unsigned char)s.p[i] >= 0x80)
				return false;
	return specifier_check(s) == OK;
}

/* >=1, <2 */
static enum status
read_specifiers(struct reader *r, struct requirement *out)
{
	size_t n;

	while ((n = specifier_length(r->rest)) > 0) {
		struct str one = str_sub(r->rest, 0, n);

		if (!is_specifier(one))
			return err_set(r->err, INVALID,
			    "'%.*s' is not a valid version specifier",
			    STR_ARG(one));
		str_list_add(r->arena, &out->specifiers, one);
		advance(r, n);
		skip_space(r);
		if (!take(r, ','))
			break;
		skip_space(r);
	}
	return OK;
}

static enum status
read_specifier_set(struct reader *r, struct requirement *out)
{
	bool bracketed = take(r, '(');
	enum status st;

	skip_space(r);
	st = read_specifiers(r, out);
	if (st != OK)
		return st;
	skip_space(r);
	if (bracketed && !take(r, ')'))
		return expected(r, "')' after the version specifiers");
	return OK;
}

static enum status
read_url(struct reader *r, struct requirement *out)
{
	size_t n = 0;

	skip_space(r);
	while (n < r->rest.n && r->rest.p[n] != ' ' && r->rest.p[n] != '\t')
		n++;
	if (n == 0)
		return expected(r, "a URL after '@'");
	out->url = str_sub(r->rest, 0, n);
	advance(r, n);
	return OK;
}

static void
emit(struct reader *r, struct str text)
{
	if (text.n)
		memcpy(r->out + r->out_n, text.p, text.n);
	r->out_n += text.n;
}

static bool
take_variable(struct reader *r, struct operand *out)
{
	for (size_t i = 0; i < COUNT(variables); i++) {
		if (!take_word(r, variables[i].written))
			continue;
		*out = (struct operand){ true, variables[i].name };
		return true;
	}
	return false;
}

static enum status
read_operand(struct reader *r, struct operand *out)
{
	char quote = r->rest.n ? r->rest.p[0] : '\0';
	struct str text;
	size_t end;

	if (quote != '"' && quote != '\'')
		return take_variable(r, out) ? OK :
		    expected(r, "a marker variable or quoted string");
	end = str_find(r->rest, quote, 1);
	text = str_sub(r->rest, 1, end);
	if (end == r->rest.n)
		return expected(r, "a closing quote");
	if (str_find(text, '\\', 0) < text.n)
		return expected(r, "no backslash in a quoted string");
	*out = (struct operand){ false, text };
	advance(r, end + 1);
	return OK;
}

static enum status
read_operator(struct reader *r, struct str *out)
{
	for (size_t i = 0; i < COUNT(marker_operators); i++) {
		if (!str_starts(r->rest, marker_operators[i]))
			continue;
		*out = marker_operators[i];
		advance(r, out->n);
		return OK;
	}
	*out = STR("in");
	if (take_word(r, *out))
		return OK;
	if (take_word(r, STR("not"))) {
		size_t before = r->rest.n;

		skip_space(r);
		*out = STR("not in");
		if (r->rest.n < before && take_word(r, STR("in")))
			return OK;
		return expected(r, "'in' after 'not'");
	}
	return expected(r, "a marker operator, one of <=, <, !=, ==, >=, >, "
	    "~=, ===, in, not in");
}

static bool
holds_names(struct operand o)
{
	return o.is_variable && (str_eq(o.text, STR("extra")) ||
	    str_eq(o.text, STR("extras")) ||
	    str_eq(o.text, STR("dependency_groups")));
}

/* A string that is compared with an extra's name is one itself (PEP 685). */
static void
emit_operand(struct reader *r, struct operand self, struct operand other)
{
	bool names_extra = !self.is_variable && holds_names(other);
	struct str quote = str_find(self.text, '"', 0) < self.text.n ?
	    STR("'") : STR("\"");

	if (self.is_variable)
		quote = STR("");
	emit(r, quote);
	emit(r, names_extra ? name_normalize(r->arena, self.text) : self.text);
	emit(r, quote);
}

/* python_version < "3.8" */
static enum status
read_comparison(struct reader *r)
{
	struct operand left, right;
	struct str operator;
	enum status st;

	st = read_operand(r, &left);
	if (st != OK)
		return st;
	skip_space(r);
	st = read_operator(r, &operator);
	if (st != OK)
		return st;
	skip_space(r);
	st = read_operand(r, &right);
	if (st != OK)
		return st;
	emit_operand(r, left, right);
	emit(r, STR(" "));
	emit(r, operator);
	emit(r, STR(" "));
	emit_operand(r, right, left);
	return OK;
}

static MUST_USE enum status read_marker(struct reader *r, size_t *items);

/* (marker); the parentheses are written only if there is a use for them. */
static enum status
read_group(struct reader *r)
{
	size_t at = r->out_n, items;
	enum status st;

	if (r->depth == REQUIREMENT_MAX_DEPTH)
		return err_set(r->err, INVALID,
		    "The marker has parentheses over %d deep",
		    REQUIREMENT_MAX_DEPTH);
	r->depth++;
	emit(r, STR("("));
	st = read_marker(r, &items);
	if (st != OK)
		return st;
	r->depth--;
	if (!take(r, ')'))
		return expected(r, "')' after a marker expression");
	if (items > 1) {
		emit(r, STR(")"));
	} else {
		memmove(r->out + at, r->out + at + 1, r->out_n - at - 1);
		r->out_n--;
	}
	return OK;
}

/* a and b or c */
static enum status
read_marker(struct reader *r, size_t *items)
{
	enum status st;

	for (*items = 1;; (*items)++) {
		skip_space(r);
		st = take(r, '(') ? read_group(r) : read_comparison(r);
		if (st != OK)
			return st;
		skip_space(r);
		if (take_word(r, STR("and")))
			emit(r, STR(" and "));
		else if (take_word(r, STR("or")))
			emit(r, STR(" or "));
		else
			return OK;
	}
}

/* ; marker */
static enum status
read_marker_part(struct reader *r, struct requirement *out)
{
	size_t items;
	enum status st;

	r->out = arena_alloc(r->arena, MARKER_ROOM(r->rest.n));
	st = read_marker(r, &items);
	if (st != OK)
		return st;
	out->marker = (struct str){ r->out, r->out_n };
	if (items == 1 && r->out[0] == '(')
		out->marker = str_sub(out->marker, 1, r->out_n - 1);
	return OK;
}

/* What follows the extras: "@ url ; marker", or ">=1 ; marker". */
static enum status
read_details(struct reader *r, struct requirement *out)
{
	enum status st;

	st = take(r, '@') ? read_url(r, out) : read_specifier_set(r, out);
	if (st != OK)
		return st;
	skip_space(r);
	if (r->rest.n == 0)
		return OK;
	if (!take(r, ';'))
		return expected(r, "',', ';' or the end of the requirement");
	st = read_marker_part(r, out);
	if (st == OK && r->rest.n)
		return expected(r, "the end of the requirement");
	return st;
}

static bool
is_clean(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' && text.p[i] != '\t')
			return false;
	return utf8_is_valid(text);
}

enum status
requirement_parse(struct arena *a, struct str text, struct requirement *out,
    struct err *err)
{
	struct reader r = { .arena = a, .rest = text, .err = err };
	struct requirement got = { 0 };
	enum status st;

	if (text.n > REQUIREMENT_MAX_BYTES)
		return err_set(err, INVALID, "Requirement is over %d bytes",
		    REQUIREMENT_MAX_BYTES);
	if (!is_clean(text))
		return err_set(err, INVALID, "Requirement is not UTF-8, or "
		    "has control characters");
	skip_space(&r);
	if (!take_identifier(&r, &got.name))
		return expected(&r, "a project's name");
	skip_space(&r);
	st = read_extras(&r, &got);
	if (st != OK)
		return st;
	skip_space(&r);
	st = read_details(&r, &got);
	if (st != OK)
		return st;
	*out = got;
	return OK;
}

enum status
requirement_check(struct arena *a, struct str text, bool *has_url,
    struct err *err)
{
	struct requirement r;
	enum status st;

	st = requirement_parse(a, text, &r, err);
	if (st == OK && has_url)
		*has_url = r.url.n > 0;
	return st;
}

/* Sort, and put each distinct one with a ',' before it but the first. */
static void
put_set(struct buf *b, struct str_list *list)
{
	str_list_sort(list);
	for (size_t i = 0; i < list->n; i++) {
		if (i && str_eq(list->at[i], list->at[i - 1]))
			continue;
		if (i)
			buf_byte(b, ',');
		buf_put(b, list->at[i]);
	}
}

static struct str
without_space(struct arena *a, struct str s)
{
	char *text = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (!is_space(s.p[i]))
			text[n++] = s.p[i];
	return (struct str){ text, n };
}

static size_t
list_bytes(const struct str_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += list->at[i].n + sizeof(",") - 1;
	return n;
}

/* A buffer of just the right size: a release may have many requirements. */
static struct buf
canonical_buf(struct arena *a, const struct requirement *r)
{
	size_t n = r->name.n + sizeof("[]") + list_bytes(&r->extras) +
	    list_bytes(&r->specifiers) + sizeof(" @ ") + r->url.n +
	    sizeof(" ; ") + r->marker.n;

	return (struct buf){ .arena = a, .bytes = arena_alloc(a, n), .cap = n };
}

struct str
requirement_canonical(struct arena *a, const struct requirement *r)
{
	struct str_list extras = { 0 }, specifiers = { 0 };
	struct buf b = canonical_buf(a, r);

	for (size_t i = 0; i < r->extras.n; i++)
		str_list_add(a, &extras, name_normalize(a, r->extras.at[i]));
	for (size_t i = 0; i < r->specifiers.n; i++)
		str_list_add(a, &specifiers,
		    without_space(a, r->specifiers.at[i]));
	buf_put(&b, name_normalize(a, r->name));
	if (extras.n) {
		buf_byte(&b, '[');
		put_set(&b, &extras);
		buf_byte(&b, ']');
	}
	put_set(&b, &specifiers);
	if (r->url.n) {
		buf_put(&b, STR(" @ "));
		buf_put(&b, r->url);
	}
	if (r->marker.n) {
		buf_put(&b, r->url.n ? STR(" ; ") : STR("; "));
		buf_put(&b, r->marker);
	}
	return buf_view(&b);
}
