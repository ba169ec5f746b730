/*
 * filename: "FILENAME PROJECT" -> what it is as a wheel, and as an sdist of
 * the project; "invalid" where it is none.
 *
 *	wheel	name, version, build tag or "-", python, abi, platform, and
 *		whether the platform is accepted
 *	sdist	name, version, version as written, modern?, extension
 */
#include "tool/cases.h"

#include "pkg/filename.h"

static void
describe_wheel(struct arena *a, struct str filename)
{
	struct wheel_filename w;

	if (filename_parse_wheel(a, filename, &w, NULL) != OK) {
		printf("invalid");
		return;
	}
	put_str(w.name);
	putchar(' ');
	put_str(version_normal(a, &w.version));
	putchar(' ');
	put_str(w.build.n > 0 ? w.build : STR("-"));
	putchar(' ');
	put_str(w.python);
	putchar(' ');
	put_str(w.abi);
	putchar(' ');
	put_str(w.platform);
	printf(" %d", filename_check_platform(&w, NULL) == OK);
}

static void
describe_sdist(struct arena *a, struct str filename, struct str project)
{
	struct sdist_filename s;

	if (filename_parse_sdist(a, filename, project, &s, NULL) != OK) {
		printf("invalid");
		return;
	}
	put_str(s.name);
	putchar(' ');
	put_str(version_normal(a, &s.version));
	putchar(' ');
	put_str(s.raw_version);
	printf(" %d ", s.is_modern);
	put_str(s.extension);
}

static void
answer(struct arena *a, const struct str *fields, size_t count)
{
	(void)count;
	describe_wheel(a, fields[0]);
	printf(", ");
	describe_sdist(a, fields[0], fields[1]);
}

int
main(void)
{
	return answer_cases(answer);
}
