/*
 * negotiate: "ACCEPT" "ACCEPT-ENCODING" "FORMAT" -> the chosen format as 0, 1
 * or 2, or "-" for 406; and 1 if the answer may be gzipped.
 */
#include "tool/cases.h"

#include "http/negotiate.h"

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	enum simple_format format;

	(void)a;
	if (count != 3)
		panic("a case is three header fields");
	if (negotiate_simple(fields[0], fields[2], &format) == OK)
		printf("%d", (int)format);
	else
		printf("-");
	printf(" %d", negotiate_gzip(fields[1]));
}

int
main(void)
{
	return answer_cases(answer);
}
