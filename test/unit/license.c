/* Unit tests of lib/pkg/license and the table that it looks into. */
#include "tap.h"

#include "pkg/data/tables.h"
#include "pkg/license.h"

static struct str
canonical(struct arena *a, const char *expression)
{
	struct str out = STR("?");

	if (license_canonical(a, str_c(expression), &out, NULL) != OK)
		return STR("INVALID");
	return out;
}

static void
test_identifiers_get_their_registered_case(struct arena *a)
{
	is_str(canonical(a, "mit"), STR("MIT"));
	is_str(canonical(a, "  aPACHE-2.0+ "), STR("Apache-2.0+"));
	is_str(canonical(a, "gpl-2.0-only with classpath-exception-2.0"),
	    STR("GPL-2.0-only WITH Classpath-exception-2.0"));
}

static void
test_every_identifier_is_its_own_canonical_form(struct arena *a)
{
	size_t same = 0;

	for (size_t i = 0; i < spdx_license_count; i++)
		same += str_eq(canonical(a,
		    str_lower(a, spdx_license[i]).p), spdx_license[i]);
	is_int(same, spdx_license_count);
	same = 0;
	for (size_t i = 0; i < spdx_exception_count; i++) {
		struct str text = str_fmt(a, "MIT WITH %.*s",
		    STR_ARG(spdx_exception[i]));

		same += str_eq(canonical(a, text.p), text);
	}
	is_int(same, spdx_exception_count);
}

static void
test_spaces_and_parentheses_are_tidied(struct arena *a)
{
	is_str(canonical(a, "mit\tAnd(\napache-2.0  or( bsd-2-clause ))"),
	    STR("MIT AND (Apache-2.0 OR (BSD-2-Clause))"));
}

static void
test_references_keep_their_own_case(struct arena *a)
{
	is_str(canonical(a, "licenseREF-My.own-1 or mit"),
	    STR("LicenseRef-My.own-1 OR MIT"));
	is_str(canonical(a, "LicenseRef-"), STR("INVALID"));
	is_str(canonical(a, "LicenseRef-a_b"), STR("INVALID"));
	is_str(canonical(a, "LicenseRef-a+"), STR("INVALID"));
}

static void
test_what_is_no_expression_is_refused(struct arena *a)
{
	static const char *const bad[] = {
		"", " ", "()", "(mit", "mit)", "mit mit", "mit or", "or mit",
		"mit and or mit", "mit (mit)", "(mit)(mit)", "not mit", "+",
		"mit with", "mit with mit", "mit with (llvm-exception)",
		"with llvm-exception", "(mit) with llvm-exception",
		"mit with llvm-exception with llvm-exception",
		"llvm-exception", "Use-it-after-midnight", "mit\xc3\xa9",
		"mit++",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_str(canonical(a, bad[i]), STR("INVALID"));
}

static void
test_the_error_names_what_is_unknown(struct arena *a)
{
	struct err err;
	struct str out = STR("?");

	is_int(license_canonical(a, STR("mit or Foo-1"), &out, &err), INVALID);
	is_str(str_c(err.text), STR("Unknown license: 'Foo-1'"));
	is_str(out, STR("?"));
	is_int(license_canonical(a, STR("mit with foo"), &out, &err), INVALID);
	is_str(str_c(err.text), STR("Unknown license exception: 'foo'"));
}

static void
test_depth_and_size_are_bounded(struct arena *a)
{
	char deep[2 * LICENSE_MAX_DEPTH + 6], z[LICENSE_MAX_BYTES + 2];
	size_t n = LICENSE_MAX_DEPTH + 1;

	memset(deep, '(', n);
	memcpy(deep + n, "mit", 3);
	memset(deep + n + 3, ')', n);
	deep[2 * n + 3] = '\0';
	is_str(canonical(a, deep), STR("INVALID"));
	deep[2 * n + 2] = '\0';
	ok(canonical(a, deep + 1).n == 2 * n + 1);
	memset(z, ' ', sizeof(z));
	memcpy(z, "mit", 3);
	z[LICENSE_MAX_BYTES + 1] = '\0';
	is_str(canonical(a, z), STR("INVALID"));
	z[LICENSE_MAX_BYTES] = '\0';
	is_str(canonical(a, z), STR("MIT"));
}

int
main(void)
{
	RUN(test_identifiers_get_their_registered_case);
	RUN(test_every_identifier_is_its_own_canonical_form);
	RUN(test_spaces_and_parentheses_are_tidied);
	RUN(test_references_keep_their_own_case);
	RUN(test_what_is_no_expression_is_refused);
	RUN(test_the_error_names_what_is_unknown);
	RUN(test_depth_and_size_are_bounded);
	return tap_done();
}
