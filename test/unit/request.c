/* Unit tests of lib/http/request and escape. */
#include "tap.h"

#include "http/request.h"

static const char *const plain[] = {
	"SERVER_NAME=_", "REQUEST_METHOD=GET",
	"REQUEST_URI=/simple/a%20b/?format=x%2By+z&empty=&%66lag&format=2",
	"REQUEST_SCHEME=https", "REQUEST_ID=0af1", "REMOTE_ADDR=192.0.2.7",
	"HTTP_HOST=example.org:8080", "HTTP_ACCEPT=text/html",
	"HTTP_ACCEPT_ENCODING=gzip", "HTTP_AUTHORIZATION=Basic eDp5",
	"HTTP_IF_NONE_MATCH=\"a\"", "HTTP_USER_AGENT=pip/26.1",
	"CONTENT_TYPE=", "CONTENT_LENGTH=", NULL,
};

static void
test_fields_come_from_their_parameters(struct arena *a)
{
	struct request rq;

	ok(request_init(&rq, a, plain, NULL) == OK);
	is_int(rq.method, METHOD_GET);
	is_str(rq.path, STR("/simple/a b/"));
	is_str(rq.raw_path, STR("/simple/a%20b/"));
	is_str(rq.query, STR("format=x%2By+z&empty=&%66lag&format=2"));
	is_str(rq.scheme, STR("https"));
	is_str(rq.id, STR("0af1"));
	is_str(rq.remote_addr, STR("192.0.2.7"));
	is_str(rq.host, STR("example.org:8080"));
	is_str(rq.accept, STR("text/html"));
	is_str(rq.accept_encoding, STR("gzip"));
	is_str(rq.authorization, STR("Basic eDp5"));
	is_str(rq.if_none_match, STR("\"a\""));
	is_str(rq.user_agent, STR("pip/26.1"));
	is_int(rq.content_length, -1);
	ok(rq.route == NULL);
}

static void
test_query_decodes_the_first_value(struct arena *a)
{
	struct request rq;

	ok(request_init(&rq, a, plain, NULL) == OK);
	is_str(request_query(&rq, STR("format")), STR("x+y z"));
	is_str(request_query_plus(&rq, STR("format")), STR("x+y+z"));
	is_str(request_query(&rq, STR("empty")), STR(""));
	is_str(request_query(&rq, STR("flag")), STR(""));
	is_str(request_query(&rq, STR("form")), STR(""));
}

/* The status of a GET with this URI; the request is left in *rq. */
static enum status
get(struct request *rq, struct arena *a, const char *uri)
{
	const char *env[] = { "REQUEST_METHOD=GET", NULL, NULL };
	struct str word = str_fmt(a, "REQUEST_URI=%s", uri);
	struct err err;

	env[1] = word.p;
	return request_init(rq, a, env, &err);
}

static void
test_paths_that_are_no_text_are_refused(struct arena *a)
{
	static const char *const bad[] = {
		"", "simple/", "?x", "*", "/%00", "/a%0", "/%", "/%zz",
		"/%ff", "/%c0%af", "/%ed%a0%80", "/\xff", "/../x", "/a/..",
		"/a/./b", "/.", "/%2e%2e/x", "/a/%2E",
	};
	struct request rq;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!ok(get(&rq, a, bad[i]) == INVALID))
			printf("# %s\n", bad[i]);
}

static void
test_paths_are_decoded_once(struct arena *a)
{
	struct request rq;

	ok(get(&rq, a, "/%2541") == OK);
	is_str(rq.path, STR("/%41"));
	ok(get(&rq, a, "/a+b%2Fc/...?") == OK);
	is_str(rq.path, STR("/a+b/c/..."));
	is_str(rq.query, STR(""));
	ok(get(&rq, a, "/%C3%A9?a?b") == OK);
	is_str(rq.path, STR("/\xc3\xa9"));
	is_str(rq.query, STR("a?b"));
}

static void
test_query_values_that_are_no_text_count_as_absent(struct arena *a)
{
	struct request rq;

	ok(get(&rq, a, "/?a=%ff&b=%00&c=100%&&=&d") == OK);
	is_str(request_query(&rq, STR("a")), STR(""));
	is_str(request_query(&rq, STR("b")), STR(""));
	is_str(request_query(&rq, STR("c")), STR("100%"));
	is_str(request_query(&rq, STR("d")), STR(""));
}

