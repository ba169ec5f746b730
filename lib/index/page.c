#include "index/page.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "index/feed.h"
#include "index/index.h"
#include "index/project_json.h"
#include "index/replica.h"
#include "index/simple.h"
#include "index/view.h"
#include "io/db.h"
#include "io/digest.h"
#include "io/gzip.h"
#include "io/page_cache.h"
#include "pages.h"
#include "pkg/version.h"

#define ETAG_BYTES	((size_t)32)	/* hexadecimal digits: 128 bits */

#define HTML		"text/html; charset=UTF-8"
#define V1_HTML		"application/vnd.pypi.simple.v1+html"
#define V1_JSON		"application/vnd.pypi.simple.v1+json"
#define RSS		"text/xml; charset=UTF-8"

/* What a rendering has to know and to tell. */
struct rendering {
	struct str project;		/* PEP 503 name; empty: whole index */
	struct str canonical;		/* of one release, or empty */
	struct buf body;
	int64_t serial;
	bool is_lock_free;		/* R3's two answers, of one project */
	bool is_held;
};

struct form {
	const char *key;	/* in the cache; one for each set of bytes */
	const char *type;	/* Content-Type */
	bool from_replica;	/* may come from there (D3) */
	enum status (*render)(struct index *ix, struct arena *a,
	    struct rendering *r, struct err *err);
};

/*
 * R3 in one round trip: each statement of a pipeline is a transaction of its
 * own, so the second takes its snapshot when the first has seen the lock.
 */
static enum status
read_simple(struct index *ix, struct arena *a, struct rendering *r,
    struct simple_project *out, struct err *err)
{
	const struct db_arg args[] = {
		db_text(r->project),
		db_text(page_cache_home(ix->cache, r->project)),
	};
	struct db_call calls[] = {
		{ .sql = SQL_PROJECT_LOCK_FREE, .args = args, .n_args = 1 },
		{ .sql = SQL_PAGE_SIMPLE_PROJECT, .args = args, .n_args = 2 },
	};
	const struct db_rows *rows = &calls[1].rows;
	enum status st;

	FAULT_POINT("R3");
	st = db_run_each(ix->db, a, calls, 2, err);
	if (st != OK)
		return st;
	if (rows->n == 0)
		return NOT_FOUND;
	r->is_lock_free = db_bool_at(&calls[0].rows, 0,
	    PROJECT_LOCK_FREE_IS_FREE);
	r->is_held = db_bool_at(rows, 0, PAGE_SIMPLE_PROJECT_IS_HELD);
	simple_project_from_rows(a, r->project, rows, out);
	r->serial = out->last_serial;
	return OK;
}

static enum status
render_simple_html(struct index *ix, struct arena *a, struct rendering *r,
    struct err *err)
{
	struct simple_project project;
	enum status st = read_simple(ix, a, r, &project, err);

	if (st == OK)
		page_simple_project(&r->body, &project);
	return st;
}

static enum status
render_simple_json(struct index *ix, struct arena *a, struct rendering *r,
    struct err *err)
{
	struct simple_project project;
	enum status st = read_simple(ix, a, r, &project, err);

	if (st == OK)
		simple_project_json(&r->body, &project);
	return st;
}

/* R3, first half: in a statement and a transaction of its own. */
static enum status
test_lock(struct index *ix, struct arena *a, struct rendering *r,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	FAULT_POINT("R3");
	st = db_run(ix->db, a, SQL_PROJECT_LOCK_FREE,
	    DB_ARGS(db_text(r->project)), &rows, err);
	if (st == OK)
		r->is_lock_free = db_bool_at(&rows, 0,
		    PROJECT_LOCK_FREE_IS_FREE);
	return st;
}

static enum status
render_project_json(struct index *ix, struct arena *a, struct rendering *r,
    struct err *err)
{
	enum status st = test_lock(ix, a, r, err);

	if (st == OK)
		st = project_json(ix, a, r->project, r->canonical, &r->body,
		    &r->serial, &r->is_held, err);
	return st;
}

static enum status
render_project_rss(struct index *ix, struct arena *a, struct rendering *r,
    struct err *err)
{
	enum status st = test_lock(ix, a, r, err);

