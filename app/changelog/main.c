/* tilsit-changelog: tells mirrors what changed. */
#include "changelog/handlers.h"
#include "http/route.h"
#include "index/worker.h"

static const struct route routes[] = {
	{ ROUTE_POST, "/pypi", rpc_post },
	{ ROUTE_POST, "/pypi/", rpc_post },
	{ ROUTE_POST, "/RPC2", rpc_post },
};

int
main(int argc, char **argv)
{
	static const struct worker worker = {
		.name = "tilsit-changelog",
		.purpose = "tells mirrors what changed: XML-RPC at POST /pypi",
		.routes = routes,
		.n_routes = sizeof(routes) / sizeof(routes[0]),
	};

	return worker_main(argc, argv, &worker);
}