static void
test_sizes_are_bounded(struct arena *a)
{
	char *uri = arena_alloc(a, REQUEST_URI_MAX + 2);
	const char *env[] = { "REQUEST_METHOD=GET", "REQUEST_URI=/",
	    "REQUEST_ID=7", NULL, NULL };
	char *field = arena_alloc(a, REQUEST_HEADER_MAX + 100);
	struct request rq;
	struct err err;

	memset(uri, '/', REQUEST_URI_MAX);
	ok(get(&rq, a, uri) == OK);
	uri[REQUEST_URI_MAX] = '/';
	ok(get(&rq, a, uri) == INVALID);
	memset(field, 'x', REQUEST_HEADER_MAX + 99);
	memcpy(field, "HTTP_USER_AGENT=", 16);
	env[3] = field;
	ok(request_init(&rq, a, env, &err) == INVALID);
	is_str(rq.id, STR("7"));
}

static void
test_method_and_length_are_checked(struct arena *a)
{
	const char *env[] = { "REQUEST_URI=/", NULL, NULL, NULL };
	struct request rq;
	struct err err;

	ok(request_init(&rq, a, env, &err) == INVALID);
	env[1] = "REQUEST_METHOD=post";
	ok(request_init(&rq, a, env, &err) == OK);
	is_int(rq.method, METHOD_OTHER);
	env[1] = "REQUEST_METHOD=HEAD";
	env[2] = "CONTENT_LENGTH=12x";
	ok(request_init(&rq, a, env, &err) == INVALID);
	is_int(rq.method, METHOD_HEAD);
	env[2] = "CONTENT_LENGTH=-1";
	ok(request_init(&rq, a, env, &err) == INVALID);
	env[2] = "CONTENT_LENGTH=0";
	ok(request_init(&rq, a, env, &err) == OK);
	is_int(rq.content_length, 0);
}

/* A body of so many bytes, of which the source has so many. */
struct source {
	size_t left;
	bool broken;	/* ends with -1 */
};

static ssize_t
read_source(void *arg, void *into, size_t n)
{
	struct source *source = arg;

	if (source->left == 0)
		return source->broken ? -1 : 0;
	if (n > 3)
		n = 3;
	if (n > source->left)
		n = source->left;
	memset(into, 'x', n);
	source->left -= n;
	return (ssize_t)n;
}

/* Bytes that request_body_read() gives, less 1000 when it ends with -1. */
static long
read_all(int64_t length, size_t has, bool broken)
{
	struct source source = { has, broken };
	struct request rq = {
		.content_length = length, .body_source = &source,
		.body_read = read_source,
	};
	long total = 0, got;
	char bytes[10];

	while ((got = request_body_read(&rq, bytes, sizeof(bytes))) > 0)
		total += got;
	return got == 0 ? total : total - 1000;
}

static void
test_body_ends_where_content_length_says(struct arena *a)
{
	struct request none = { .arena = a, .content_length = -1 };
	char byte;

	is_int(read_all(7, 7, false), 7);
	is_int(read_all(7, 100, false), 7);
	is_int(read_all(7, 7, true), 7);
	is_int(read_all(0, 3, false), 0);
	is_int(read_all(7, 6, false), 6 - 1000);
	is_int(read_all(7, 6, true), 6 - 1000);
	is_int(read_all(-1, 6, false), 6);
	is_int(read_all(-1, 6, true), 6 - 1000);
	is_int(request_body_read(&none, &byte, 1), 0);
}

int
main(void)
{
	RUN(test_fields_come_from_their_parameters);
	RUN(test_query_decodes_the_first_value);
	RUN(test_paths_that_are_no_text_are_refused);
	RUN(test_paths_are_decoded_once);
	RUN(test_query_values_that_are_no_text_count_as_absent);
	RUN(test_sizes_are_bounded);
	RUN(test_method_and_length_are_checked);
	RUN(test_body_ends_where_content_length_says);
	return tap_done();
}