	if (st == OK)
		st = feed_project(ix, a, r->project, &r->body, &r->serial,
		    &r->is_held, err);
	return st;
}

static enum status
render_new_projects(struct index *ix, struct arena *a, struct rendering *r,
    struct err *err)
{
	return feed_projects(ix, a, &r->body, &r->serial, err);
}

static enum status
render_new_releases(struct index *ix, struct arena *a, struct rendering *r,
    struct err *err)
{
	return feed_releases(ix, a, &r->body, &r->serial, err);
}

static const struct form project_forms[] = {
	[PAGE_SIMPLE_HTML] = { "html", HTML, true, render_simple_html },
	[PAGE_SIMPLE_V1_HTML] = { "v1html", V1_HTML, true,
	    render_simple_html },
	[PAGE_SIMPLE_V1_JSON] = { "v1json", V1_JSON, true,
	    render_simple_json },
	[PAGE_PROJECT_JSON] = { "json", "application/json", true,
	    render_project_json },
	[PAGE_PROJECT_RSS] = { "rss", RSS, false, render_project_rss },
};

static const struct form index_forms[] = {
	[PAGE_NEW_PROJECTS_RSS] = { "new-projects", RSS, false,
	    render_new_projects },
	[PAGE_NEW_RELEASES_RSS] = { "new-releases", RSS, false,
	    render_new_releases },
};

/* "html", "html.gz", or, for one release's page, "json:1.0.gz". */
static struct str
cache_key(struct arena *a, const struct form *form, struct str canonical,
    bool gzip)
{
	struct buf key = buf_new(a);

	buf_put(&key, str_c(form->key));
	if (canonical.n) {
		buf_byte(&key, ':');
		buf_url(&key, canonical);
	}
	if (gzip)
		buf_put(&key, STR(".gz"));
	return buf_view(&key);
}

/*
 * A strong ETag says that bytes and type are the same (RFC 9110 8.8.1), so the
 * type is in it; the gzipped form has other bytes and so another one.
 */
static struct str
make_etag(struct arena *a, const char *type, struct str body)
{
	struct buf about = buf_new(a), etag = buf_new(a);
	unsigned char digest[32];

	digest_sha256(body, digest);
	buf_put(&about, str_c(type));
	buf_put(&about, (struct str){ (char *)digest, sizeof(digest) });
	digest_sha256(buf_view(&about), digest);
	buf_hex(&etag, digest, ETAG_BYTES / 2);
	return buf_view(&etag);
}

/* In the cache a page is its ETag and its bytes, one after the other. */
static struct str
pack(struct arena *a, const struct page *page)
{
	struct buf packed = buf_new(a);

	buf_room(&packed, page->etag.n + page->body.n);
	buf_put(&packed, page->etag);
	buf_put(&packed, page->body);
	return buf_view(&packed);
}

static bool
unpack(struct str packed, struct page *page)
{
	if (packed.n < ETAG_BYTES)
		return false;
	page->etag = str_sub(packed, 0, ETAG_BYTES);
	page->body = str_sub(packed, ETAG_BYTES, packed.n);
	return true;
}

static enum status
render(struct index *ix, struct arena *a, const struct form *form,
    struct rendering *r, struct page *page, struct err *err)
{
	enum status st;

	r->body = buf_new(a);
	st = form->render(ix, a, r, err);
	if (st != OK)
		return st;
	page->serial = r->serial;
	page->body = buf_view(&r->body);
	if (page->is_gzip)
		page->body = gzip_pack(a, page->body, GZIP_LEVEL);
	page->etag = make_etag(a, form->type, page->body);
	return OK;
}

/*
 * There is no primary: the same from the replica, where each form reads one
 * snapshot.  It is never stored, for nothing there tells whether a change has
 * deleted the fence since.
 */
static enum status
render_degraded(const struct index *ix, struct arena *a,
    const struct form *form, struct rendering *r, struct page *page)
{
	struct index on_replica = *ix;
	enum status st;

	on_replica.db = ix->replica;
	FAULT_POINT("D3");
	st = render(&on_replica, a, form, r, page, NULL);
	page->degraded = page->no_store = true;
	return st == NOT_FOUND ? st : st == OK ? OK : UNAVAILABLE;
}

