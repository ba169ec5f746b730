/* Unit tests of lib/http/negotiate. */
#include "tap.h"

#include "http/negotiate.h"

#define V1J	"application/vnd.pypi.simple.v1+json"
#define V1H	"application/vnd.pypi.simple.v1+html"
#define LATESTJ	"application/vnd.pypi.simple.latest+json"
#define LATESTH	"application/vnd.pypi.simple.latest+html"

#define REFUSED	(-1)

/* The format for this Accept and this parameter, or REFUSED. */
static int
format_of(const char *accept, const char *param)
{
	enum simple_format format = SIMPLE_HTML;

	if (negotiate_simple(str_c(accept), str_c(param), &format) != OK)
		return REFUSED;
	return (int)format;
}

struct row {
	const char *accept;
	int want;
};

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		is_int(format_of(rows[i].accept, ""), rows[i].want);
		if (format_of(rows[i].accept, "") != rows[i].want)
			printf("# Accept: %s\n", rows[i].accept);
	}
}

#define CHECK(rows)	check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* What each of them sends when it asks for a page of the simple API. */
static void
test_each_real_client_gets_the_form_it_likes_best(struct arena *a)
{
	static const struct row rows[] = {
		/* pip >= 22.2, pdm */
		{ V1J ", " V1H "; q=0.1, text/html; q=0.01", SIMPLE_V1_JSON },
		/* older pip */
		{ "text/html", SIMPLE_HTML },
		/* uv */
		{ V1J ", " V1H ";q=0.2, text/html;q=0.01", SIMPLE_V1_JSON },
		/* poetry */
		{ V1J ", */*;q=0.1", SIMPLE_V1_JSON },
		/* devpi */
		{ V1H ";q=0.2, " V1J ", text/html;q=0.01", SIMPLE_V1_JSON },
		/* bandersnatch */
		{ V1J, SIMPLE_V1_JSON },
		/* requests, httpx (hatch), curl, wget */
		{ "*/*", SIMPLE_HTML },
		/* easy_install, pep381client, urllib */
		{ "", SIMPLE_HTML },
		/* Firefox, Chrome */
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,"
		    "image/avif,image/webp,*/*;q=0.8", SIMPLE_HTML },
		/* java.net.URLConnection, as in some proxies */
		{ "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
		    SIMPLE_HTML },
	};

	(void)a;
	CHECK(rows);
}

static void
test_warehouse_answers_are_ours(struct arena *a)
{
	static const struct row rows[] = {
		{ "garbage", SIMPLE_HTML },
		{ "application/*", SIMPLE_V1_HTML },
		{ V1J ";q=.5, text/html;q=.5", SIMPLE_HTML },
		{ "APPLICATION/VND.PyPI.simple.V1+JSON", SIMPLE_V1_JSON },
		{ "text/*;q=0.3, application/*;q=0.2", SIMPLE_HTML },
	};

	(void)a;
	CHECK(rows);
}

static void
test_q_decides(struct arena *a)
{
	static const struct row rows[] = {
		{ "text/html;q=0.1, " V1H ";q=0.2", SIMPLE_V1_HTML },
		{ "text/html;q=0.123, " V1J ";q=0.124", SIMPLE_V1_JSON },
		{ "text/html;q=0.1231, " V1J ";q=0.1239", SIMPLE_HTML },
		{ "text/html;Q=0, " V1J ";q=0.001", SIMPLE_V1_JSON },
		{ V1J ";q=1.000, text/html; charset=utf-8; q=0.9",
		    SIMPLE_V1_JSON },
		{ "text/html ; q = 0.1 , " V1H, SIMPLE_V1_HTML },
		{ "*/*, text/html;q=0.1", SIMPLE_V1_HTML },
		{ "*/*;q=0.1, " V1J ";q=0", SIMPLE_HTML },
		{ "text/html;q=0, */*", SIMPLE_V1_HTML },
		{ "text/html;q=0, " V1H ";q=0, */*", SIMPLE_V1_JSON },
		{ "application/*;q=0, */*", SIMPLE_HTML },
		{ ", ,text/html;q=0.5,,", SIMPLE_HTML },
		{ "text/html;x=\"a,b;q=0\", " V1H ";q=0.5", SIMPLE_HTML },
	};

	(void)a;
	CHECK(rows);
}

static void
test_latest_is_the_version_we_have(struct arena *a)
{
	static const struct row rows[] = {
		{ LATESTJ, SIMPLE_V1_JSON },
		{ LATESTH ", text/html;q=0.5", SIMPLE_V1_HTML },
		{ LATESTJ ";q=0.1, " V1J ";q=0.9, text/html;q=0.5",
		    SIMPLE_V1_JSON },
		{ LATESTJ ";q=0, */*", SIMPLE_HTML },
		{ V1H ";q=0, " V1J ";q=0, text/html;q=0, */*", REFUSED },
	};

	(void)a;
	CHECK(rows);
}

static void
test_an_accept_that_names_none_of_ours_is_refused(struct arena *a)
{
	static const struct row rows[] = {
		{ "application/json", REFUSED },
		{ "application/vnd.pypi.simple.v2+json", REFUSED },
		{ "image/*", REFUSED },
		{ "text/html;q=0", REFUSED },
		{ "*/*;q=0", REFUSED },
		{ V1J ";q=0.000", REFUSED },
	};

	(void)a;
	CHECK(rows);
}

