#include "pkg/specifier.h"

#include "base/utf8.h"
#include "pkg/version.h"

#define QUOTE_BYTES	60	/* a longer specifier is quoted by its ends */

/* In this order: an operator stands before the one that it begins with. */
static const struct str operators[] = {
	STR_INIT("==="), STR_INIT("=="), STR_INIT("~="), STR_INIT("!="),
	STR_INIT("<="), STR_INIT(">="), STR_INIT("<"), STR_INIT(">"),
};

/* Split at the operator; false if it begins with none. */
static bool
split(struct str one, struct str *operator, struct str *version)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (!str_starts(one, operators[i]))
			continue;
		*operator = operators[i];
		*version = utf8_trim(str_sub(one, operators[i].n, one.n));
		return true;
	}
	return false;
}

/* Behind === stands anything but white space, ';' and ')'; even nothing. */
static bool
is_arbitrary(struct str text)
{
	uint32_t c;
	size_t n;

	for (; text.n > 0; text = str_sub(text, n, text.n)) {
		n = utf8_next(text, &c);
		if (n == 0 || utf8_is_space(c) || c == ';' || c == ')')
			return false;
	}
	return true;
}

/* A release that ends in ".*", for == and != only. */
static bool
is_wildcard(struct str text)
{
	struct version v;

	if (!str_ends(text, STR(".*")))
		return false;
	if (version_scan(str_sub(text, 0, text.n - 2), &v) != OK)
		return false;
	return v.pre.n + v.post.n + v.dev.n + v.local.n == 0;
}

enum status
specifier_check(struct str one)
{
	struct str operator, text;
	struct version v;

	if (!split(utf8_trim(one), &operator, &text))
		return INVALID;
	if (text.n > VERSION_MAX_BYTES)
		return INVALID;
	if (str_eq(operator, STR("===")))
		return is_arbitrary(text) ? OK : INVALID;
	if (str_eq(operator, STR("==")) || str_eq(operator, STR("!=")))
		return is_wildcard(text) ? OK : version_scan(text, &v);
	if (version_scan(text, &v) != OK || version_has_local(&v))
		return INVALID;
	/* ~=1 would mean any version at all. */
	if (str_eq(operator, STR("~=")) && str_find(v.release, '.', 0) ==
	    v.release.n)
		return INVALID;
	return OK;
}

/* The text itself, or its two ends, cut between characters. */
static struct str
quote(struct arena *a, struct str text)
{
	size_t head = QUOTE_BYTES / 2, tail = text.n - QUOTE_BYTES / 2;

	if (text.n <= QUOTE_BYTES)
		return text;
	while (head > 0 && (text.p[head] & 0xc0) == 0x80)
		head--;
	while (tail < text.n && (text.p[tail] & 0xc0) == 0x80)
		tail++;
	return str_fmt(a, "%.*s...%.*s", STR_ARG(str_sub(text, 0, head)),
	    STR_ARG(str_sub(text, tail, text.n)));
}

enum status
specifier_set_check(struct arena *a, struct str text, struct err *err)
{
	struct str one, rest = text;
	bool more;

	do {
		more = str_cut(rest, ',', &one, &rest);
		one = utf8_trim(one);
		if (one.n == 0 || specifier_check(one) == OK)
			continue;
		one = quote(a, one);
		return err_set(err, INVALID, "Invalid specifier: '%.*s'. Write "
		    "an operator and a version, such as >=3.8, and a comma "
		    "between two of them (PEP 440).", STR_ARG(one));
	} while (more);
	return OK;
}
