#include "index/link.h"

#include "base/buf.h"

struct str
link_file(struct arena *a, struct str base, struct str blake2b_hex,
    struct str filename)
{
	struct buf url = buf_new(a);

	buf_put(&url, base);
	buf_put(&url, STR("/packages/"));
	buf_put(&url, str_sub(blake2b_hex, 0, 2));
	buf_byte(&url, '/');
	buf_put(&url, str_sub(blake2b_hex, 2, 4));
	buf_byte(&url, '/');
	buf_put(&url, str_sub(blake2b_hex, 4, blake2b_hex.n));
	buf_byte(&url, '/');
	buf_url(&url, filename);
	return buf_view(&url);
}

struct str
link_index(struct arena *a, struct str base)
{
	struct buf url = buf_new(a);

	buf_put(&url, base);
	buf_byte(&url, '/');
	return buf_view(&url);
}

struct str
link_project(struct arena *a, struct str base, struct str name)
{
	struct buf url = buf_new(a);

	buf_put(&url, base);
	buf_put(&url, STR("/simple/"));
	buf_url(&url, name);
	buf_byte(&url, '/');
	return buf_view(&url);
}

struct str
link_release(struct arena *a, struct str base, struct str name,
    struct str version)
{
	struct buf url = buf_new(a);

	buf_put(&url, base);
	buf_put(&url, STR("/pypi/"));
	buf_url(&url, name);
	buf_byte(&url, '/');
	buf_url(&url, version);
	buf_put(&url, STR("/json"));
	return buf_view(&url);
}
