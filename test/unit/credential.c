/* Unit tests of lib/http/credential and base64. */
#include "tap.h"

#include "http/base64.h"
#include "http/credential.h"

/* "KIND user|secret", or "UNKNOWN_CALLER". */
static struct str
read(struct arena *a, const char *field)
{
	static const char *const kinds[] = { "none", "password", "token" };
	struct credential c;
	struct err err;
	enum status st = credential_parse(a, str_c(field), &c, &err);

	if (st != OK)
		return str_c(status_name(st));
	return str_fmt(a, "%s %.*s|%.*s", kinds[c.kind], STR_ARG(c.user),
	    STR_ARG(c.secret));
}

static void
test_basic_is_user_and_password(struct arena *a)
{
	is_str(read(a, "Basic dXNlcjpwYXNz"), STR("password user|pass"));
	is_str(read(a, "bASIC  dXNlcjpwYXNz "), STR("password user|pass"));
	is_str(read(a, "Basic dTphOmI6Yw=="), STR("password u|a:b:c"));
	is_str(read(a, "Basic dTo="), STR("password u|"));
	is_str(read(a, "Basic dToAeA=="), STR("UNKNOWN_CALLER"));
}

static void
test_tokens_come_in_three_ways(struct arena *a)
{
	/* __token__:pypi-abc, the same with " \n" at its end */
	is_str(read(a, "Basic X190b2tlbl9fOnB5cGktYWJj"),
	    STR("token |pypi-abc"));
	is_str(read(a, "Basic X190b2tlbl9fOiBweXBpLWFiYyAK"),
	    STR("token |pypi-abc"));
	is_str(read(a, "Bearer pypi-abc"), STR("token |pypi-abc"));
	is_str(read(a, "token  pypi-abc "), STR("token |pypi-abc"));
	is_str(read(a, ""), STR("none |"));
	is_str(read(a, "  "), STR("none |"));
}

static void
test_what_cannot_be_read_is_an_unknown_caller(struct arena *a)
{
	static const char *const bad[] = {
		"Basic", "Basic ", "Basic dXNlcg==", "Basic dXNlcjpwYXNz=",
		"Basic dXNlcjpwYXN", "Basic dXNlcjpw YXNz", "Basic !!!!",
		"Basic OnBhc3M=", "Basic dTphCg==", "Bearer", "Bearer ",
		"Bearer a b", "Bearer a\x01", "Bearer \xc3\xa9", "token",
		"Digest username=x", "dXNlcjpwYXNz", "Basic,dXNlcjpwYXNz",
		"Basic X190b2tlbl9fOg==", "Basic X190b2tlbl9fOiAK",
		"Basic X190b2tlbl9fOmEgYg==",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is_str(read(a, bad[i]), STR("UNKNOWN_CALLER"));
		if (!str_eq(read(a, bad[i]), STR("UNKNOWN_CALLER")))
			printf("# %s\n", bad[i]);
	}
}

static void
test_both_ways_to_send_an_umlaut_are_one(struct arena *a)
{
	is_str(read(a, "Basic dTpww6Q="), STR("password u|p\xc3\xa4"));
	is_str(read(a, "Basic dTpw5A=="), STR("password u|p\xc3\xa4"));
}

static void
test_sizes_are_bounded(struct arena *a)
{
	char *field = arena_alloc(a, 100000);

	memcpy(field, "Bearer ", 7);
	memset(field + 7, 'x', CREDENTIAL_SECRET_MAX);
	ok(str_starts(read(a, field), STR("token |x")));
	field[7 + CREDENTIAL_SECRET_MAX] = 'x';
	is_str(read(a, field), STR("UNKNOWN_CALLER"));
	memset(field, 'x', 99999);
	is_str(read(a, field), STR("UNKNOWN_CALLER"));
	/* eHh4 is xxx: a user name of 256 bytes, then one of 259 */
	memset(field, 0, 100000);
	memcpy(field, "Basic ", 6);
	for (int i = 0; i < 85; i++)
		memcpy(field + 6 + 4 * i, "eHh4", 4);
	memcpy(field + 6 + 4 * 85, "eDp5", 4);
	ok(str_starts(read(a, field), STR("password xxx")));
	memcpy(field + 6 + 4 * 85, "eHh4eDp5", 8);
	is_str(read(a, field), STR("UNKNOWN_CALLER"));
}

static void
test_no_error_quotes_a_secret(struct arena *a)
{
	static const char *const bad[] = {
		"Basic dTpzZWNyZXQK", "Bearer secret secret", "secret secret",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct credential c;
		struct err err;

		ok(credential_parse(a, str_c(bad[i]), &c, &err) ==
		    UNKNOWN_CALLER);
		ok(!strstr(err.text, "secret"));
	}
}

static void
test_base64_has_one_spelling(struct arena *a)
{
	static const struct {
		const char *text, *want;	/* NULL: refused */
	} rows[] = {
		{ "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" },
		{ "Zm9v", "foo" }, { "Zm9vYg==", "foob" },
		{ "Zm9vYmFy", "foobar" }, { "+/+/", "\xfb\xff\xbf" },
		{ "Zh==", NULL }, { "Zm9=", NULL }, { "Zg=", NULL },
		{ "Zg", NULL }, { "=", NULL }, { "====", NULL },
		{ "Z===", NULL }, { "Zg==Zg==", NULL }, { "Zm9v\n", NULL },
		{ "Zm_v", NULL }, { "Z g=", NULL }, { "A\xc3\xa9=", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str out = STR("untouched");
		enum status st = base64_decode(a, str_c(rows[i].text), &out);

		ok(st == (rows[i].want ? OK : INVALID));
		is_str(out, rows[i].want ? str_c(rows[i].want) :
		    STR("untouched"));
	}
}

int
main(void)
{
	RUN(test_basic_is_user_and_password);
	RUN(test_tokens_come_in_three_ways);
	RUN(test_what_cannot_be_read_is_an_unknown_caller);
	RUN(test_both_ways_to_send_an_umlaut_are_one);
	RUN(test_sizes_are_bounded);
	RUN(test_no_error_quotes_a_secret);
	RUN(test_base64_has_one_spelling);
	return tap_done();
}
