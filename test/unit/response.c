/* Unit tests of lib/http/response and respond. */
#include "tap.h"

#include "base/findings.h"
#include "http/request.h"
#include "http/respond.h"
#include "http/response.h"
#include "http/route.h"

static bool
has(struct str text, const char *part)
{
	return str_find_str(text, str_c(part), 0) < text.n;
}

static void
test_head_says_status_fields_and_length(struct arena *a)
{
	struct response rs;

	response_init(&rs, a);
	rs.type = STR("text/plain");
	header_put(&rs, STR("Vary"), STR("Accept"));
	buf_put(&rs.body, STR("hello\n"));
	is_str(response_head(&rs, a), STR("Status: 200 OK\r\n"
	    "Content-Type: text/plain\r\nVary: Accept\r\n"
	    "Content-Length: 6\r\n\r\n"));
}

static void
test_header_put_cannot_begin_another_field(struct arena *a)
{
	struct response rs;

	response_init(&rs, a);
	header_put(&rs, STR("X-A"), STR(" a\r\nSet-Cookie: x\0y\x7f\tz\n"));
	is_str(header_get(&rs, STR("x-a")), STR("aSet-Cookie: xy\tz"));
}

static void
test_header_put_replaces_and_header_drop_removes(struct arena *a)
{
	struct response rs;

	response_init(&rs, a);
	header_put(&rs, STR("A"), STR("1"));
	header_put(&rs, STR("B"), STR("2"));
	header_put(&rs, STR("a"), STR("3"));
	is_int(rs.headers, 2);
	is_str(header_get(&rs, STR("A")), STR("3"));
	header_drop(&rs, STR("A"));
	header_drop(&rs, STR("C"));
	is_int(rs.headers, 1);
	is_str(header_get(&rs, STR("B")), STR("2"));
	is_str(header_get(&rs, STR("A")), STR(""));
}

static void
test_as_many_header_fields_fit_as_promised(struct arena *a)
{
	struct response rs;

	response_init(&rs, a);
	for (int i = 0; i < RESPONSE_HEADERS; i++)
		header_put(&rs, str_fmt(a, "X-%d", i), STR("x"));
	header_put(&rs, STR("X-0"), STR("y"));
	header_drop(&rs, STR("X-99"));
	is_str(header_get(&rs, STR("X-99")), STR(""));
	is_int(rs.headers, RESPONSE_HEADERS);
}

/* The ETag of a body of this type. */
static struct str
tag_of(struct arena *a, struct str type, struct str body)
{
	struct response rs;

	response_init(&rs, a);
	rs.type = type;
	buf_put(&rs.body, body);
	response_etag(&rs);
	return header_get(&rs, STR("ETag"));
}

static void
test_etag_depends_on_type_and_body(struct arena *a)
{
	struct str tag = tag_of(a, STR("t"), STR("body"));

	is_int(tag.n, 34);
	ok(tag.p[0] == '"' && tag.p[33] == '"');
	ok(str_eq(tag, tag_of(a, STR("t"), STR("body"))));
	ok(!str_eq(tag, tag_of(a, STR("t"), STR("bodz"))));
	ok(!str_eq(tag, tag_of(a, STR("u"), STR("body"))));
	ok(!str_eq(tag, tag_of(a, STR("tb"), STR("ody"))));
	is_int(tag_of(a, STR(""), STR("")).n, 34);
}

static void
test_etag_put_keeps_what_a_tag_may_hold(struct arena *a)
{
	struct response rs;

	response_init(&rs, a);
	response_etag_put(&rs, STR("a\"b\\c d\xff\r\n"));
	is_str(header_get(&rs, STR("ETag")), STR("\"ab\\cd\""));
}

