/*
 * version: "V W" -> what each is, and how they compare.
 *
 * A version is its normal and its canonical form, whether it is a prerelease
 * and whether it has a local part; "invalid" if it is none.  The comparison,
 * if both are versions, is the sign of version_cmp() and that of their keys.
 */
#include "tool/cases.h"

#include "pkg/version.h"

static int
sign(int order)
{
	return (order > 0) - (order < 0);
}

static bool
describe(struct arena *a, struct str text, struct version *v)
{
	if (version_parse(a, text, v) != OK) {
		printf("invalid");
		return false;
	}
	put_str(version_normal(a, v));
	putchar(' ');
	put_str(version_canonical(a, v));
	printf(" %d %d", version_is_prerelease(v), version_has_local(v));
	return true;
}

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	struct version v, w;
	bool both;

	(void)count;
	both = describe(a, fields[0], &v);
	printf(", ");
	both &= describe(a, fields[1], &w);
	if (both)
		printf(", %d %d", sign(version_cmp(&v, &w)),
		    sign(str_cmp(version_sort_key(a, &v),
		    version_sort_key(a, &w))));
}

int
main(void)
{
	return answer_cases(answer);
}
