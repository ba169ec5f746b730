/*
 * name: "NAME" -> valid?, normal?, its normal form, its ultranormal form.
 * The forms are quoted, for they may be empty or hold spaces.
 */
#include "tool/cases.h"

#include "pkg/name.h"

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	(void)count;
	printf("%d %d '", name_is_valid(fields[0]), name_is_normal(fields[0]));
	put_str(name_normalize(a, fields[0]));
	printf("' '");
	put_str(name_ultra(a, fields[0]));
	printf("'");
}

int
main(void)
{
	return answer_cases(answer);
}
