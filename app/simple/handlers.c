#include "simple/handlers.h"

#include "base/arena.h"
#include "base/buf.h"
#include "http/negotiate.h"
#include "http/request.h"
#include "http/respond.h"
#include "http/response.h"
#include "index/index.h"
#include "index/page.h"
#include "index/replica.h"
#include "index/root.h"
#include "index/serial.h"
#include "index/worker.h"
#include "pkg/name.h"

/* From a replica that may lack changes: nobody should take it for the truth. */
static void
put_degraded(struct response *rs)
{
	header_put(rs, STR("Tilsit-Degraded"), STR("replica"));
	rs->note.cache = "replica";
}

/*
 * How long may others keep a page?  A browser or installer may keep it, but
 * has to ask whether it still holds before it uses it: a max-age, however
 * short, would hide a new release from pip 26.2 and uv for as long.  While a
 * writer is at work not even that.
 */
static void
put_cache_headers(struct response *rs, const struct page *page)
{
	if (page->degraded)
		put_degraded(rs);
	if (page->no_store) {
		header_put(rs, STR("Cache-Control"), STR("no-store"));
		header_put(rs, STR("Surrogate-Control"), STR("no-store"));
		return;
	}
	header_put(rs, STR("Cache-Control"),
	    STR("public, max-age=0, must-revalidate"));
}

/* Installers that run in a browser read pages, and follow redirects. */
static void
put_any_origin(struct response *rs)
{
	header_put(rs, STR("Access-Control-Allow-Origin"), STR("*"));
	header_put(rs, STR("Access-Control-Expose-Headers"),
	    STR("X-PyPI-Last-Serial"));
}

/* The headers that mirrors, caches and browsers ask for. */
static void
put_page_headers(const struct request *rq, struct response *rs,
    const struct page *page)
{
	struct buf serial = buf_new(rq->arena);

	rs->type = page->type;
	buf_int(&serial, page->serial);
	header_put(rs, STR("X-PyPI-Last-Serial"), buf_view(&serial));
	header_put(rs, STR("Vary"), STR("Accept, Accept-Encoding"));
	if (page->is_gzip)
		header_put(rs, STR("Content-Encoding"), STR("gzip"));
	put_cache_headers(rs, page);
	put_any_origin(rs);
	response_etag_put(rs, page->etag);
	rs->note.serial = page->serial;
}

static enum status
send_page(const struct request *rq, struct response *rs,
    const struct page *page)
{
	rs->note.cache = page->was_cached ? "hit" : "miss";
	put_page_headers(rq, rs, page);
	buf_put(&rs->body, page->body);
	(void)respond_conditional(rq, rs);
	return OK;
}

static enum status
not_acceptable(const struct request *rq, struct response *rs)
{
	respond_not_acceptable(rq, rs, STR("This page can be had as "
	    "application/vnd.pypi.simple.v1+json, "
	    "application/vnd.pypi.simple.v1+html and text/html"));
	return OK;
}

/* Which form of a simple page; false when none is acceptable (406). */
static bool
choose_form(const struct request *rq, enum simple_format *out)
{
	return negotiate_simple(rq->accept,
	    request_query_plus(rq, STR("format")), out) == OK;
}

static enum status
put_part(void *arg, struct str bytes, struct err *err)
{
	struct response *rs = arg;

	buf_put(&rs->body, bytes);
	return response_spill(rs, err);
}

static void
put_root_headers(const struct request *rq, struct response *rs,
    const struct root *root, struct str type)
{
	struct page page = {
		.type = type, .etag = root->etag, .is_gzip = root->gzip,
		.serial = root->serial,
	};

	put_page_headers(rq, rs, &page);
}

/* The list may be long: it goes out while it is put together. */
enum status
simple_root(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	static const enum root_form forms[] = {
		[SIMPLE_HTML] = ROOT_HTML,
		[SIMPLE_V1_HTML] = ROOT_V1_HTML,
		[SIMPLE_V1_JSON] = ROOT_V1_JSON,
	};
	enum simple_format form;
	struct root root;
	enum status st;

	if (!choose_form(rq, &form))
		return not_acceptable(rq, rs);
	st = root_open(app, rq->arena, forms[form],
	    negotiate_gzip(rq->accept_encoding), &root, err);
	if (st == OK) {
		put_root_headers(rq, rs, &root, simple_format_type(form));
		rs->is_length_unknown = rq->method == METHOD_HEAD;
		if (!respond_conditional(rq, rs) && !rs->is_length_unknown)
			st = root_send(app, &root, put_part, rs, err);
	}
	root_close(app);
	return st;
}

/*
 * Send the client to the page of the project's normal name, or answer false
 * when it is there already.  A name that cannot be one has no page.
 */
static bool
redirect_to_normal(const struct request *rq, struct response *rs,
    struct str before, struct str name, struct str behind)
{
	struct buf to = buf_new(rq->arena);

	if (name_is_normal(name))
		return false;
	put_any_origin(rs);
	buf_put(&to, before);
	buf_url(&to, name_normalize(rq->arena, name));
	buf_put(&to, behind);
	if (rq->query.n) {
		buf_byte(&to, '?');
		buf_put(&to, rq->query);
	}
	respond_redirect(rs, buf_view(&to));
	return true;
}

