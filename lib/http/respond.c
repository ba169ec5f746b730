#include "http/respond.h"

#include "base/buf.h"
#include "base/findings.h"
#include "base/json.h"
#include "http/negotiate.h"
#include "http/request.h"
#include "http/response.h"
#include "http/route.h"

/* bytes of all findings in one line; uv shows it, and a terminal has room */
#define SUMMARY_MAX	((size_t)4000)

/* RFC 9110 section 15. */
enum {
	HTTP_OK = 200,
	HTTP_CREATED = 201,
	HTTP_NO_CONTENT = 204,
	HTTP_MOVED = 301,
	HTTP_NOT_MODIFIED = 304,
	HTTP_BAD_REQUEST = 400,
	HTTP_UNAUTHORIZED = 401,
	HTTP_FORBIDDEN = 403,
	HTTP_NOT_FOUND = 404,
	HTTP_BAD_METHOD = 405,
	HTTP_NOT_ACCEPTABLE = 406,
	HTTP_CONFLICT = 409,
	HTTP_GONE = 410,
	HTTP_TOO_LARGE = 413,
	HTTP_SERVER_ERROR = 500,
	HTTP_UNAVAILABLE = 503,
};

static struct str
usual_words(int code)
{
	switch (code) {
	case HTTP_OK:			return STR("OK");
	case HTTP_CREATED:		return STR("Created");
	case HTTP_NO_CONTENT:		return STR("No Content");
	case HTTP_MOVED:		return STR("Moved Permanently");
	case HTTP_NOT_MODIFIED:		return STR("Not Modified");
	case HTTP_BAD_REQUEST:		return STR("Bad Request");
	case HTTP_UNAUTHORIZED:		return STR("Unauthorized");
	case HTTP_FORBIDDEN:		return STR("Forbidden");
	case HTTP_NOT_FOUND:		return STR("Not Found");
	case HTTP_BAD_METHOD:		return STR("Method Not Allowed");
	case HTTP_NOT_ACCEPTABLE:	return STR("Not Acceptable");
	case HTTP_CONFLICT:		return STR("Conflict");
	case HTTP_GONE:			return STR("Gone");
	case HTTP_TOO_LARGE:		return STR("Content Too Large");
	case HTTP_UNAVAILABLE:		return STR("Service Unavailable");
	default:			return STR("Internal Server Error");
	}
}

static int
code_of(enum status st, const struct response *rs)
{
	switch (st) {
	case OK:		break;	/* no error: whoever says so erred */
	case NOT_FOUND:		return HTTP_NOT_FOUND;
	case INVALID:		return HTTP_BAD_REQUEST;
	case UNKNOWN_CALLER:	return HTTP_UNAUTHORIZED;
	case DENIED:		return HTTP_FORBIDDEN;
	case CONFLICT:		return rs->conflict_is_400 ?
				    HTTP_BAD_REQUEST : HTTP_CONFLICT;
	case TOO_LARGE:		return HTTP_TOO_LARGE;
	case GONE:		return HTTP_GONE;
	case UNAVAILABLE:	return HTTP_UNAVAILABLE;
	}
	return HTTP_SERVER_ERROR;
}

/* What is wrong, in the three lengths that an answer needs. */
struct trouble {
	int code;
	struct str text;	/* one line; when there are no findings */
	const struct finding *at;
	size_t n;
	size_t total;		/* findings, also those not kept */
};

/* One line of printable ASCII, fit for a status line. */
static struct str
reason_phrase(struct arena *a, struct str text)
{
	struct buf out = buf_new(a);

	text = str_trim(text);
	for (size_t i = 0; i < text.n && out.len < RESPOND_REASON_MAX; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < ' ' || c == 0x7f)
			buf_byte(&out, ' ');
		else if (c < 0x80)
			buf_byte(&out, (char)c);
		else if ((c & 0xc0) != 0x80)	/* once a character */
			buf_byte(&out, '?');
	}
	return buf_view(&out);
}

/* Append a finding as people read it, with the field in front. */
static void
put_finding(struct buf *b, const struct finding *f)
{
	if (f->field.n) {
		buf_put(b, f->field);
		buf_put(b, STR(": "));
	}
	buf_put(b, f->text);
}

/* Append all findings, or the text, with between each two. */
static void
put_all(struct buf *b, const struct trouble *t, struct str between, size_t max)
{
	size_t i = 0;

	if (t->n == 0)
		buf_put(b, t->text);
	for (; i < t->n && b->len < max; i++) {
		if (i)
			buf_put(b, between);
		put_finding(b, &t->at[i]);
	}
	if (t->total > i) {
		buf_put(b, between);
		buf_put(b, STR("and "));
		buf_int(b, (int64_t)(t->total - i));
		buf_put(b, STR(" more"));
	}
}

static struct str
first_text(const struct trouble *t)
{
	return t->n ? t->at[0].text : t->text;
}

static struct str
summary(struct arena *a, const struct trouble *t)
{
	struct buf all = buf_new(a);

	/* A single text stands alone, so that it begins as clients expect. */
	if (t->total <= 1)
		return first_text(t);
	put_all(&all, t, STR("; "), SUMMARY_MAX);
	return buf_view(&all);
}

