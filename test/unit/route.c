/* Unit tests of lib/http/route. */
#include "tap.h"

#include "http/request.h"
#include "http/respond.h"
#include "http/response.h"
#include "http/route.h"

/* A handler that says what it was called with. */
static enum status
echo(void *app, struct request *rq, struct response *rs, struct err *err)
{
	(void)err;
	buf_put(&rs->body, str_c(app));
	for (size_t i = 0; i < REQUEST_ARGS && rq->arg[i].n; i++) {
		buf_byte(&rs->body, '|');
		buf_put(&rs->body, rq->arg[i]);
	}
	return OK;
}

static enum status
refuse(void *app, struct request *rq, struct response *rs, struct err *err)
{
	(void)app;
	(void)rq;
	buf_put(&rs->body, STR("half a page"));
	return err_set(err, DENIED, "not yours");
}

static const struct route routes[] = {
	{ ROUTE_GET, "/", echo },
	{ ROUTE_GET, "/simple/", echo },
	{ ROUTE_GET, "/simple/<>/", echo },
	{ ROUTE_GET, "/pypi/<>/json", echo },
	{ ROUTE_GET, "/pypi/<>/<>/json", echo },
	{ ROUTE_POST, "/pypi", refuse },
	{ ROUTE_GET, "/files/*", echo },
	{ ROUTE_POST, "/simple/<>/", refuse },
};

/* "STATUS code body" of the answer. */
static struct str
serve(struct arena *a, enum method method, const char *path)
{
	struct request rq = { .arena = a, .method = method };
	struct response rs;
	struct err err;
	char app[] = "got";
	enum status st;

	rq.path = str_c(path);
	response_init(&rs, a);
	st = route_serve(routes, sizeof(routes) / sizeof(routes[0]), app,
	    &rq, &rs, &err);
	return str_fmt(a, "%s %d %.*s", status_name(st), rs.code,
	    STR_ARG(buf_view(&rs.body)));
}

static void
test_parts_of_the_path_become_arguments(struct arena *a)
{
	is_str(serve(a, METHOD_GET, "/"), STR("OK 0 got"));
	is_str(serve(a, METHOD_GET, "/simple/"), STR("OK 0 got"));
	is_str(serve(a, METHOD_GET, "/simple/a b/"), STR("OK 0 got|a b"));
	is_str(serve(a, METHOD_GET, "/pypi/a/json"), STR("OK 0 got|a"));
	is_str(serve(a, METHOD_GET, "/pypi/a/1/json"), STR("OK 0 got|a|1"));
	is_str(serve(a, METHOD_GET, "/files/a/b/c"), STR("OK 0 got|a/b/c"));
}

static void
test_what_no_pattern_matches_is_404(struct arena *a)
{
	static const char *const paths[] = {
		"", "/simple", "/simple//", "/simple/a", "/simple/a/b/",
		"/pypi/a/b/c/json", "/pypi/a/json/", "/files/", "/files",
		"/simple/\xff", "//simple/",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		is_str(serve(a, METHOD_GET, paths[i]),
		    STR("NOT_FOUND 404 no such page\n"));
}

static void
test_head_goes_to_the_handler_of_get(struct arena *a)
{
	is_str(serve(a, METHOD_HEAD, "/simple/"), STR("OK 0 got"));
}

static void
test_other_methods_are_405_with_allow(struct arena *a)
{
	struct request rq = { .arena = a, .method = METHOD_OTHER,
	    .path = STR("/simple/x/") };
	const struct route *found;
	unsigned allow = 0;

	is_str(serve(a, METHOD_POST, "/simple/"),
	    STR("INVALID 405 Method Not Allowed\n"));
	is_str(serve(a, METHOD_GET, "/pypi"),
	    STR("INVALID 405 Method Not Allowed\n"));
	is_str(serve(a, METHOD_OPTIONS, "/pypi"), STR("OK 204 "));
	is_str(serve(a, METHOD_OPTIONS, "/nothing"),
	    STR("NOT_FOUND 404 no such page\n"));
	ok(route_find(routes, sizeof(routes) / sizeof(routes[0]), &rq, &found,
	    &allow) == INVALID);
	is_int(allow, ROUTE_GET | ROUTE_POST);
}

static void
test_a_handler_that_fails_is_answered_for(struct arena *a)
{
	is_str(serve(a, METHOD_POST, "/pypi"), STR("DENIED 403 not yours\n"));
	is_str(serve(a, METHOD_POST, "/simple/x/"), STR("DENIED 403 not yours\n"));
}

static void
test_the_request_learns_its_route(struct arena *a)
{
	struct request rq = { .arena = a, .path = STR("/simple/x/") };
	const struct route *found;
	unsigned allow;

	ok(route_find(routes, sizeof(routes) / sizeof(routes[0]), &rq, &found,
	    &allow) == OK);
	is_str(str_c(rq.route), STR("/simple/<>/"));
	ok(found == &routes[2]);
}

int
main(void)
{
	RUN(test_parts_of_the_path_become_arguments);
	RUN(test_what_no_pattern_matches_is_404);
	RUN(test_head_goes_to_the_handler_of_get);
	RUN(test_other_methods_are_405_with_allow);
	RUN(test_a_handler_that_fails_is_answered_for);
	RUN(test_the_request_learns_its_route);
	return tap_done();
}
