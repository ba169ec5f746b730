/* Unit tests of pkg/specifier. */
#include "tap.h"

#include "pkg/specifier.h"
#include "pkg/version.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static void
test_what_is_a_specifier(struct arena *a)
{
	static const char *const cases[] = {
		">=3.8", "<4", "~=1.0", "==1.0", "!=1.0", "<=1", ">1",
		"== 1.0 ", "\t>=\n1", "==1.*", "!=v1!2.3.*", "==1.0+Local.1",
		"!=1.0+l", "~=1.0.post1", "~=1!2.0a1.dev", ">=1.0alpha-1",
		"===anything", "=== 1.0", "===", "===a>=b", "===1.0.*",
		"===gr\xc3\xbc\xc3\x9f", "\xc2\xa0>=\xe2\x80\x83" "1",
		"==1.0-1", "<1a.",
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!ok(specifier_check(str_c(cases[i])) == OK))
			printf("# %s\n", cases[i]);
}

static void
test_what_is_no_specifier(struct arena *a)
{
	static const char *const cases[] = {
		"", " ", "1.0", "=1.0", ">=", "~=", "~=1", "~=1!2", "~=1a1",
		"~=1.0.*", "~=1.0+a", ">=1.*", "<1.0.*", ">=1.0+a", "<=1+a",
		"==1.0a1.*", "==1.0.post1.*", "==1.0.dev.*", "==1.0+a.*",
		"==.*", "==1..*", "==1.*.*", "==1*", "== 1 .*", "=>1", "><1",
		"> =1", "!1", "!==1", ">=1.0-", "<>1", "=== a b", "===a;b",
		"===(a)",
		"===\xff", ">=3.8;", ">=3,<4", ">=dog", ">=1.0po\xc5\xbft1",
		"~=1.0po\xc5\xbft1", ">=\xd9\xa1",
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!ok(specifier_check(str_c(cases[i])) == INVALID))
			printf("# %s\n", cases[i]);
}

static void
test_a_version_in_a_specifier_is_bounded(struct arena *a)
{
	char text[3 + VERSION_MAX_BYTES + 1];

	(void)a;
	memset(text, '=', sizeof(text));
	ok(specifier_check((struct str){ text, sizeof(text) - 1 }) == OK);
	ok(specifier_check((struct str){ text, sizeof(text) }) == INVALID);
}

static void
test_a_set_is_split_at_commas(struct arena *a)
{
	ok(specifier_set_check(a, STR(""), NULL) == OK);
	ok(specifier_set_check(a, STR(" \n"), NULL) == OK);
	ok(specifier_set_check(a, STR(","), NULL) == OK);
	ok(specifier_set_check(a, STR(">=3.8,<4"), NULL) == OK);
	ok(specifier_set_check(a, STR(", >=3.8 ,, !=3.9.*,"), NULL) == OK);
	ok(specifier_set_check(a, STR("===a,===b"), NULL) == OK);
	ok(specifier_set_check(a, STR(">=3.8 <4"), NULL) == INVALID);
	ok(specifier_set_check(a, STR(">=3.8,3.9"), NULL) == INVALID);
	ok(specifier_set_check(a, STR("(>=3.8)"), NULL) == INVALID);
}

static void
test_an_error_quotes_the_one_at_fault(struct arena *a)
{
	struct err err;

	ok(specifier_set_check(a, STR(">=3.6, >=3.*, <4"), &err) == INVALID);
	is_str(str_c(err.text), STR("Invalid specifier: '>=3.*'. Write an "
	    "operator and a version, such as >=3.8, and a comma between two "
	    "of them (PEP 440)."));
}

/* 30 bytes from each end, and no half characters. */
static void
test_an_error_quotes_a_long_one_by_its_ends(struct arena *a)
{
	struct str text = STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9x"
	    "\xc3\xa9\xc3\xa9\xc3\xa9" "abcdefghijklmnopqrstuvwxyz0123456789");
	struct err err;

	ok(specifier_set_check(a, text, &err) == INVALID);
	ok(str_starts(str_c(err.text), STR("Invalid specifier: '"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9x..."
	    "ghijklmnopqrstuvwxyz0123456789'")));
}

int
main(void)
{
	RUN(test_what_is_a_specifier);
	RUN(test_what_is_no_specifier);
	RUN(test_a_version_in_a_specifier_is_bounded);
	RUN(test_a_set_is_split_at_commas);
	RUN(test_an_error_quotes_the_one_at_fault);
	RUN(test_an_error_quotes_a_long_one_by_its_ends);
	return tap_done();
}
