/* handlers: the read path.  See the routes in main.c. */
#ifndef SIMPLE_HANDLERS_H
#define SIMPLE_HANDLERS_H

#include "base/status.h"

struct request;
struct response;

/* /simple/: PEP 503 and 691. */
enum status simple_root(void *app, struct request *rq, struct response *rs,
    struct err *err);

/* /simple/<project>/: PEP 503, 592, 658, 691, 700, 714, 792. */
enum status simple_project(void *app, struct request *rq,
    struct response *rs, struct err *err);

/* /simple and /simple/<project>: to the path with a slash. */
enum status simple_add_slash(void *app, struct request *rq,
    struct response *rs, struct err *err);

/* /pypi/<project>/json */
enum status project_json_page(void *app, struct request *rq,
    struct response *rs, struct err *err);

/* /pypi/<project>/<version>/json */
enum status release_json_page(void *app, struct request *rq,
    struct response *rs, struct err *err);

/* /rss/project/<project>/releases.xml */
enum status project_feed(void *app, struct request *rq, struct response *rs,
    struct err *err);

/* /rss/packages.xml and /rss/updates.xml */
enum status new_projects_feed(void *app, struct request *rq,
    struct response *rs, struct err *err);
enum status new_releases_feed(void *app, struct request *rq,
    struct response *rs, struct err *err);

/*
 * /-/ready, for load balancers: "ready" if this worker can answer from the
 * primary, "degraded" if only from the replica; 503 if neither.
 */
enum status ready(void *app, struct request *rq, struct response *rs,
    struct err *err);

#endif