static enum status
no_such_project(struct str name, struct err *err)
{
	return err_set(err, NOT_FOUND, "This index has no project '%.*s'",
	    STR_ARG(name));
}

static enum status
send_project(struct index *ix, const struct request *rq, struct response *rs,
    struct str name, enum project_page what, struct err *err)
{
	struct page page;
	enum status st;

	st = page_of_project(ix, rq->arena, name, what,
	    negotiate_gzip(rq->accept_encoding), &page, err);
	if (st == NOT_FOUND && page.degraded)
		put_degraded(rs);
	if (st == NOT_FOUND)
		return no_such_project(name, err);
	return st == OK ? send_page(rq, rs, &page) : st;
}

/* The page at before NAME behind, of which there is one form. */
static enum status
only_page(struct index *ix, const struct request *rq, struct response *rs,
    struct str before, struct str behind, enum project_page what,
    struct err *err)
{
	struct str name = rq->arg[0];

	if (!name_is_valid(name))
		return no_such_project(name, err);
	if (redirect_to_normal(rq, rs, before, name, behind))
		return OK;
	return send_project(ix, rq, rs, name, what, err);
}

enum status
simple_project(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	static const enum project_page pages[] = {
		[SIMPLE_HTML] = PAGE_SIMPLE_HTML,
		[SIMPLE_V1_HTML] = PAGE_SIMPLE_V1_HTML,
		[SIMPLE_V1_JSON] = PAGE_SIMPLE_V1_JSON,
	};
	struct str name = rq->arg[0];
	enum simple_format form;

	if (!name_is_valid(name))
		return no_such_project(name, err);
	if (redirect_to_normal(rq, rs, STR("/simple/"), name, STR("/")))
		return OK;
	if (!choose_form(rq, &form))
		return not_acceptable(rq, rs);
	return send_project(app, rq, rs, name, pages[form], err);
}

enum status
simple_add_slash(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	struct str name = rq->arg[0];
	struct buf to = buf_new(rq->arena);

	(void)app;
	put_any_origin(rs);
	buf_put(&to, STR("/simple/"));
	if (name.n) {
		if (!name_is_valid(name))
			return no_such_project(name, err);
		buf_url(&to, name_normalize(rq->arena, name));
		buf_byte(&to, '/');
	}
	if (rq->query.n) {
		buf_byte(&to, '?');
		buf_put(&to, rq->query);
	}
	respond_redirect(rs, buf_view(&to));
	return OK;
}

enum status
project_json_page(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	return only_page(app, rq, rs, STR("/pypi/"), STR("/json"),
	    PAGE_PROJECT_JSON, err);
}

enum status
release_json_page(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	struct str name = rq->arg[0];
	struct buf behind = buf_new(rq->arena);
	struct page page;
	enum status st;

	if (!name_is_valid(name))
		return no_such_project(name, err);
	buf_byte(&behind, '/');
	buf_url(&behind, rq->arg[1]);
	buf_put(&behind, STR("/json"));
	if (redirect_to_normal(rq, rs, STR("/pypi/"), name,
	    buf_view(&behind)))
		return OK;
	st = page_of_release(app, rq->arena, name, rq->arg[1],
	    negotiate_gzip(rq->accept_encoding), &page, err);
	if (st == NOT_FOUND && page.degraded)
		put_degraded(rs);
	if (st == NOT_FOUND)
		return err_set(err, NOT_FOUND, "This index has no release "
		    "'%.*s' of '%.*s'", STR_ARG(rq->arg[1]), STR_ARG(name));
	return st == OK ? send_page(rq, rs, &page) : st;
}

enum status
project_feed(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	return only_page(app, rq, rs, STR("/rss/project/"),
	    STR("/releases.xml"), PAGE_PROJECT_RSS, err);
}

static enum status
index_page(struct index *ix, const struct request *rq, struct response *rs,
    enum index_page what, struct err *err)
{
	struct page page;
	enum status st;

	st = page_of_index(ix, rq->arena, what,
	    negotiate_gzip(rq->accept_encoding), &page, err);
	return st == OK ? send_page(rq, rs, &page) : st;
}

enum status
new_projects_feed(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	return index_page(app, rq, rs, PAGE_NEW_PROJECTS_RSS, err);
}

enum status
new_releases_feed(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	return index_page(app, rq, rs, PAGE_NEW_RELEASES_RSS, err);
}

enum status
ready(void *app, struct request *rq, struct response *rs, struct err *err)
{
	int64_t newest;
	enum status st = serial_newest(app, rq->arena, &newest, err);

	if (st == OK) {
		buf_put(&rs->body, STR("ready at serial "));
		buf_int(&rs->body, newest);
		buf_byte(&rs->body, '\n');
	} else if (replica_answers(app, rq->arena)) {
		buf_put(&rs->body, STR("degraded: reading from the replica\n"));
		put_degraded(rs);
	} else {
		return st;
	}
	rs->type = STR("text/plain; charset=utf-8");
	header_put(rs, STR("Cache-Control"), STR("no-store"));
	return OK;
}
