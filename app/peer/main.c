/* tilsit-peer: serves the other machine of a pair. */
#include "http/route.h"
#include "index/worker.h"
#include "peer/handlers.h"
#include "peer/mark.h"

static const struct route routes[] = {
	{ ROUTE_GET, "/-/peer/", peer_hello },
	{ ROUTE_GET, "/-/peer/mark", peer_mark_get },
	{ ROUTE_PUT, "/-/peer/mark", peer_mark_put },
	{ ROUTE_DELETE, "/-/peer/mark", peer_mark_delete },
	{ ROUTE_GET, "/-/peer/packages/<>/<>/<>/<>", peer_file_get },
	{ ROUTE_PUT, "/-/peer/packages/<>/<>/<>/<>", peer_file_put },
};

int
main(int argc, char **argv)
{
	static const struct worker worker = {
		.name = "tilsit-peer",
		.purpose = "keeps package files for the other machine of a "
		    "pair: /-/peer/",
		.routes = routes,
		.n_routes = sizeof(routes) / sizeof(routes[0]),
		.admit = peer_admit,
		.is_unbuffered = true,
	};

	return worker_main(argc, argv, &worker);
}