static void
test_conditional_answers_304_for_what_the_client_has(struct arena *a)
{
	struct request rq = { .arena = a, .if_none_match = STR("W/\"x\"") };
	struct response rs;

	response_init(&rs, a);
	rs.type = STR("text/html");
	buf_put(&rs.body, STR("page"));
	header_put(&rs, STR("Vary"), STR("Accept"));
	respond_conditional(&rq, &rs);
	is_int(rs.code, 0);
	response_etag_put(&rs, STR("x"));
	respond_conditional(&rq, &rs);
	is_str(response_head(&rs, a), STR("Status: 304 Not Modified\r\n"
	    "Vary: Accept\r\nETag: \"x\"\r\n\r\n"));
	is_int(rs.body.len, 0);
}

static void
test_conditional_is_for_get_and_head_only(struct arena *a)
{
	struct request rq = { .method = METHOD_POST,
	    .if_none_match = STR("*") };
	struct response rs;

	response_init(&rs, a);
	response_etag_put(&rs, STR("x"));
	respond_conditional(&rq, &rs);
	is_int(rs.code, 0);
	rq.method = METHOD_HEAD;
	respond_conditional(&rq, &rs);
	is_int(rs.code, 304);
}

/* Answer st with this text to a client of this Accept; the head. */
static struct str
fail(struct arena *a, struct response *rs, enum status st, const char *accept,
    const char *text)
{
	struct request rq = { .arena = a, .id = STR("1234") };
	struct err err;

	rq.accept = str_c(accept);
	response_init(rs, a);
	(void)err_set(&err, st, "%s", text);
	respond_error(&rq, rs, st, &err, NULL);
	return response_head(rs, a);
}

static void
test_each_status_has_its_number(struct arena *a)
{
	static const struct {
		enum status st;
		const char *line;
	} rows[] = {
		{ NOT_FOUND, "Status: 404 why\r\n" },
		{ INVALID, "Status: 400 why\r\n" },
		{ UNKNOWN_CALLER, "Status: 401 why\r\n" },
		{ DENIED, "Status: 403 why\r\n" },
		{ CONFLICT, "Status: 409 why\r\n" },
		{ TOO_LARGE, "Status: 413 why\r\n" },
		{ GONE, "Status: 410 why\r\n" },
		{ UNAVAILABLE, "Status: 503 The index cannot answer" },
	};
	struct response rs;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str head = fail(a, &rs, rows[i].st, "", "why");

		ok(str_starts(head, str_c(rows[i].line)));
	}
	ok(has(fail(a, &rs, UNKNOWN_CALLER, "", ""),
	    "\r\nWWW-Authenticate: Basic realm=\"pypi\"\r\n"));
	ok(has(fail(a, &rs, UNAVAILABLE, "", ""), "\r\nRetry-After: 5\r\n"));
	ok(has(fail(a, &rs, NOT_FOUND, "", ""), "Status: 404 Not Found\r\n"));
}

static void
test_unavailable_keeps_its_reasons_to_itself(struct arena *a)
{
	struct response rs;
	struct str head = fail(a, &rs, UNAVAILABLE, "", "host db1 is down");

	ok(!has(head, "db1"));
	ok(!has(buf_view(&rs.body), "db1"));
	ok(has(buf_view(&rs.body), "1234"));
}

static void
test_an_upload_conflict_is_400_with_the_text_twice(struct arena *a)
{
	struct request rq = { .arena = a };
	struct response rs;
	struct err err;

	response_init(&rs, a);
	rs.conflict_is_400 = true;
	(void)err_set(&err, CONFLICT, "File already exists ('a.whl')");
	respond_error(&rq, &rs, CONFLICT, &err, NULL);
	ok(has(response_head(&rs, a),
	    "Status: 400 File already exists ('a.whl')\r\n"));
	is_str(buf_view(&rs.body), STR("File already exists ('a.whl')\n"));
}

static void
test_reason_is_one_short_line_of_ascii(struct arena *a)
{
	struct request rq = { .arena = a };
	struct response rs;
	struct err err = { .code = INVALID, .text = " a\r\nX: b\xc3\xa9\x7f" };
	char *text = arena_alloc(a, 1000);

	response_init(&rs, a);
	respond_error(&rq, &rs, INVALID, &err, NULL);
	is_str(rs.reason, STR("a  X: b? "));
	memset(text, 'x', 999);
	fail(a, &rs, INVALID, "", text);
	is_int(rs.reason.n, RESPOND_REASON_MAX);
}

