#include "http/route.h"

#include <string.h>

#include "base/panic.h"
#include "http/request.h"
#include "http/respond.h"
#include "http/response.h"

static unsigned
method_bit(enum method method)
{
	switch (method) {
	case METHOD_GET:
	case METHOD_HEAD:
		return ROUTE_GET;
	case METHOD_POST:
		return ROUTE_POST;
	case METHOD_PUT:
		return ROUTE_PUT;
	case METHOD_DELETE:
		return ROUTE_DELETE;
	case METHOD_OPTIONS:
		return ROUTE_OPTIONS;
	case METHOD_OTHER:
		break;
	}
	return 0;
}

/* Where the part of path ends that a place-holder stands for. */
static size_t
argument_length(const char *pattern, struct str path)
{
	return *pattern == '*' ? path.n : str_find(path, '/', 0);
}

/* Does pattern fit path?  Fills arg as it goes, also when it does not. */
static bool
match(const char *pattern, struct str path, struct str arg[REQUEST_ARGS])
{
	size_t args = 0;

	while (*pattern) {
		size_t n = 1;

		if (*pattern == '<' || *pattern == '*') {
			n = argument_length(pattern, path);
			if (n == 0)
				return false;
			if (args == REQUEST_ARGS)
				panic("pattern with over %d parts",
				    REQUEST_ARGS);
			arg[args++] = str_sub(path, 0, n);
			pattern += *pattern == '<';	/* its '>' follows */
		} else if (path.n == 0 || path.p[0] != *pattern) {
			return false;
		}
		pattern++;
		path = str_sub(path, n, path.n);
	}
	return path.n == 0;
}

enum status
route_find(const struct route *routes, size_t n, struct request *rq,
    const struct route **found, unsigned *allow)
{
	unsigned wanted = method_bit(rq->method);
	unsigned methods = 0;
	const struct route *hit = NULL;

	for (size_t i = 0; i < n; i++) {
		struct str arg[REQUEST_ARGS] = { { NULL, 0 } };

		if (!match(routes[i].pattern, rq->path, arg))
			continue;
		methods |= routes[i].methods;
		if (hit || !(routes[i].methods & wanted))
			continue;
		hit = &routes[i];
		memcpy(rq->arg, arg, sizeof(arg));
	}
	*allow = methods;
	if (!hit)
		return methods ? INVALID : NOT_FOUND;
	rq->route = hit->pattern;
	*found = hit;
	return OK;
}

enum status
route_serve(const struct route *routes, size_t n, void *app,
    struct request *rq, struct response *rs, struct err *err)
{
	const struct route *route;
	unsigned allow;
	enum status st;

	st = route_find(routes, n, rq, &route, &allow);
	if (st == INVALID && rq->method == METHOD_OPTIONS) {
		respond_options(rs, allow);
		return OK;
	}
	if (st == INVALID) {
		st = err_set(err, INVALID, "method not allowed here");
		respond_method_not_allowed(rq, rs, allow);
		return st;
	}
	if (st == NOT_FOUND)
		st = err_set(err, NOT_FOUND, "no such page");
	else
		st = route->handle(app, rq, rs, err);
	if (st != OK)
		respond_error(rq, rs, st, err, rs->findings);
	return st;
}
