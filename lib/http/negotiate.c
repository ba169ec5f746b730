#include "http/negotiate.h"

/* q counts in thousandths: RFC 9110 section 12.4.2 allows three digits. */
#define Q_ONE	1000
#define Q_NONE	(-1)

/*
 * Read a qvalue, at most 1.  Clients leave out the leading 0 or send more
 * digits than three, and mean well; anything else is -1.
 */
static int
read_q(struct str s)
{
	int q = 0, unit = Q_ONE;
	struct str whole, part;

	str_cut(s, '.', &whole, &part);
	if (whole.n > 1 || whole.n + part.n == 0)
		return -1;
	if (whole.n == 1) {
		if (whole.p[0] != '0' && whole.p[0] != '1')
			return -1;
		q = (whole.p[0] - '0') * unit;
	}
	for (size_t i = 0; i < part.n; i++) {
		if (!is_digit(part.p[i]))
			return -1;
		unit /= 10;
		q += (part.p[i] - '0') * unit;
	}
	return q > Q_ONE ? -1 : q;
}

/* A member of a list such as `text/html; q=0.5`. */
struct range {
	struct str name;	/* what stands before the first ';' */
	int q;
};

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '"')
			return false;
	return s.n > 0;
}

/* Where s has its first sep outside of quotes, or s.n. */
static size_t
find_unquoted(struct str s, char sep)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '\\' && quoted)
			i++;
		else if (s.p[i] == sep && !quoted)
			return i;
	}
	return s.n;
}

/* False for a member that cannot be read. */
static bool
read_range(struct str member, struct range *out)
{
	struct str params, param, name, value;

	str_cut(member, ';', &name, &params);
	out->name = str_trim(name);
	out->q = Q_ONE;
	if (!is_name(out->name))
		return false;
	while (params.n) {
		size_t end = find_unquoted(params, ';');

		param = str_sub(params, 0, end);
		params = str_sub(params, end + 1, params.n);
		str_cut(param, '=', &name, &value);
		if (!str_eq_nocase(str_trim(name), STR("q")))
			continue;
		out->q = read_q(str_trim(value));
		return out->q != -1;
	}
	return true;
}

/* Take the next member off a comma-separated list; false at its end. */
static bool
next_member(struct str *list, struct str *member)
{
	while (list->n) {
		size_t end = find_unquoted(*list, ',');

		*member = str_trim(str_sub(*list, 0, end));
		*list = str_sub(*list, end + 1, list->n);
		if (member->n)
			return true;
	}
	return false;
}

/* How closely a range names a type: 0 not at all, 3 exactly. */
static int
closeness(struct str range, struct str type)
{
	size_t slash = str_find(range, '/', 0);

	if (str_eq_nocase(range, type))
		return 3;
	if (str_eq(range, STR("*/*")))
		return 1;
	if (!str_eq(str_sub(range, slash, range.n), STR("/*")))
		return 0;
	return str_eq_nocase(str_sub(range, 0, slash + 1),
	    str_sub(type, 0, slash + 1)) ? 2 : 0;
}

/* The q of a type by its closest range; Q_NONE when no range names it. */
static int
quality(struct str accept, struct str type, bool exactly)
{
	int best = exactly ? 3 : 1;
	struct str member;
	struct range range;
	int q = Q_NONE;

	while (next_member(&accept, &member)) {
		int close;

		if (!read_range(member, &range))
			continue;
		close = closeness(range.name, type);
		if (close < best || (close == best && range.q <= q))
			continue;
		best = close;
		q = range.q;
	}
	return q;
}

/* Is there a media range in it? */
static bool
is_readable(struct str accept)
{
	struct str member;
	struct range range;

	while (next_member(&accept, &member)) {
		size_t slash;

		if (!read_range(member, &range))
			continue;
		slash = str_find(range.name, '/', 0);
		if (slash > 0 && slash + 1 < range.name.n)
			return true;
	}
	return false;
}

enum status
negotiate_type(struct str accept, const struct str *types, size_t n,
    size_t *chosen)
{
	size_t best = 0;
	int best_q = 0;

	if (!is_readable(accept)) {
		*chosen = 0;
		return OK;
	}
	for (size_t i = 0; i < n; i++) {
		int q = quality(accept, types[i], false);

		if (q > best_q) {
			best = i;
			best_q = q;
		}
	}
	if (best_q == 0)
		return INVALID;
	*chosen = best;
	return OK;
}