/* "errors" of PEP 694, which fits RFC 9457 as an extension member. */
static void
json_errors(struct json *j, const struct trouble *t)
{
	json_key(j, STR("errors"));
	json_array(j);
	for (size_t i = 0; i < t->n; i++) {
		json_object(j);
		json_key(j, STR("source"));
		json_str(j, t->at[i].field);
		json_key(j, STR("message"));
		json_str(j, t->at[i].text);
		json_end(j);
	}
	json_end(j);
}

/* RFC 9457: problem details. */
static void
body_problem(struct response *rs, const struct trouble *t)
{
	struct json j = json_new(&rs->body);

	json_object(&j);
	json_key(&j, STR("type"));
	json_str(&j, STR("about:blank"));
	json_key(&j, STR("title"));
	json_str(&j, usual_words(t->code));
	json_key(&j, STR("status"));
	json_int(&j, t->code);
	json_key(&j, STR("detail"));
	json_str(&j, summary(rs->arena, t));
	json_errors(&j, t);
	json_end(&j);
	buf_byte(&rs->body, '\n');
}

/* As Warehouse's; uv prints code and nothing else. */
static void
body_json(struct response *rs, const struct trouble *t)
{
	struct json j = json_new(&rs->body);
	struct str all = summary(rs->arena, t);
	struct buf code = buf_new(rs->arena);

	buf_int(&code, t->code);
	buf_byte(&code, ' ');
	buf_put(&code, all);
	json_object(&j);
	json_key(&j, STR("message"));
	json_str(&j, all);
	json_key(&j, STR("code"));
	json_str(&j, buf_view(&code));
	json_key(&j, STR("title"));
	json_str(&j, usual_words(t->code));
	json_errors(&j, t);
	json_end(&j);
	buf_byte(&rs->body, '\n');
}

static void
body_text(struct response *rs, const struct trouble *t)
{
	put_all(&rs->body, t, STR("\n"), SIZE_MAX);
	buf_byte(&rs->body, '\n');
}

/* Pages may be cached, answers that say "not now" may not. */
static void
drop_caching(struct response *rs)
{
	header_drop(rs, STR("ETag"));
	header_put(rs, STR("Cache-Control"), STR("no-store"));
}

static void
respond_trouble(const struct request *rq, struct response *rs,
    const struct trouble *t)
{
	/* uv understands a Content-Type only if it is exactly one of these. */
	static const struct {
		struct str type;
		struct str sent;
		void (*body)(struct response *, const struct trouble *);
	} forms[] = {
		{ STR_INIT("text/plain"),
		    STR_INIT("text/plain; charset=utf-8"), body_text },
		{ STR_INIT("application/problem+json"),
		    STR_INIT("application/problem+json"), body_problem },
		{ STR_INIT("application/json"),
		    STR_INIT("application/json"), body_json },
	};
	struct str types[] = { forms[0].type, forms[1].type, forms[2].type };
	size_t form = 0;

	/* An error is told in any case: text/plain if nothing else fits. */
	if (negotiate_type(rq->accept, types, 3, &form) != OK)
		form = 0;
	rs->code = t->code;
	rs->reason = reason_phrase(rs->arena, first_text(t));
	rs->type = forms[form].sent;
	rs->body.len = 0;
	forms[form].body(rs, t);
	drop_caching(rs);
	header_put(rs, STR("Vary"), STR("Accept"));
}

/* What a client may know of a failed service. */
static struct str
unavailable_text(const struct request *rq, struct arena *a)
{
	struct buf text = buf_new(a);

	buf_put(&text, STR("The index cannot answer this now, "
	    "please try again"));
	if (rq->id.n) {
		buf_put(&text, STR(" (request "));
		buf_put(&text, rq->id);
		buf_put(&text, STR(")"));
	}
	return buf_view(&text);
}

void
respond_error(const struct request *rq, struct response *rs, enum status st,
    const struct err *err, const struct findings *found)
{
	struct trouble t = { .code = code_of(st, rs) };

	t.text = err ? str_c(err->text) : STR("");
	if (t.text.n == 0)
		t.text = usual_words(t.code);
	if (t.code >= HTTP_SERVER_ERROR && !rs->is_for_us) {
		t.text = unavailable_text(rq, rs->arena);
	} else if (found && (st == INVALID || !err || !err->text[0])) {
		t.at = found->at;
		t.n = found->n;
		t.total = found->total;
	}
	respond_trouble(rq, rs, &t);
	if (t.code == HTTP_UNAUTHORIZED)
		header_put(rs, STR("WWW-Authenticate"),
		    STR("Basic realm=\"pypi\""));
	if (t.code == HTTP_UNAVAILABLE)
		header_put(rs, STR("Retry-After"), STR(RESPOND_RETRY_S));
}

