/*
 * route: which handler answers which path.
 *
 * Each program has one constant table; the first row that matches counts:
 *
 *	static const struct route routes[] = {
 *		{ ROUTE_GET, "/simple/", simple_root },
 *		{ ROUTE_GET, "/simple/<>/", simple_project },
 *		{ ROUTE_POST, "/pypi/<>/<>/json", release_json },
 *	};
 *
 *	st = route_serve(routes, n, app, &rq, &rs, &err);
 *
 * In a pattern <> stands for one path segment, which is not empty, and a * at
 * the end for all the rest, which is not empty either; they become rq->arg[0]
 * and so on.  All else is literal, trailing slashes included.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stddef.h>

#include "base/status.h"

struct request;
struct response;

/* Sets of methods.  A GET handler also gets HEAD. */
#define ROUTE_GET	1u
#define ROUTE_POST	2u
#define ROUTE_OPTIONS	4u
#define ROUTE_PUT	8u
#define ROUTE_DELETE	16u

struct route {
	unsigned methods;
	const char *pattern;

	/*
	 * OK: rs is the answer.  Anything else: err says why, rs->findings
	 * may say more, and respond_error() makes the answer of it.
	 */
	enum status (*handle)(void *app, struct request *rq,
	    struct response *rs, struct err *err);
};

/*
 * Find the row for rq's path and method, and fill rq->route and rq->arg.
 * NOT_FOUND when no pattern matches; INVALID when one does, but not with this
 * method.  *allow gets the methods of all rows whose pattern matches.
 */
MUST_USE enum status route_find(const struct route *routes, size_t n,
    struct request *rq, const struct route **found, unsigned *allow);

/*
 * Find the handler, call it, and make an answer of what it returns; rs is
 * complete afterwards in any case.  Answers 404, 405 and a plain OPTIONS by
 * itself.  The result is the handler's status, for the log; err explains it.
 */
MUST_USE enum status route_serve(const struct route *routes, size_t n,
    void *app, struct request *rq, struct response *rs, struct err *err);

#endif