/* In the order that decides ties: Warehouse's. */
static const struct {
	struct str type;
	struct str latest;	/* PEP 691: the newest version we have */
} simple_types[] = {
	[SIMPLE_HTML] = { STR_INIT("text/html"), STR_INIT("text/html") },
	[SIMPLE_V1_HTML] = {
		STR_INIT("application/vnd.pypi.simple.v1+html"),
		STR_INIT("application/vnd.pypi.simple.latest+html"),
	},
	[SIMPLE_V1_JSON] = {
		STR_INIT("application/vnd.pypi.simple.v1+json"),
		STR_INIT("application/vnd.pypi.simple.latest+json"),
	},
};

#define SIMPLE_TYPES	(sizeof(simple_types) / sizeof(simple_types[0]))

static bool
simple_by_name(struct str name, enum simple_format *chosen)
{
	for (size_t i = 0; i < SIMPLE_TYPES; i++) {
		if (str_eq_nocase(name, simple_types[i].type) ||
		    str_eq_nocase(name, simple_types[i].latest)) {
			*chosen = (enum simple_format)i;
			return true;
		}
	}
	return false;
}

/* A wildcard speaks for the type only: "latest" is its other name. */
static int
simple_quality(struct str accept, size_t i)
{
	int exact = quality(accept, simple_types[i].type, true);
	int latest = quality(accept, simple_types[i].latest, true);

	if (exact == Q_NONE && latest == Q_NONE)
		return quality(accept, simple_types[i].type, false);
	return exact > latest ? exact : latest;
}

enum status
negotiate_simple(struct str accept, struct str format_param,
    enum simple_format *chosen)
{
	size_t best = SIMPLE_HTML;
	int best_q = 0;

	if (simple_by_name(str_trim(format_param), chosen))
		return OK;
	if (!is_readable(accept)) {
		*chosen = SIMPLE_HTML;
		return OK;
	}
	for (size_t i = 0; i < SIMPLE_TYPES; i++) {
		int q = simple_quality(accept, i);

		if (q > best_q) {
			best = i;
			best_q = q;
		}
	}
	if (best_q == 0)
		return INVALID;
	*chosen = (enum simple_format)best;
	return OK;
}

struct str
simple_format_type(enum simple_format format)
{
	if (format == SIMPLE_HTML)
		return STR("text/html; charset=UTF-8");
	return simple_types[format].type;
}

bool
negotiate_gzip(struct str accept_encoding)
{
	int gzip = Q_NONE, any = Q_NONE, identity = Q_NONE;
	struct str member;
	struct range range;

	while (next_member(&accept_encoding, &member)) {
		if (!read_range(member, &range))
			continue;
		if (str_eq_nocase(range.name, STR("gzip")) ||
		    str_eq_nocase(range.name, STR("x-gzip")))
			gzip = range.q;
		else if (str_eq_nocase(range.name, STR("identity")))
			identity = range.q;
		else if (str_eq(range.name, STR("*")))
			any = range.q;
	}
	if (gzip == Q_NONE)
		gzip = any;
	return gzip > 0 && gzip >= identity;
}

/* An entity tag without W/, or what is no tag as it is. */
static struct str
strong_form(struct str tag)
{
	return str_starts(tag, STR("W/")) ? str_sub(tag, 2, tag.n) : tag;
}

/*
 * Take the next entity tag off a list.  In a tag a backslash is a byte like
 * any other (RFC 9110 section 8.8.3), so that next_member() will not do.
 */
static bool
next_tag(struct str *list, struct str *tag)
{
	size_t open, close;

	open = str_find(*list, '"', 0);
	close = str_find(*list, '"', open + 1);
	if (close >= list->n)
		return false;
	*tag = str_sub(*list, open, close + 1);
	*list = str_sub(*list, close + 1, list->n);
	return true;
}

bool
etag_matches(struct str if_none_match, struct str etag)
{
	struct str tag;

	if (etag.n == 0)
		return false;
	if (str_eq(str_trim(if_none_match), STR("*")))
		return true;
	etag = strong_form(etag);
	while (next_tag(&if_none_match, &tag))
		if (str_eq(tag, etag))
			return true;
	return false;
}
