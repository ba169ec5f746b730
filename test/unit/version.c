/* Unit tests of pkg/version. */
#include "tap.h"

#include "pkg/version.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static struct version
parsed(struct arena *a, struct str text)
{
	struct version v = { 0 };

	if (!ok(version_parse(a, text, &v) == OK))
		printf("# %.*s\n", STR_ARG(text));
	return v;
}

static struct str
normal(struct arena *a, const char *text)
{
	struct version v = parsed(a, str_c(text));

	return version_normal(a, &v);
}

static struct str
canonical(struct arena *a, const char *text)
{
	struct version v = parsed(a, str_c(text));

	return version_canonical(a, &v);
}

static void
is_no_version(struct arena *a, struct str text)
{
	struct version v;

	if (!ok(version_parse(a, text, &v) == INVALID))
		printf("# %.*s\n", STR_ARG(text));
}

static void
test_normal_form_of_each_spelling(struct arena *a)
{
	static const char *const cases[][2] = {
		{ "v1.0", "1.0" }, { "V1", "1" }, { "  1.0\t\n", "1.0" },
		{ "1.0-1", "1.0.post1" }, { "1.0-r4", "1.0.post4" },
		{ "1.0.rev", "1.0.post0" }, { "1.0post-", "1.0.post0" },
		{ "1.0POST5", "1.0.post5" },
		{ "1.0alpha1", "1.0a1" }, { "1.0-Beta.2", "1.0b2" },
		{ "1.0a", "1.0a0" }, { "1.0b-", "1.0b0" },
		{ "1.0c1", "1.0rc1" }, { "1.0pre3", "1.0rc3" },
		{ "1.0_preview_3", "1.0rc3" }, { "1.0RC", "1.0rc0" },
		{ "1.0a-1", "1.0a1" }, { "1.0a1-1", "1.0a1.post1" },
		{ "1.0a--1", "1.0a0.post1" },
		{ "1.0prerev", "1.0rc0.post0" },
		{ "1.0.dev", "1.0.dev0" }, { "1.0dev6", "1.0.dev6" },
		{ "1.0-dev-6", "1.0.dev6" },
		{ "1.0a2.post3.dev4", "1.0a2.post3.dev4" },
		{ "1.0+Ubuntu-1", "1.0+ubuntu.1" },
		{ "1.0+01.0a_00", "1.0+1.0a.0" },
		{ "1!01.02", "1!1.2" }, { "0!1", "1" }, { "v007!1", "7!1" },
		{ "00.00", "0.0" }, { "1.0.0", "1.0.0" },
		{ "\xc2\xa0" "1\xe3\x80\x80", "1" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		is_str(normal(a, cases[i][0]), str_c(cases[i][1]));
}

static void
test_canonical_form_drops_trailing_zeros_of_the_release(struct arena *a)
{
	is_str(canonical(a, "1.0.0"), STR("1"));
	is_str(canonical(a, "1.4.0.00.000"), STR("1.4"));
	is_str(canonical(a, "0.0"), STR("0"));
	is_str(canonical(a, "1.0.1.0"), STR("1.0.1"));
	is_str(canonical(a, "10.100"), STR("10.100"));
	is_str(canonical(a, "1!2.0a0.post0.dev0+0.0"),
	    STR("1!2a0.post0.dev0+0.0"));
}

static void
test_what_is_no_version(struct arena *a)
{
	static const char *const cases[] = {
		"", " ", "dog", "1.0-", "1..0", ".1", "1.", "1_0", "1.0_1",
		"1.0.dev.a1", "1.0.dev1.2", "1.0+", "1.0+a+b", "1.0+a..b",
		"1.0++", "1.0+_foobar", "1.0+foo&asd", "1.0+a.", "1+1+1",
		"french toast", "1.0a1a2", "1.0.post1.post2", "1.0-1-1",
		"1.0dev.post1", "1 .0", "1.0 a1", "v", "vv1", "!1", "1!",
		"1!!1", "1.0ab", "1.0alph", "1.0prev", "1.0rcc",
		"1.0a--", "1.0a1--1", "1,0", "1.*", "-1", "+1",
		"1.0po\xc5\xbft1", "1.0+\xc5\xbf", "1.0+\xe2\x84\xaa",
		"\xd9\xa1.0", "1.\xef\xbc\x91", "1.0\xff", "\x80" "1",
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		is_no_version(a, str_c(cases[i]));
	is_no_version(a, STR("1.0\0"));
	is_no_version(a, STR("1\0.0"));
}

/* Each is before the next. */
static const char *const ordered[] = {
	"0.dev0", "0a0", "0", "0.0.1",
	"1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12.dev456",
	"1.0a12", "1.0b1.dev456", "1.0b2", "1.0b2.post345.dev456",
	"1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0", "1.0+abc.5",
	"1.0+abc.7", "1.0+abcd", "1.0+5", "1.0+5.a", "1.0+5.0", "1.0+10",
	"1.0.post456.dev34", "1.0.post456", "1.0.0.1", "1.0.15", "1.1.dev1",
	"1.9", "1.10", "1.99999999999999999999", "1.100000000000000000000",
	"2", "10", "1!0.dev0", "1!1", "2!0", "10!0",
};

static void
test_order_is_pep_440s(struct arena *a)
{
	for (size_t i = 0; i < COUNT(ordered); i++) {
		for (size_t j = 0; j < COUNT(ordered); j++) {
			struct version v = parsed(a, str_c(ordered[i]));
			struct version w = parsed(a, str_c(ordered[j]));
			int want = (i > j) - (i < j);
			int by_cmp = version_cmp(&v, &w);
			int by_key = str_cmp(version_sort_key(a, &v),
			    version_sort_key(a, &w));

			is_int((by_cmp > 0) - (by_cmp < 0), want);
			is_int((by_key > 0) - (by_key < 0), want);
		}
	}
}

static void
test_equal_versions_have_equal_keys_and_canonical_forms(struct arena *a)
{
	static const char *const equal[][2] = {
		{ "1", "1.0.0" }, { "1.0-r4", "v01.post4" },
		{ "0", "00.0.00" }, { "1a", "1.0alpha00" },
		{ "1+A.01", "1.0+a-1" }, { "00!1.dev", "1dev0" },
	};

	for (size_t i = 0; i < COUNT(equal); i++) {
		struct version v = parsed(a, str_c(equal[i][0]));
		struct version w = parsed(a, str_c(equal[i][1]));

		is_int(version_cmp(&v, &w), 0);
		is_str(version_sort_key(a, &v), version_sort_key(a, &w));
		is_str(version_canonical(a, &v), version_canonical(a, &w));
	}
}

/* A number of so many digits, each of them c. */
static struct str
digits(struct arena *a, char c, size_t n)
{
	char *z = arena_alloc(a, n);

	memset(z, c, n);
	return (struct str){ z, n };
}

/* Keys count digits in one byte, and from 253 of them on in two. */
static void
test_numbers_may_be_as_long_as_the_version(struct arena *a)
{
	struct version last = parsed(a, STR("0"));

	for (size_t n = 1; n <= VERSION_MAX_BYTES; n++) {
		struct version v = parsed(a, digits(a, '9', n));

		ok(version_cmp(&last, &v) < 0);
		ok(str_cmp(version_sort_key(a, &last),
		    version_sort_key(a, &v)) < 0);
		is_str(version_normal(a, &v), digits(a, '9', n));
		last = v;
	}
	is_no_version(a, digits(a, '9', VERSION_MAX_BYTES + 1));
	is_no_version(a, digits(a, ' ', VERSION_MAX_BYTES + 1));
}

/* 252 digits and "-1" make 258 bytes with ".post1". */
static void
test_the_normal_form_is_bounded_as_the_text_is(struct arena *a)
{
	is_no_version(a, str_fmt(a, "%.*s-1", STR_ARG(digits(a, '9', 252))));
	parsed(a, str_fmt(a, "%.*s-1", STR_ARG(digits(a, '9', 250))));
}

static void
test_sort_keys_are_short(struct arena *a)
{
	char text[VERSION_MAX_BYTES];
	struct version v;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i == 1 ? '+' : i % 2 ? '.' : '1';
	text[sizeof(text) - 1] = '1';
	v = parsed(a, (struct str){ text, sizeof(text) });
	ok(version_sort_key(a, &v).n <= 2 * VERSION_MAX_BYTES);
}

static void
test_the_stored_form_of_a_key_stays(struct arena *a)
{
	struct version v = parsed(a, STR("1!2.0.3rc4.post5.dev6+a.70"));

	is_str(version_sort_key(a, &v), STR("\x02" "1" "\x02" "2\x01\x02" "3"
	    "\0" "\x04\x02" "4" "\x02" "5" "\x02" "6" "\x01" "a\0"
	    "\x02\x03" "70"));
	v = parsed(a, STR("1"));
	is_str(version_sort_key(a, &v), STR("\x01\x02" "1\0\x05\0\xff"));
}

static void
test_prerelease_and_local(struct arena *a)
{
	struct version final = parsed(a, STR("1.0.post1"));
	struct version pre = parsed(a, STR("1.0rc"));
	struct version dev = parsed(a, STR("1.0.post1.dev"));
	struct version local = parsed(a, STR("1.0+dev1"));

	ok(!version_is_prerelease(&final));
	ok(version_is_prerelease(&pre));
	ok(version_is_prerelease(&dev));
	ok(!version_is_prerelease(&local));
	ok(version_has_local(&local));
	ok(!version_has_local(&dev));
}

static void
test_scan_takes_no_space_and_copies_nothing(struct arena *a)
{
	struct str text = STR("1.0+ABC");
	struct version v;

	(void)a;
	ok(version_scan(STR(" 1.0"), &v) == INVALID);
	ok(version_scan(STR("1.0 "), &v) == INVALID);
	ok(version_scan(text, &v) == OK);
	ok(v.release.p == text.p && v.release.n == 3);
	is_str(v.local, STR("ABC"));
}

static void
test_a_failure_leaves_the_result_alone(struct arena *a)
{
	struct version v = parsed(a, STR("1.2"));

	ok(version_parse(a, STR("1.0+?"), &v) == INVALID);
	is_str(v.release, STR("1.2"));
}

int
main(void)
{
	RUN(test_normal_form_of_each_spelling);
	RUN(test_canonical_form_drops_trailing_zeros_of_the_release);
	RUN(test_what_is_no_version);
	RUN(test_order_is_pep_440s);
	RUN(test_equal_versions_have_equal_keys_and_canonical_forms);
	RUN(test_numbers_may_be_as_long_as_the_version);
	RUN(test_the_normal_form_is_bounded_as_the_text_is);
	RUN(test_sort_keys_are_short);
	RUN(test_the_stored_form_of_a_key_stays);
	RUN(test_prerelease_and_local);
	RUN(test_scan_takes_no_space_and_copies_nothing);
	RUN(test_a_failure_leaves_the_result_alone);
	return tap_done();
}
