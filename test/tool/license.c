/* license: "EXPRESSION" -> its canonical form, or "INVALID". */
#include "tool/cases.h"

#include "pkg/license.h"

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	struct str canonical;

	(void)count;
	if (license_canonical(a, fields[0], &canonical, NULL) == OK)
		put_str(canonical);
	else
		printf("INVALID");
}

int
main(void)
{
	return answer_cases(answer);
}
