/*
 * Fuzz pkg/specifier.
 *
 * Laws: a set of one is what that one is, if it has no comma; a set goes on
 * being one with another specifier behind it; ==V and >=V are specifiers for
 * each version V without a local part, ==V for each version.
 */
#include <stdint.h>

#include "base/arena.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "pkg/specifier.h"
#include "pkg/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX	((size_t)4096)	/* str_fmt() copies no more */

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

static bool
is_one(struct arena *a, const char *operator, struct str text)
{
	return specifier_check(str_fmt(a, "%s%.*s", operator,
	    STR_ARG(text))) == OK;
}

static void
check_set(struct arena *a, struct str text)
{
	struct err err = { 0 };
	bool is_set = specifier_set_check(a, text, &err) == OK;
	struct str longer = str_fmt(a, "%.*s,>=3.8", STR_ARG(text));

	must(is_set == (err.text[0] == '\0'), "an error says why");
	must((specifier_set_check(a, longer, NULL) == OK) == is_set,
	    "one more keeps a set a set");
	if (str_find(text, ',', 0) == text.n && utf8_trim(text).n > 0)
		must((specifier_check(text) == OK) == is_set, "set of one");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct arena *a;
	struct version v;

	/* str_fmt() would cut at a NUL. */
	if (size > INPUT_MAX || str_find(text, '\0', 0) < size)
		return 0;
	a = arena_new((size_t)16 << 20);
	check_set(a, text);
	if (version_parse(a, text, &v) == OK) {
		must(is_one(a, "==", text), "== takes each version");
		must(is_one(a, ">=", text) != version_has_local(&v),
		    ">= takes each public version");
	}
	arena_free(a);
	return 0;
}
