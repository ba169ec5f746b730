/* tilsit-upload: takes packages in. */
#include "http/route.h"
#include "index/worker.h"
#include "upload/handlers.h"

static const struct route routes[] = {
	{ ROUTE_POST, "/legacy/", upload_post },
	{ ROUTE_POST, "/legacy", upload_post },
	{ ROUTE_POST, "/pypi", upload_post },
	{ ROUTE_POST, "/pypi/", upload_post },
	{ ROUTE_GET, "/legacy/", upload_get },
	{ ROUTE_GET, "/legacy", upload_get },
	{ ROUTE_GET, "/pypi", upload_get },
	{ ROUTE_GET, "/pypi/", upload_get },
};

int
main(int argc, char **argv)
{
	static const struct worker worker = {
		.name = "tilsit-upload",
		.purpose = "takes uploads from twine, uv and setup.py: "
		    "POST /legacy/ and /pypi",
		.routes = routes,
		.n_routes = sizeof(routes) / sizeof(routes[0]),
	};

	return worker_main(argc, argv, &worker);
}
