/* Unit tests of lib/pkg/requirement. */
#include "tap.h"

#include "pkg/requirement.h"

static struct str
canonical(struct arena *a, const char *text)
{
	struct requirement r;

	if (requirement_parse(a, str_c(text), &r, NULL) != OK)
		return STR("INVALID");
	return requirement_canonical(a, &r);
}

static void
test_parts_are_as_they_were_written(struct arena *a)
{
	struct requirement r;

	is_int(requirement_parse(a, STR(" Foo.Bar [B, a] ( >= 1.0 ,<2 ) ; "
	    "os.name=='nt'"), &r, NULL), OK);
	is_str(r.name, STR("Foo.Bar"));
	is_int(r.extras.n, 2);
	is_str(r.extras.at[0], STR("B"));
	is_int(r.specifiers.n, 2);
	is_str(r.specifiers.at[0], STR(">= 1.0"));
	is_str(r.url, STR(""));
	is_str(r.marker, STR("os_name == \"nt\""));
}

static void
test_equal_requirements_have_one_spelling(struct arena *a)
{
	is_str(canonical(a, "Foo_Bar [B.c,a, A](>= 1.0, <2,<2)"),
	    STR("foo-bar[a,b-c]<2,>=1.0"));
	is_str(canonical(a, "a;extra=='Foo_Bar'"),
	    STR("a; extra == \"foo-bar\""));
	is_str(canonical(a, "a; 'Foo_Bar' in extras"),
	    STR("a; \"foo-bar\" in extras"));
	is_str(canonical(a, "a @ https://x.example/a.whl ; extra == 'x'"),
	    STR("a @ https://x.example/a.whl ; extra == \"x\""));
	is_str(canonical(a, "a; python_implementation  not   in 'x\"y'"),
	    STR("a; platform_python_implementation not in 'x\"y'"));
}

static void
test_needless_parentheses_go(struct arena *a)
{
	is_str(canonical(a, "a; (os_name<'1') and ((extra=='x'))"),
	    STR("a; os_name < \"1\" and extra == \"x\""));
	is_str(canonical(a, "a; ((os_name<'1' or extra=='x'))"),
	    STR("a; os_name < \"1\" or extra == \"x\""));
	is_str(canonical(a, "a; ((os_name<'1' or extra=='x')) and 'a'<'b'"),
	    STR("a; (os_name < \"1\" or extra == \"x\") and \"a\" < \"b\""));
}

static void
test_words_may_touch_what_is_no_word(struct arena *a)
{
	is_str(canonical(a, "a;'1'in os_name and(os_name)=='2'"),
	    STR("INVALID"));
	is_str(canonical(a, "a;'1'in'2'and'1'not in'2'"),
	    STR("a; \"1\" in \"2\" and \"1\" not in \"2\""));
	is_str(canonical(a, "a;'1'inos_name"), STR("INVALID"));
	is_str(canonical(a, "a;'1'notin os_name"), STR("INVALID"));
	is_str(canonical(a, "a;'1'not'2'"), STR("INVALID"));
}

static void
test_direct_references_are_reported(struct arena *a)
{
	bool has_url = false;

	is_int(requirement_check(a, STR("a @ https://x.example/"), &has_url,
	    NULL), OK);
	ok(has_url);
	is_int(requirement_check(a, STR("a[b]"), &has_url, NULL), OK);
	ok(!has_url);
	is_int(requirement_check(a, STR("a @"), NULL, NULL), INVALID);
}

static void
test_what_is_no_requirement_is_refused(struct arena *a)
{
	static const char *const bad[] = {
		"", " ", "-a", "a b", "a-", "a.>=1", "a [", "a[b", "a[b c]",
		"a[b,]", "a[,]", "a>", "a>=", "a>=1 2", "a>=1,x", "a(>=1",
		"a>=1)", "a>=1.*", "a~=1", "a;", "a;os_name", "a;os_name==",
		"a;os_name=='1", "a;os_name='1'", "a;(os_name=='1'",
		"a;os_name=='1')", "a;os_name=='1' and", "a;os_name=='1' xor "
		"os_name=='2'", "a;foo=='1'", "a;os_name=='\\n'", "a\n",
		"a;os_name=='\xff'", "a @ https://x.example/ x",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_str(canonical(a, bad[i]), STR("INVALID"));
}

static void
test_odd_but_valid_ones_are_taken(struct arena *a)
{
	is_str(canonical(a, "a()"), STR("a"));
	is_str(canonical(a, "a[]"), STR("a"));
	is_str(canonical(a, "a>=1,"), STR("a>=1"));
	is_str(canonical(a, "a_"), STR("a-"));
	is_str(canonical(a, "a @ b"), STR("a @ b"));
	is_str(canonical(a, "a===x"), STR("a===x"));
}

static void
test_the_error_says_what_was_expected(struct arena *a)
{
	struct err err;

	is_int(requirement_check(a, STR("a b"), NULL, &err), INVALID);
	is_str(str_c(err.text), STR("Expected ',', ';' or the end of the "
	    "requirement at 'b'"));
	is_int(requirement_check(a, STR("a>=x"), NULL, &err), INVALID);
	is_str(str_c(err.text), STR("'>=x' is not a valid version specifier"));
}

static struct str
nested(struct arena *a, size_t depth)
{
	char *text = arena_alloc(a, 2 * depth + 16);

	memcpy(text, "a;", 2);
	memset(text + 2, '(', depth);
	memcpy(text + 2 + depth, "'a'<'b'", 7);
	memset(text + 9 + depth, ')', depth);
	return (struct str){ text, 9 + 2 * depth };
}

static void
test_depth_and_size_are_bounded(struct arena *a)
{
	char long_name[REQUIREMENT_MAX_BYTES + 1];

	is_int(requirement_check(a, nested(a, REQUIREMENT_MAX_DEPTH), NULL,
	    NULL), OK);
	is_int(requirement_check(a, nested(a, REQUIREMENT_MAX_DEPTH + 1), NULL,
	    NULL), INVALID);
	memset(long_name, 'a', sizeof(long_name));
	is_int(requirement_check(a, (struct str){ long_name,
	    sizeof(long_name) }, NULL, NULL), INVALID);
	is_int(requirement_check(a, (struct str){ long_name,
	    sizeof(long_name) - 1 }, NULL, NULL), OK);
}

static void
test_the_shortest_words_fit_the_markers_room(struct arena *a)
{
	char text[4096] = "a;''<''";
	size_t n = strlen(text);

	for (; n + 9 < sizeof(text); n += 8)
		memcpy(text + n, "or''in''", 9);
	ok(canonical(a, text).n > n);
}

int
main(void)
{
	RUN(test_parts_are_as_they_were_written);
	RUN(test_equal_requirements_have_one_spelling);
	RUN(test_needless_parentheses_go);
	RUN(test_words_may_touch_what_is_no_word);
	RUN(test_direct_references_are_reported);
	RUN(test_what_is_no_requirement_is_refused);
	RUN(test_odd_but_valid_ones_are_taken);
	RUN(test_the_error_says_what_was_expected);
	RUN(test_depth_and_size_are_bounded);
	RUN(test_the_shortest_words_fit_the_markers_room);
	return tap_done();
}
