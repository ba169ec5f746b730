/*
 * worker: the request loop of a FastCGI program.
 *
 * A program of app/ is a table of routes and a main() that calls
 * worker_main(), which reads the settings, opens the index, serves one
 * request at a time until it is told to stop, and logs a line for each.
 * Handlers get the struct index as app.
 */
#ifndef INDEX_WORKER_H
#define INDEX_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct request;
struct response;
struct route;

struct worker {
	const char *name;		/* "tilsit-simple" */
	const char *purpose;		/* one line, for --help */
	const struct route *routes;
	size_t n_routes;

	/*
	 * Asked before any route, or NULL.  Anything but OK is the answer;
	 * it may set what rs says of the caller.
	 */
	enum status (*admit)(void *app, const struct request *rq,
	    struct response *rs, struct err *err);

	/*
	 * Its location has fastcgi_request_buffering off: nginx (1.22) then
	 * never passes an answer on that comes before the whole body was
	 * taken, so that what a handler leaves is read first.
	 */
	bool is_unbuffered;
};

/*
 * All of main(): 0 when it was told to stop, 1 when a service failed it, 2
 * when the command line or the configuration is wrong.
 */
int worker_main(int argc, char **argv, const struct worker *worker);

#endif
