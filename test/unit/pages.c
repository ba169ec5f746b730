/*
 * Unit tests of www/page: each page, as the files in test/unit/expected.
 *
 * simple_root_empty.html and simple_project.html are the frozen form of
 * PEP 833 as pypi.org serves it, byte for byte.
 */
#include "tap.h"

#include "base/buf.h"
#include "index/view.h"
#include "pages.h"

#define FOLDER	"test/unit/expected/"

/* Compare a page with its file. */
static void
is_page(struct arena *a, const struct buf *got, const char *file)
{
	struct buf want = buf_new(a);
	FILE *f = fopen(file, "r");

	if (!ok(f != NULL))
		return;
	buf_wrote(&want, fread(buf_room(&want, 65536), 1, 65536, f));
	fclose(f);
	is_str(buf_view(got), buf_view(&want));
}

static void
test_the_root_is_the_frozen_form(struct arena *a)
{
	struct simple_root_entry entries[] = {
		{ STR_INIT("A.b"), STR_INIT("a-b"), 7 },
		{ STR_INIT("<script>"), STR_INIT("odd\"name"), 8 },
	};
	struct simple_root root = { entries, 2 };
	struct buf b = buf_new(a);

	page_simple_root_begin(&b);
	page_simple_root_end(&b);
	is_page(a, &b, FOLDER "simple_root_empty.html");
	b = buf_new(a);
	page_simple_root_begin(&b);
	page_simple_root(&b, &root);
	page_simple_root_end(&b);
	is_page(a, &b, FOLDER "simple_root.html");
}

static void
test_a_project_is_the_frozen_form(struct arena *a)
{
	struct simple_file file = {
		.filename = STR("example2-1.0.0.tar.gz"),
		.url = STR("http://localhost:7000/"),
		.sha256 = STR("a1dce4642866a610552fab0817cc7926f12d9ecc11f7016"
		    "eb07bd5e721cee61e"),
		.requires_python = STR(">=3.14"),
	};
	struct simple_project project = {
		.name = STR("example2"),
		.status = STR("archived"),
		.files = { &file, 1 },
	};
	struct buf b = buf_new(a);

	page_simple_project(&b, &project);
	is_page(a, &b, FOLDER "simple_project.html");
}

static void
test_every_attribute_of_a_file_is_escaped(struct arena *a)
{
	struct simple_file files[] = {
		{ .filename = STR("full-1.0.tar.gz"), .sha256 = STR("aa"),
		    .url = STR("/packages/aa/full-1.0.tar.gz") },
		{ .filename = STR("full-1.0-py3-none-any.whl"),
		    .url = STR("/packages/bb/full-1.0-py3-none-any.whl"),
		    .sha256 = STR("bb"), .requires_python = STR(">=3.8,<4"),
		    .metadata_sha256 = STR("cc"), .is_yanked = true,
		    .yanked_reason = STR("\"bad\" & 'broken'") },
		{ .filename = STR("<b>"), .url = STR("javascript:alert(1)"),
		    .is_yanked = true },
	};
	struct simple_project project = {
		.name = STR("full"), .status = STR("active"),
		.files = { files, 3 }, .last_serial = INT64_MAX,
	};
	struct buf b = buf_new(a);

	page_simple_project(&b, &project);
	is_page(a, &b, FOLDER "simple_project_full.html");
}

static void
test_a_feed_is_rss(struct arena *a)
{
	struct rss_item items[] = {
		{ .title = STR("a 1.0"), .author = STR("a@example.org"),
		    .link = STR("http://localhost/simple/a/"),
		    .guid = STR("http://localhost/pypi/a/1.0/json"),
		    .description = STR("]]></description>\x01"),
		    .date = STR("Sat, 21 Nov 2026 12:00:05 GMT") },
		{ .title = STR("b 2"), .link = STR("//elsewhere.example/"),
		    .date = STR("Sat, 21 Nov 2026 12:00:04 GMT") },
	};
	struct rss_channel channel = {
		.title = STR("Newest & best"), .at = items, .n = 2,
		.link = STR("http://localhost/"),
		.description = STR("Newest releases"),
	};
	struct rss_channel empty = {
		.title = STR("Newest"), .link = STR("/"),
	};
	struct buf b = buf_new(a);

	page_rss(&b, &channel);
	is_page(a, &b, FOLDER "rss.xml");
	b = buf_new(a);
	page_rss(&b, &empty);
	is_page(a, &b, FOLDER "rss_empty.xml");
}

int
main(void)
{
	RUN(test_the_root_is_the_frozen_form);
	RUN(test_a_project_is_the_frozen_form);
	RUN(test_every_attribute_of_a_file_is_escaped);
	RUN(test_a_feed_is_rss);
	return tap_done();
}
