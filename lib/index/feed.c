#include "index/feed.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "index/index.h"
#include "index/link.h"
#include "index/view.h"
#include "io/config.h"
#include "io/db.h"
#include "io/page_cache.h"
#include "pages.h"
#include "pkg/contact.h"

static struct str
http_date(struct arena *a, int64_t at_us)
{
	struct buf date = buf_new(a);

	clock_http(&date, at_us);
	return buf_view(&date);
}

static struct str
base_of(const struct index *ix)
{
	return str_c(ix->config->external_url);
}

/* RSS wants a bare address; "Ann <ann@example.org>, ..." is none. */
static struct str
author(struct str author_email)
{
	struct str first = contact_first_email(author_email);

	return contact_email_is_valid(first) ? first : STR("");
}

static struct rss_channel
channel(const struct index *ix, struct arena *a, const char *title,
    const char *description, int n)
{
	return (struct rss_channel){
		.title = str_c(title),
		.link = link_index(a, base_of(ix)),
		.description = str_c(description),
		.at = arena_array(a, (size_t)n, sizeof(struct rss_item)),
	};
}

enum status
feed_projects(struct index *ix, struct arena *a, struct buf *out,
    int64_t *serial, struct err *err)
{
	struct rss_channel feed;
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_PAGE_NEW_PROJECTS,
	    DB_ARGS(db_int(FEED_PROJECTS)), &rows, err);
	if (st != OK)
		return st;
	*serial = db_int64(&rows, 0, PAGE_NEW_PROJECTS_NEWEST_SERIAL);
	feed = channel(ix, a, "Newest projects",
	    "The projects registered last", rows.n);
	for (int i = 0; i < rows.n; i++) {
		struct str name = db_str(&rows, i, PAGE_NEW_PROJECTS_NAME);
		struct str link = link_project(a, base_of(ix), db_str(&rows,
		    i, PAGE_NEW_PROJECTS_NORMALIZED_NAME));

		if (name.n == 0)
			break;		/* an empty index: one row */
		feed.at[feed.n++] = (struct rss_item){
			.title = str_fmt(a, "%.*s added", STR_ARG(name)),
			.link = link,
			.guid = link,
			.description = db_str(&rows, i,
			    PAGE_NEW_PROJECTS_SUMMARY),
			.date = http_date(a, db_int64(&rows, i,
			    PAGE_NEW_PROJECTS_AT_US)),
		};
	}
	page_rss(out, &feed);
	return OK;
}

static struct rss_item
release_item(struct index *ix, struct arena *a, const struct db_rows *rows,
    int i)
{
	struct str name = db_str(rows, i, PAGE_NEW_RELEASES_NAME);
	struct str project = db_str(rows, i,
	    PAGE_NEW_RELEASES_NORMALIZED_NAME);
	struct str version = db_str(rows, i, PAGE_NEW_RELEASES_VERSION);

	return (struct rss_item){
		.title = str_fmt(a, "%.*s %.*s", STR_ARG(name),
		    STR_ARG(version)),
		.link = link_project(a, base_of(ix), project),
		.guid = link_release(a, base_of(ix), project, version),
		.description = db_str(rows, i, PAGE_NEW_RELEASES_SUMMARY),
		.author = author(db_str(rows, i,
		    PAGE_NEW_RELEASES_AUTHOR_EMAIL)),
		.date = http_date(a, db_int64(rows, i,
		    PAGE_NEW_RELEASES_AT_US)),
	};
}

enum status
feed_releases(struct index *ix, struct arena *a, struct buf *out,
    int64_t *serial, struct err *err)
{
	struct rss_channel feed;
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_PAGE_NEW_RELEASES,
	    DB_ARGS(db_int(FEED_RELEASES)), &rows, err);
	if (st != OK)
		return st;
	*serial = db_int64(&rows, 0, PAGE_NEW_RELEASES_NEWEST_SERIAL);
	feed = channel(ix, a, "Newest releases",
	    "The releases published last", rows.n);
	for (int i = 0; i < rows.n; i++) {
		if (db_is_null(&rows, i, PAGE_NEW_RELEASES_NAME))
			break;		/* an empty index: one row */
		feed.at[feed.n++] = release_item(ix, a, &rows, i);
	}
	page_rss(out, &feed);
	return OK;
}

static void
put_project_feed(struct index *ix, struct arena *a, struct str name,
    struct str project, const struct db_rows *rows, struct buf *out)
{
	struct rss_channel feed = channel(ix, a, "", "", rows->n);

	feed.title = str_fmt(a, "Releases of %.*s", STR_ARG(name));
	feed.description = feed.title;
	feed.link = link_project(a, base_of(ix), project);
	for (int i = 0; i < rows->n; i++) {
		struct str version = db_str(rows, i,
		    PAGE_PROJECT_RELEASES_VERSION);

		feed.at[feed.n++] = (struct rss_item){
			.title = version,
			.link = feed.link,
			.guid = link_release(a, base_of(ix), project, version),
			.description = db_str(rows, i,
			    PAGE_PROJECT_RELEASES_SUMMARY),
			.author = author(db_str(rows, i,
			    PAGE_PROJECT_RELEASES_AUTHOR_EMAIL)),
			.date = http_date(a, db_int64(rows, i,
			    PAGE_PROJECT_RELEASES_CREATED_AT_US)),
		};
	}
	page_rss(out, &feed);
}

enum status
feed_project(struct index *ix, struct arena *a, struct str project,
    struct buf *out, int64_t *serial, bool *is_held, struct err *err)
{
	struct db_rows head, releases;
	enum status st;

	st = db_begin_snapshot(ix->db, err);
	if (st != OK)
		return st;
	st = db_run(ix->db, a, SQL_PAGE_PROJECT, DB_ARGS(db_text(project),
	    db_text(page_cache_home(ix->cache, project))), &head, err);
	if (st == OK)
		st = db_run(ix->db, a, SQL_PAGE_PROJECT_RELEASES, DB_ARGS(
		    db_text(project), db_int(FEED_OF_PROJECT)), &releases,
		    err);
	db_rollback(ix->db);
	if (st != OK)
		return st;
	*serial = db_int64(&head, 0, PAGE_PROJECT_LAST_SERIAL);
	*is_held = db_bool_at(&head, 0, PAGE_PROJECT_IS_HELD);
	put_project_feed(ix, a, db_str(&head, 0, PAGE_PROJECT_NAME), project,
	    &releases, out);
	return OK;
}
