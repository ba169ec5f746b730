#include "pkg/member.h"

#include "base/utf8.h"

bool
member_component(struct str *rest, struct str *out)
{
	while (rest->n > 0) {
		str_cut(*rest, '/', out, rest);
		if (out->n > 0 && !str_eq(*out, STR(".")))
			return true;
	}
	return false;
}

static uint64_t
hash_byte(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * 0x100000001b3;
}

uint64_t
member_hash(uint64_t before, struct str name)
{
	uint64_t h = before;
	struct str part;

	while (member_component(&name, &part)) {
		h = hash_byte(h, '/');
		for (size_t i = 0; i < part.n; i++)
			h = hash_byte(h, part.p[i]);
	}
	return h;
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

/* Is there a ".." between separators, be they '/' or '\'? */
static bool
has_parent(struct str name)
{
	size_t start = 0;

	for (size_t i = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != '/' && name.p[i] != '\\')
			continue;
		if (str_eq(str_sub(name, start, i), STR("..")))
			return true;
		start = i + 1;
	}
	return false;
}

enum status
member_check(struct str name, struct err *err)
{
	if (name.n == 0)
		return err_set(err, INVALID, "a member has no name");
	if (name.n > MEMBER_NAME_BYTES)
		return err_set(err, INVALID, "a member's name is over %zu "
		    "bytes: '%.60s...'", MEMBER_NAME_BYTES, name.p);
	if (has_control(name))
		return err_set(err, INVALID,
		    "control character in the name '%.*s'", STR_ARG(name));
	if (name.p[0] == '/' || name.p[0] == '\\' ||
	    (name.n > 1 && is_alpha(name.p[0]) && name.p[1] == ':'))
		return err_set(err, INVALID, "absolute path '%.*s'",
		    STR_ARG(name));
	if (has_parent(name))
		return err_set(err, INVALID, "'..' in the path '%.*s'",
		    STR_ARG(name));
	return OK;
}

/* Are there components that say nothing, so that one path has two names? */
static bool
has_idle_component(struct str name)
{
	struct str part, rest = name;

	if (str_ends(rest, STR("/")))
		rest.n--;
	do {
		bool more = str_cut(rest, '/', &part, &rest);

		if (part.n == 0 || str_eq(part, STR(".")))
			return true;
		if (!more)
			return false;
	} while (true);
}

enum status
member_check_strict(struct str name, struct err *err)
{
	enum status st = member_check(name, err);

	if (st != OK)
		return st;
	if (!utf8_is_valid(name))
		return err_set(err, INVALID, "the name '%.*s' is not UTF-8",
		    STR_ARG(name));
	if (str_find(name, '\\', 0) < name.n)
		return err_set(err, INVALID, "backslash in the name '%.*s'",
		    STR_ARG(name));
	if (has_idle_component(name))
		return err_set(err, INVALID,
		    "'.' or nothing between slashes in the name '%.*s'",
		    STR_ARG(name));
	return OK;
}

struct str
member_top(struct str name, bool is_dir)
{
	struct str top, more, rest = name;

	if (!member_component(&rest, &top))
		return STR("");
	return is_dir || member_component(&rest, &more) ? top : STR("");
}