static void
put_allow(struct response *rs, unsigned methods)
{
	struct buf allow = buf_new(rs->arena);

	if (methods & ROUTE_GET)
		buf_put(&allow, STR("GET, HEAD, "));
	if (methods & ROUTE_POST)
		buf_put(&allow, STR("POST, "));
	if (methods & ROUTE_PUT)
		buf_put(&allow, STR("PUT, "));
	if (methods & ROUTE_DELETE)
		buf_put(&allow, STR("DELETE, "));
	buf_put(&allow, STR("OPTIONS"));
	header_put(rs, STR("Allow"), buf_view(&allow));
}

void
respond_method_not_allowed(const struct request *rq, struct response *rs,
    unsigned methods)
{
	struct trouble t = {
		.code = HTTP_BAD_METHOD,
		.text = usual_words(HTTP_BAD_METHOD),
	};

	respond_trouble(rq, rs, &t);
	put_allow(rs, methods);
}

void
respond_not_acceptable(const struct request *rq, struct response *rs,
    struct str text)
{
	struct trouble t = { .code = HTTP_NOT_ACCEPTABLE, .text = text };

	respond_trouble(rq, rs, &t);
}

static void
respond_bare(struct response *rs, int code)
{
	rs->code = code;
	rs->reason = STR("");
	rs->type = STR("");
	rs->body.len = 0;
}

/* Fetch Standard, "CORS-preflight fetch": what a page elsewhere may do. */
static void
put_preflight(struct response *rs)
{
	header_put(rs, STR("Access-Control-Allow-Origin"), STR("*"));
	header_put(rs, STR("Access-Control-Allow-Methods"),
	    STR("GET, HEAD, OPTIONS"));
	header_put(rs, STR("Access-Control-Allow-Headers"), STR("Accept, "
	    "Content-Type, If-Match, If-Modified-Since, If-None-Match, "
	    "If-Unmodified-Since"));
	header_put(rs, STR("Access-Control-Max-Age"), STR(RESPOND_CORS_S));
}

void
respond_options(struct response *rs, unsigned methods)
{
	respond_bare(rs, HTTP_NO_CONTENT);
	put_allow(rs, methods);
	if (methods == ROUTE_GET)
		put_preflight(rs);
}

void
respond_created(struct response *rs)
{
	rs->code = HTTP_CREATED;
}

void
respond_no_content(struct response *rs)
{
	respond_bare(rs, HTTP_NO_CONTENT);
}

void
respond_redirect(struct response *rs, struct str location)
{
	respond_bare(rs, HTTP_MOVED);
	header_put(rs, STR("Location"), location);
}

void
respond_not_modified(struct response *rs)
{
	respond_bare(rs, HTTP_NOT_MODIFIED);
}

bool
respond_conditional(const struct request *rq, struct response *rs)
{
	if (rs->code != 0 || (rq->method != METHOD_GET &&
	    rq->method != METHOD_HEAD) ||
	    !etag_matches(rq->if_none_match, header_get(rs, STR("ETag"))))
		return false;
	respond_not_modified(rs);
	return true;
}

static void
put_field(struct buf *b, struct str name, struct str value)
{
	buf_put(b, name);
	buf_put(b, STR(": "));
	buf_put(b, value);
	buf_put(b, STR("\r\n"));
}

int
response_code(const struct response *rs)
{
	return rs->code ? rs->code : HTTP_OK;
}

/* The head; with_length unless more of the body is to come. */
static struct str
put_head(const struct response *rs, struct arena *arena, bool with_length)
{
	int code = response_code(rs);
	struct buf head = buf_new(arena);

	buf_put(&head, STR("Status: "));
	buf_int(&head, code);
	buf_byte(&head, ' ');
	buf_put(&head, rs->reason.n ? rs->reason : usual_words(code));
	buf_put(&head, STR("\r\n"));
	if (rs->type.n)
		put_field(&head, STR("Content-Type"), rs->type);
	for (size_t i = 0; i < rs->headers; i++)
		put_field(&head, rs->header[i].name, rs->header[i].value);
	if (with_length && !rs->is_length_unknown && code != HTTP_NO_CONTENT &&
	    code != HTTP_NOT_MODIFIED) {
		buf_put(&head, STR("Content-Length: "));
		buf_int(&head, (int64_t)rs->body.len);
		buf_put(&head, STR("\r\n"));
	}
	buf_put(&head, STR("\r\n"));
	return buf_view(&head);
}

struct str
response_head(const struct response *rs, struct arena *arena)
{
	return put_head(rs, arena, true);
}

enum status
response_spill(struct response *rs, struct err *err)
{
	if (rs->body.len < RESPONSE_SPILL || !rs->send)
		return OK;
	if (!rs->head_sent && rs->send(rs->send_to,
	    put_head(rs, rs->arena, false)) != OK)
		return err_set(err, UNAVAILABLE, "the client went away");
	rs->head_sent = true;
	if (rs->send(rs->send_to, buf_view(&rs->body)) != OK)
		return err_set(err, UNAVAILABLE, "the client went away");
	rs->sent_bytes += (int64_t)rs->body.len;
	rs->body.len = 0;
	return OK;
}
