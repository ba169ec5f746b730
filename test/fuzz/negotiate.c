/*
 * Fuzz http/negotiate.  The input is lines: Accept, format, Accept-Encoding,
 * If-None-Match and an entity tag.
 *
 * Laws: what the format parameter names is what is chosen; without Accept all
 * is acceptable; naming a type with q=1 and nothing else chooses it, whatever
 * unreadable member stands beside it; a refusal leaves the result alone; a tag
 * matches itself, also in a list.
 */
#include <stdint.h>

#include "base/arena.h"
#include "base/panic.h"
#include "http/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

static void
check_simple(struct arena *a, struct str accept, struct str param)
{
	enum simple_format format = SIMPLE_V1_HTML, again, named;
	enum status st = negotiate_simple(accept, param, &format);

	must(st == OK || st == INVALID, "OK or INVALID");
	must(st == OK || format == SIMPLE_V1_HTML, "untouched on failure");
	must(format <= SIMPLE_V1_JSON, "one of ours");
	must(st == OK || str_trim(accept).n > 0, "no Accept is no refusal");
	if (st != OK)
		return;
	must(negotiate_simple(simple_format_type(format), STR(""),
	    &again) == OK && again == format, "what is chosen is acceptable");
	for (named = SIMPLE_HTML; named <= SIMPLE_V1_JSON; named++) {
		struct str type = simple_format_type(named);
		struct str with = str_fmt(a, "%.*s, ;=,", STR_ARG(type));

		must(negotiate_simple(with, STR(""), &again) == OK &&
		    again == named, "the one that is named");
	}
}

static void
check_tags(struct arena *a, struct str list, struct str text)
{
	struct str tag = str_fmt(a, "\"%.*s\"", STR_ARG(text));

	if (str_find(text, '"', 0) < text.n || str_find(text, 0, 0) < text.n ||
	    text.n > 4000)
		return;
	must(etag_matches(tag, tag), "a tag matches itself");
	must(etag_matches(str_fmt(a, "\"x\",W/%.*s", STR_ARG(tag)), tag),
	    "also in a list");
	must(!etag_matches(list, STR("")), "no tag, no match");
	(void)etag_matches(list, tag);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)16 << 20);
	struct str accept, param, coding, list;
	struct str rest = { (const char *)data, size };

	str_cut(rest, '\n', &accept, &rest);
	str_cut(rest, '\n', &param, &rest);
	str_cut(rest, '\n', &coding, &rest);
	str_cut(rest, '\n', &list, &rest);
	check_simple(a, accept, param);
	check_tags(a, list, rest);
	if (negotiate_gzip(coding))
		must(coding.n > 0, "gzip is never unasked");
	arena_free(a);
	return 0;
}
