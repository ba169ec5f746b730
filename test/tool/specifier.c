/* specifier: "TEXT" -> is it one specifier, and is it a set of them? */
#include "tool/cases.h"

#include "pkg/specifier.h"

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	(void)count;
	printf("%d %d", specifier_check(fields[0]) == OK,
	    specifier_set_check(a, fields[0], NULL) == OK);
}

int
main(void)
{
	return answer_cases(answer);
}