static struct findings
two_findings(struct arena *a)
{
	struct findings f = findings_new(a);

	findings_add(&f, STR("name"), "'<x>' is no name");
	findings_add(&f, STR(""), "no \"version\"");
	return f;
}

static void
test_body_follows_accept(struct arena *a)
{
	static const struct {
		const char *accept, *type, *body;
	} rows[] = {
		{ "", "text/plain; charset=utf-8",
		    "name: '<x>' is no name\nno \"version\"\n" },
		{ "*/*", "text/plain; charset=utf-8",
		    "name: '<x>' is no name\nno \"version\"\n" },
		{ "image/png", "text/plain; charset=utf-8",
		    "name: '<x>' is no name\nno \"version\"\n" },
		{ "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7",
		    "application/json",
		    "{\"message\":\"name: '\\u003cx\\u003e' is no name; "
		    "no \\\"version\\\"\",\"code\":\"400 name: "
		    "'\\u003cx\\u003e' is no name; no \\\"version\\\"\","
		    "\"title\":\"Bad Request\",\"errors\":["
		    "{\"source\":\"name\",\"message\":\"'\\u003cx\\u003e' is "
		    "no name\"},{\"source\":\"\",\"message\":"
		    "\"no \\\"version\\\"\"}]}\n" },
		{ "application/problem+json, application/json",
		    "application/problem+json",
		    "{\"type\":\"about:blank\",\"title\":\"Bad Request\","
		    "\"status\":400,\"detail\":\"name: '\\u003cx\\u003e' is "
		    "no name; no \\\"version\\\"\",\"errors\":["
		    "{\"source\":\"name\",\"message\":\"'\\u003cx\\u003e' is "
		    "no name\"},{\"source\":\"\",\"message\":"
		    "\"no \\\"version\\\"\"}]}\n" },
	};
	struct findings f = two_findings(a);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request rq = { .arena = a };
		struct response rs;

		rq.accept = str_c(rows[i].accept);
		response_init(&rs, a);
		respond_error(&rq, &rs, INVALID, NULL, &f);
		is_str(rs.reason, STR("'<x>' is no name"));
		is_str(rs.type, str_c(rows[i].type));
		is_str(buf_view(&rs.body), str_c(rows[i].body));
	}
}

static void
test_findings_over_the_limit_are_counted(struct arena *a)
{
	struct request rq = { .arena = a };
	struct findings f = findings_new(a);
	struct response rs;

	for (int i = 0; i < FINDINGS_MAX + 7; i++)
		findings_add(&f, STR("f"), "wrong");
	response_init(&rs, a);
	respond_error(&rq, &rs, INVALID, NULL, &f);
	ok(str_ends(buf_view(&rs.body), STR("\nand 7 more\n")));
}

static void
test_an_error_drops_what_was_there_before(struct arena *a)
{
	struct request rq = { .arena = a };
	struct response rs;

	response_init(&rs, a);
	rs.type = STR("text/html");
	buf_put(&rs.body, STR("half a page"));
	response_etag(&rs);
	header_put(&rs, STR("Cache-Control"), STR("max-age=600"));
	respond_error(&rq, &rs, NOT_FOUND, NULL, NULL);
	is_str(response_head(&rs, a), STR("Status: 404 Not Found\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\nVary: Accept\r\n"
	    "Content-Length: 10\r\n\r\n"));
	is_str(buf_view(&rs.body), STR("Not Found\n"));
}

