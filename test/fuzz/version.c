/*
 * Fuzz pkg/version.  The input is two versions with a newline between.
 *
 * Laws: the normal and the canonical form read back as an equal version and
 * are their own normal and canonical form; version_cmp() and the order of the
 * sort keys are one, and the reverse of what they say of the reversed pair;
 * equal versions, and no others, have equal canonical forms.
 */
#include <stdint.h>

#include "base/arena.h"
#include "base/panic.h"
#include "pkg/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
sign(int order)
{
	return (order > 0) - (order < 0);
}

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

static void
check_one(struct arena *a, const struct version *v)
{
	struct str normal = version_normal(a, v);
	struct str canonical = version_canonical(a, v);
	struct version again = { 0 };

	must(version_parse(a, normal, &again) == OK, "normal form is valid");
	must(version_cmp(v, &again) == 0, "normal form is equal");
	must(str_eq(version_normal(a, &again), normal), "normal stays");
	must(version_scan(canonical, &again) == OK, "canonical is valid");
	must(version_cmp(v, &again) == 0, "canonical form is equal");
	must(str_eq(version_canonical(a, &again), canonical),
	    "canonical stays");
	must(version_sort_key(a, v).n <= 2 * VERSION_MAX_BYTES, "key bound");
}

static void
check_pair(struct arena *a, const struct version *v, const struct version *w)
{
	int order = sign(version_cmp(v, w));

	must(sign(version_cmp(w, v)) == -order, "order can be reversed");
	must(sign(str_cmp(version_sort_key(a, v), version_sort_key(a, w))) ==
	    order, "keys have the order of versions");
	must(str_eq(version_canonical(a, v), version_canonical(a, w)) ==
	    (order == 0), "equal versions have equal canonical forms");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)16 << 20);
	struct str first, second, text = { (const char *)data, size };
	struct version v, w;

	str_cut(text, '\n', &first, &second);
	if (version_parse(a, first, &v) == OK) {
		check_one(a, &v);
		if (version_parse(a, second, &w) == OK)
			check_pair(a, &v, &w);
	}
	arena_free(a);
	return 0;
}