/* R1 to R5. */
static enum status
project_page(struct index *ix, struct arena *a, const struct form *form,
    struct rendering *r, struct page *page, struct err *err)
{
	struct str key = cache_key(a, form, r->canonical, page->is_gzip);
	struct page_look look;
	enum status st;

	page_cache_get(ix->cache, a, r->project, key, &look);	/* R1, R2 */
	if (look.valid && unpack(look.page, page)) {
		page->serial = look.serial;
		page->was_cached = true;
		return OK;
	}
	st = render(ix, a, form, r, page, err);		/* R3 */
	if (st == UNAVAILABLE && form->from_replica && replica_may_answer(ix))
		return render_degraded(ix, a, form, r, page);
	if (st != OK)
		return st;
	page->no_store = !r->is_lock_free || r->is_held;
	if (!page->no_store)					/* R4 */
		page_cache_put(ix->cache, r->project, key, &look,
		    page->serial, pack(a, page));
	FAULT_POINT("R5");
	return OK;
}

enum status
page_of_project(struct index *ix, struct arena *a, struct str project,
    enum project_page what, bool gzip, struct page *out, struct err *err)
{
	const struct form *form = &project_forms[what];
	struct rendering r = { .project = project };

	*out = (struct page){ .type = str_c(form->type), .is_gzip = gzip };
	return project_page(ix, a, form, &r, out, err);
}

enum status
page_of_release(struct index *ix, struct arena *a, struct str project,
    struct str version, bool gzip, struct page *out, struct err *err)
{
	const struct form *form = &project_forms[PAGE_PROJECT_JSON];
	struct rendering r = { .project = project };
	struct version parsed;

	*out = (struct page){ .type = str_c(form->type), .is_gzip = gzip };
	if (version_parse(a, version, &parsed) != OK)
		return NOT_FOUND;
	r.canonical = version_canonical(a, &parsed);
	return project_page(ix, a, form, &r, out, err);
}

/*
 * Pages over many projects belong to no one fence: the newest serial on the
 * primary says whether a kept one still holds.
 */
enum status
page_of_index(struct index *ix, struct arena *a, enum index_page what,
    bool gzip, struct page *out, struct err *err)
{
	const struct form *form = &index_forms[what];
	struct str key = cache_key(a, form, STR(""), gzip);
	struct rendering r = { .serial = 0 };
	struct page_look look;
	struct db_rows newest;
	enum status st;

	*out = (struct page){ .type = str_c(form->type), .is_gzip = gzip };
	page_cache_get_global(ix->cache, a, key, &look);
	st = db_run(ix->db, a, SQL_SERIAL_NEWEST, NULL, 0, &newest, err);
	if (st != OK)
		return st;
	if (look.valid && look.serial == db_int64(&newest, 0,
	    SERIAL_NEWEST_SERIAL) && unpack(look.page, out)) {
		out->serial = look.serial;
		out->was_cached = true;
		return OK;
	}
	st = render(ix, a, form, &r, out, err);
	if (st == OK)
		page_cache_put_global(ix->cache, key, out->serial,
		    pack(a, out));
	return st;
}

enum status
page_render(struct index *ix, struct arena *a, struct str project,
    enum project_page what, struct page *plain, struct page *gzipped,
    struct err *err)
{
	const struct form *form = &project_forms[what];
	struct rendering r = { .project = project };
	enum status st;

	*plain = (struct page){ .type = str_c(form->type) };
	st = render(ix, a, form, &r, plain, err);
	if (st != OK)
		return st;
	*gzipped = *plain;
	gzipped->is_gzip = true;
	gzipped->body = gzip_pack(a, plain->body, GZIP_LEVEL);
	gzipped->etag = make_etag(a, form->type, gzipped->body);
	return OK;
}

struct str
page_etag_as(struct arena *a, const struct page *page,
    enum project_page what)
{
	return make_etag(a, project_forms[what].type, page->body);
}
