/*
 * page: rendered bytes, from the page cache or fresh from PostgreSQL.
 *
 * The reading half of the consistency protocol (R1 to R5) stands here and
 * nowhere else.  A page of one project is valid while its fence stands; a feed
 * over many projects carries the serial at which it was
 * made, and is valid while that is the newest on the primary.
 *
 * While there is no primary, a page of one project (not its feed, which
 * nobody's installation waits for) comes from the replica, if that may be
 * (index/replica.h); whatever comes from there is marked as degraded.
 */
#ifndef INDEX_PAGE_H
#define INDEX_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

/* What can be rendered of one project. */
enum project_page {
	PAGE_SIMPLE_HTML,	/* /simple/<p>/, PEP 503 */
	PAGE_SIMPLE_V1_HTML,	/* the same bytes under PEP 691's type */
	PAGE_SIMPLE_V1_JSON,	/* PEP 691, 700, 714, 792 */
	PAGE_PROJECT_JSON,	/* /pypi/<p>/json */
	PAGE_PROJECT_RSS,	/* /rss/project/<p>/releases.xml */
};

/* What can be rendered of the whole index; /simple/ is index/root's. */
enum index_page {
	PAGE_NEW_PROJECTS_RSS,	/* /rss/packages.xml */
	PAGE_NEW_RELEASES_RSS,	/* /rss/updates.xml */
};

struct page {
	struct str type;	/* Content-Type */
	struct str etag;	/* strong, without quotes; differs by form */
	struct str body;	/* gzipped if is_gzip */
	bool is_gzip;
	int64_t serial;		/* what X-PyPI-Last-Serial says */
	bool no_store;		/* a writer is at work: no cache may keep it */
	bool degraded;		/* from the replica; set with NOT_FOUND, too */
	bool was_cached;	/* for the log */
};

/*
 * A page of the project with this PEP 503 name.  NOT_FOUND when there is no
 * such project; UNAVAILABLE when neither cache nor database can answer.
 */
MUST_USE enum status page_of_project(struct index *ix, struct arena *a,
    struct str project, enum project_page what, bool gzip, struct page *out,
    struct err *err);

/*
 * /pypi/<p>/<v>/json; NOT_FOUND also when the project has no such release.
 * version may be in any form that PEP 440 knows.
 */
MUST_USE enum status page_of_release(struct index *ix, struct arena *a,
    struct str project, struct str version, bool gzip, struct page *out,
    struct err *err);

/*
 * The same page past the cache, rendered from the primary and not stored, in
 * both its forms: for index/snapshot.
 */
MUST_USE enum status page_render(struct index *ix, struct arena *a,
    struct str project, enum project_page what, struct page *plain,
    struct page *gzipped, struct err *err);

/* The ETag that a page's bytes have under the type of another page. */
struct str page_etag_as(struct arena *a, const struct page *page,
    enum project_page what);

/* A page of the whole index. */
MUST_USE enum status page_of_index(struct index *ix, struct arena *a,
    enum index_page what, bool gzip, struct page *out, struct err *err);

#endif