static void
test_what_cannot_be_read_is_passed_over(struct arena *a)
{
	static const struct row rows[] = {
		{ ";;;", SIMPLE_HTML }, { "\xff\xfe", SIMPLE_HTML },
		{ "\"", SIMPLE_HTML }, { "/", SIMPLE_HTML },
		{ "image/png;q=2", SIMPLE_HTML },
		{ "image/png;q=-1", SIMPLE_HTML },
		{ "image/png;q=", SIMPLE_HTML },
		{ "image/png;q=.", SIMPLE_HTML },
		{ "image/png;q=1.001", SIMPLE_HTML },
		{ "text html, " V1J, SIMPLE_V1_JSON },
		{ V1J ";q=x, text/html;q=0.1", SIMPLE_HTML },
		{ "en, *", SIMPLE_HTML },
	};

	(void)a;
	CHECK(rows);
}

static void
test_format_beats_accept(struct arena *a)
{
	(void)a;
	is_int(format_of("text/html", V1J), SIMPLE_V1_JSON);
	is_int(format_of("image/png", V1H), SIMPLE_V1_HTML);
	is_int(format_of(V1J, "text/html"), SIMPLE_HTML);
	is_int(format_of("", LATESTJ), SIMPLE_V1_JSON);
	is_int(format_of("", LATESTH), SIMPLE_V1_HTML);
	is_int(format_of(V1J, "json"), SIMPLE_V1_JSON);
	is_int(format_of(V1J, "application/vnd.pypi.simple.v1 json"),
	    SIMPLE_V1_JSON);
	is_int(format_of("image/png", "nonsense"), REFUSED);
}

static void
test_the_answer_is_named_by_its_concrete_type(struct arena *a)
{
	(void)a;
	is_str(simple_format_type(SIMPLE_HTML),
	    STR("text/html; charset=UTF-8"));
	is_str(simple_format_type(SIMPLE_V1_HTML), STR(V1H));
	is_str(simple_format_type(SIMPLE_V1_JSON), STR(V1J));
}

static void
test_gzip_is_used_where_it_is_welcome(struct arena *a)
{
	static const struct {
		const char *field;
		bool want;
	} rows[] = {
		{ "", false }, { "gzip", true }, { "GZip", true },
		{ "x-gzip", true }, { "identity", false },
		{ "gzip, deflate", true }, { "deflate, br", false },
		{ "gzip, deflate, zstd", true },
		{ "gzip, deflate, br;q=0.9", true },
		{ "gzip;q=0", false }, { "gzip;q=0.000", false },
		{ "gzip;q=0.5", true }, { "gzip;q=.5", true },
		{ "gzip;q=0.5, identity;q=0.5", true },
		{ "gzip;q=0.5, identity", false },
		{ "identity;q=0", false }, { "identity;q=0, gzip", true },
		{ "*", true }, { "*;q=0", false },
		{ "gzip, *;q=0", true }, { "gzip;q=0, *", false },
		{ "identity, *;q=0.5", false },
		{ "gzip;q=x", false }, { "gzipped", false }, { "\xff", false },
	};

	(void)a;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!ok(negotiate_gzip(str_c(rows[i].field)) == rows[i].want))
			printf("# Accept-Encoding: %s\n", rows[i].field);
}

static void
test_etags_compare_weakly(struct arena *a)
{
	static const struct {
		const char *list, *tag;
		bool want;
	} rows[] = {
		{ "\"a\"", "\"a\"", true }, { "W/\"a\"", "\"a\"", true },
		{ "\"a\"", "W/\"a\"", true }, { "\"b\"", "\"a\"", false },
		{ "\"b\", W/\"a\"", "\"a\"", true },
		{ "\"b\",\"a\"", "\"a\"", true },
		{ "\"a,b\"", "\"a\"", false }, { "\"a,b\"", "\"a,b\"", true },
		{ "\"x\\\", \"a\"", "\"a\"", true },
		{ "*", "\"a\"", true }, { " * ", "\"a\"", true },
		{ "*", "", false }, { "", "\"a\"", false },
		{ "a", "\"a\"", false }, { "\"a", "\"a\"", false },
		{ "\"\"", "\"\"", true }, { "\"*\"", "\"a\"", false },
	};

	(void)a;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!ok(etag_matches(str_c(rows[i].list),
		    str_c(rows[i].tag)) == rows[i].want))
			printf("# %s in %s\n", rows[i].tag, rows[i].list);
}

static void
test_types_in_general_prefer_the_first(struct arena *a)
{
	static const struct str types[] = {
		STR_INIT("text/plain"), STR_INIT("application/json"),
	};
	size_t chosen = 9;

	(void)a;
	ok(negotiate_type(STR("image/png"), types, 2, &chosen) == INVALID);
	is_int(chosen, 9);
	ok(negotiate_type(STR(""), types, 2, &chosen) == OK);
	is_int(chosen, 0);
	ok(negotiate_type(STR("*/*;q=0.1"), types, 2, &chosen) == OK);
	is_int(chosen, 0);
	ok(negotiate_type(STR("text/plain;q=0.1, application/*"), types, 2,
	    &chosen) == OK);
	is_int(chosen, 1);
}

int
main(void)
{
	RUN(test_each_real_client_gets_the_form_it_likes_best);
	RUN(test_warehouse_answers_are_ours);
	RUN(test_q_decides);
	RUN(test_latest_is_the_version_we_have);
	RUN(test_an_accept_that_names_none_of_ours_is_refused);
	RUN(test_what_cannot_be_read_is_passed_over);
	RUN(test_format_beats_accept);
	RUN(test_the_answer_is_named_by_its_concrete_type);
	RUN(test_gzip_is_used_where_it_is_welcome);
	RUN(test_etags_compare_weakly);
	RUN(test_types_in_general_prefer_the_first);
	return tap_done();
}
