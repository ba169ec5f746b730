/* Unit tests of lib/pkg/classifier. */
#include "tap.h"

#include "pkg/classifier.h"

static void
test_every_listed_one_is_known_and_in_order(struct arena *a)
{
	size_t known = 0, ordered = 1;

	(void)a;
	for (size_t i = 0; i < classifier_count(); i++) {
		known += classifier_find(classifier_at(i), NULL) ==
		    CLASSIFIER_KNOWN;
		ordered += i > 0 && str_cmp(classifier_at(i - 1),
		    classifier_at(i)) < 0;
	}
	ok(classifier_count() > 850);
	is_int(known, classifier_count());
	is_int(ordered, classifier_count());
}

static void
test_deprecated_ones_name_their_successor(struct arena *a)
{
	struct str instead = STR("?");

	(void)a;
	is_int(classifier_find(STR("Natural Language :: Ukranian"), &instead),
	    CLASSIFIER_DEPRECATED);
	is_str(instead, STR("Natural Language :: Ukrainian"));
	is_int(classifier_find(STR("License :: OSI Approved :: X.Net License"),
	    &instead), CLASSIFIER_DEPRECATED);
	is_str(instead, STR(""));
}

static void
test_unknown_ones_are_unknown(struct arena *a)
{
	struct str instead = STR("?");

	(void)a;
	is_int(classifier_find(STR(""), &instead), CLASSIFIER_UNKNOWN);
	is_str(instead, STR(""));
	is_int(classifier_find(STR("typing :: typed"), NULL),
	    CLASSIFIER_UNKNOWN);
	is_int(classifier_find(STR("Typing :: Typed "), NULL),
	    CLASSIFIER_UNKNOWN);
	is_int(classifier_find(STR("Typing :: Typed\0"), NULL),
	    CLASSIFIER_UNKNOWN);
	is_int(classifier_find(STR("zzz"), NULL), CLASSIFIER_UNKNOWN);
}

static void
test_private_ones_are_told_apart(struct arena *a)
{
	(void)a;
	is_int(classifier_find(STR("Private :: Do Not Upload"), NULL),
	    CLASSIFIER_PRIVATE);
	is_int(classifier_find(STR("Private"), NULL), CLASSIFIER_UNKNOWN);
}

int
main(void)
{
	RUN(test_every_listed_one_is_known_and_in_order);
	RUN(test_deprecated_ones_name_their_successor);
	RUN(test_unknown_ones_are_unknown);
	RUN(test_private_ones_are_told_apart);
	return tap_done();
}
