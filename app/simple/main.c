/* tilsit-simple: the read path, for installers and mirrors. */
#include "http/route.h"
#include "index/worker.h"
#include "simple/handlers.h"

static const struct route routes[] = {
	{ ROUTE_GET, "/simple/", simple_root },
	{ ROUTE_GET, "/simple/<>/", simple_project },
	{ ROUTE_GET, "/simple", simple_add_slash },
	{ ROUTE_GET, "/simple/<>", simple_add_slash },
	{ ROUTE_GET, "/pypi/<>/json", project_json_page },
	{ ROUTE_GET, "/pypi/<>/json/", project_json_page },
	{ ROUTE_GET, "/pypi/<>/<>/json", release_json_page },
	{ ROUTE_GET, "/pypi/<>/<>/json/", release_json_page },
	{ ROUTE_GET, "/rss/packages.xml", new_projects_feed },
	{ ROUTE_GET, "/rss/updates.xml", new_releases_feed },
	{ ROUTE_GET, "/rss/project/<>/releases.xml", project_feed },
	{ ROUTE_GET, "/-/ready", ready },
};

int
main(int argc, char **argv)
{
	static const struct worker worker = {
		.name = "tilsit-simple",
		.purpose = "answers installers and mirrors: /simple/, "
		    "/pypi/<project>/json, /rss/",
		.routes = routes,
		.n_routes = sizeof(routes) / sizeof(routes[0]),
	};

	return worker_main(argc, argv, &worker);
}