static void
test_other_answers_have_their_fields(struct arena *a)
{
	struct request rq = { .arena = a };
	struct response rs;

	response_init(&rs, a);
	respond_redirect(&rs, STR("/simple/x/\r\nX: y"));
	is_str(response_head(&rs, a), STR("Status: 301 Moved Permanently\r\n"
	    "Location: /simple/x/X: y\r\nContent-Length: 0\r\n\r\n"));
	response_init(&rs, a);
	respond_options(&rs, ROUTE_GET | ROUTE_POST);
	is_str(response_head(&rs, a), STR("Status: 204 No Content\r\n"
	    "Allow: GET, HEAD, POST, OPTIONS\r\n\r\n"));
	response_init(&rs, a);
	respond_no_content(&rs);
	is_int(rs.code, 204);
	respond_method_not_allowed(&rq, &rs, ROUTE_POST);
	is_int(rs.code, 405);
	is_str(header_get(&rs, STR("Allow")), STR("POST, OPTIONS"));
	respond_not_acceptable(&rq, &rs, STR("we have text/html"));
	is_int(rs.code, 406);
	is_str(buf_view(&rs.body), STR("we have text/html\n"));
}

/* Collects what is sent; refuses all once it has 100 KB. */
static enum status
collect(void *to, struct str bytes)
{
	struct buf *sent = to;

	if (sent->len >= 100000)
		return UNAVAILABLE;
	buf_put(sent, bytes);
	return OK;
}

static void
fill_body(struct response *rs, size_t n)
{
	memset(buf_room(&rs->body, n), 'x', n);
	buf_wrote(&rs->body, n);
}

static void
test_a_long_body_spills_behind_a_head_without_length(struct arena *a)
{
	struct buf sent = buf_new(a);
	struct response rs;
	struct err err;

	response_init(&rs, a);
	rs.type = STR("text/xml");
	rs.send = collect;
	rs.send_to = &sent;
	fill_body(&rs, RESPONSE_SPILL - 1);
	ok(response_spill(&rs, &err) == OK);
	is_int(sent.len, 0);
	ok(!rs.head_sent);
	fill_body(&rs, 1);
	ok(response_spill(&rs, &err) == OK);
	ok(rs.head_sent);
	is_int(rs.body.len, 0);
	is_int(rs.sent_bytes, RESPONSE_SPILL);
	ok(str_starts(buf_view(&sent), STR("Status: 200 OK\r\n"
	    "Content-Type: text/xml\r\n\r\nxxx")));
	fill_body(&rs, RESPONSE_SPILL);
	ok(response_spill(&rs, &err) == OK);
	is_int(rs.sent_bytes, 2 * RESPONSE_SPILL);
	fill_body(&rs, RESPONSE_SPILL);
	ok(response_spill(&rs, &err) == UNAVAILABLE);
}

static void
test_without_a_way_to_send_nothing_spills(struct arena *a)
{
	struct response rs;
	struct err err;

	response_init(&rs, a);
	fill_body(&rs, 2 * RESPONSE_SPILL);
	ok(response_spill(&rs, &err) == OK);
	is_int(rs.body.len, 2 * RESPONSE_SPILL);
	is_int(response_code(&rs), 200);
}

int
main(void)
{
	RUN(test_head_says_status_fields_and_length);
	RUN(test_header_put_cannot_begin_another_field);
	RUN(test_header_put_replaces_and_header_drop_removes);
	RUN(test_as_many_header_fields_fit_as_promised);
	RUN(test_etag_depends_on_type_and_body);
	RUN(test_etag_put_keeps_what_a_tag_may_hold);
	RUN(test_conditional_answers_304_for_what_the_client_has);
	RUN(test_conditional_is_for_get_and_head_only);
	RUN(test_each_status_has_its_number);
	RUN(test_unavailable_keeps_its_reasons_to_itself);
	RUN(test_an_upload_conflict_is_400_with_the_text_twice);
	RUN(test_reason_is_one_short_line_of_ascii);
	RUN(test_body_follows_accept);
	RUN(test_findings_over_the_limit_are_counted);
	RUN(test_an_error_drops_what_was_there_before);
	RUN(test_other_answers_have_their_fields);
	RUN(test_a_long_body_spills_behind_a_head_without_length);
	RUN(test_without_a_way_to_send_nothing_spills);
	return tap_done();
}
