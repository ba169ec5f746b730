/* feed: what RSS readers see.  RSS 2.0, newest first. */
#ifndef INDEX_FEED_H
#define INDEX_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct index;

#define FEED_PROJECTS	40	/* as many as pypi.org shows */
#define FEED_RELEASES	100
#define FEED_OF_PROJECT	40

/* The newest projects; *serial is the newest serial in the same snapshot. */
MUST_USE enum status feed_projects(struct index *ix, struct arena *a,
    struct buf *out, int64_t *serial, struct err *err);

/* The newest releases; as above. */
MUST_USE enum status feed_releases(struct index *ix, struct arena *a,
    struct buf *out, int64_t *serial, struct err *err);

/* The newest releases of one project; NOT_FOUND when there is none. */
MUST_USE enum status feed_project(struct index *ix, struct arena *a,
    struct str project, struct buf *out, int64_t *serial, bool *is_held,
    struct err *err);

#endif
