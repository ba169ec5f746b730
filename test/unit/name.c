/* Unit tests of pkg/name. */
#include "tap.h"

#include "pkg/name.h"

static void
test_valid_names_begin_and_end_with_a_letter_or_digit(struct arena *a)
{
	(void)a;
	ok(name_is_valid(STR("a")));
	ok(name_is_valid(STR("7")));
	ok(name_is_valid(STR("zope.interface")));
	ok(name_is_valid(STR("A.-_9")));
	ok(!name_is_valid(STR("")));
	ok(!name_is_valid(STR("-a")));
	ok(!name_is_valid(STR("a-")));
	ok(!name_is_valid(STR("_")));
	ok(!name_is_valid(STR(".a")));
}

static void
test_valid_names_hold_nothing_odd(struct arena *a)
{
	(void)a;
	ok(!name_is_valid(STR("a b")));
	ok(!name_is_valid(STR("a/b")));
	ok(!name_is_valid(STR("a\0b")));
	ok(!name_is_valid(STR("abc\n")));
	ok(!name_is_valid(STR("\xc5\xbf\x61")));	/* long s */
	ok(!name_is_valid(STR("a\xe2\x84\xaa")));	/* Kelvin sign */
}

static void
test_valid_names_are_bounded(struct arena *a)
{
	char *z = arena_alloc(a, NAME_MAX_BYTES + 1);

	memset(z, 'a', NAME_MAX_BYTES + 1);
	ok(name_is_valid((struct str){ z, NAME_MAX_BYTES }));
	ok(!name_is_valid((struct str){ z, NAME_MAX_BYTES + 1 }));
	ok(!name_is_normal((struct str){ z, NAME_MAX_BYTES + 1 }));
}

static void
test_normalize_folds_case_and_runs_of_separators(struct arena *a)
{
	is_str(name_normalize(a, STR("Friendly-Bard")), STR("friendly-bard"));
	is_str(name_normalize(a, STR("friendly.bard")), STR("friendly-bard"));
	is_str(name_normalize(a, STR("friendly_bard")), STR("friendly-bard"));
	is_str(name_normalize(a, STR("friendly--bard")), STR("friendly-bard"));
	is_str(name_normalize(a, STR("FrIeNdLy-._.-bArD")),
	    STR("friendly-bard"));
	is_str(name_normalize(a, STR("__a..")), STR("-a-"));
	is_str(name_normalize(a, STR("")), STR(""));
}

static void
test_normal_is_what_normalize_gives(struct arena *a)
{
	(void)a;
	ok(name_is_normal(STR("friendly-bard")));
	ok(name_is_normal(STR("a")));
	ok(!name_is_normal(STR("Friendly-bard")));
	ok(!name_is_normal(STR("friendly--bard")));
	ok(!name_is_normal(STR("friendly.bard")));
	ok(!name_is_normal(STR("-a")));
	ok(!name_is_normal(STR("a-")));
	ok(!name_is_normal(STR("")));
}

static void
test_ultra_makes_lookalikes_equal(struct arena *a)
{
	is_str(name_ultra(a, STR("LiI.l_o-O0")), STR("1111000"));
	is_str(name_ultra(a, STR("Google")), name_ultra(a, STR("g00g1e")));
	is_str(name_ultra(a, STR("requests")), STR("requests"));
	is_str(name_ultra(a, STR("")), STR(""));
}

int
main(void)
{
	RUN(test_valid_names_begin_and_end_with_a_letter_or_digit);
	RUN(test_valid_names_hold_nothing_odd);
	RUN(test_valid_names_are_bounded);
	RUN(test_normalize_folds_case_and_runs_of_separators);
	RUN(test_normal_is_what_normalize_gives);
	RUN(test_ultra_makes_lookalikes_equal);
	return tap_done();
}
