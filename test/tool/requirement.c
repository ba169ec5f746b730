/* requirement: "TEXT" -> "OK" and its one spelling, or "INVALID". */
#include "tool/cases.h"

#include "pkg/requirement.h"

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	struct requirement r;

	(void)count;
	if (requirement_parse(a, fields[0], &r, NULL) != OK) {
		printf("INVALID");
		return;
	}
	printf("OK ");
	put_str(requirement_canonical(a, &r));
}

int
main(void)
{
	return answer_cases(answer);
}
