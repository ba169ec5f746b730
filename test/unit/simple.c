/* Unit tests of index/simple and index/link. */
#include "tap.h"

#include "base/buf.h"
#include "index/link.h"
#include "index/simple.h"
#include "index/view.h"

#define DIGEST	"ab12cd34"

static struct str
json_of(struct arena *a, const struct simple_project *project)
{
	struct buf out = buf_new(a);

	simple_project_json(&out, project);
	return buf_view(&out);
}

static void
test_a_project_without_files_is_whole_json(struct arena *a)
{
	struct simple_project project = {
		.name = STR("a-b"), .status = STR("active"), .last_serial = 7,
	};

	is_str(json_of(a, &project), STR("{\"files\":[],\"meta\":"
	    "{\"_last-serial\":7,\"api-version\":\"1.4\"},\"name\":\"a-b\","
	    "\"project-status\":{\"status\":\"active\"},\"versions\":[]}\n"));
}

static void
test_a_plain_file_has_no_null_but_requires_python(struct arena *a)
{
	struct simple_file file = {
		.filename = STR("a-1.tar.gz"), .url = STR("/packages/x"),
		.sha256 = STR("0f"), .size = 5, .upload_time_us = 1000000,
	};
	struct simple_project project = {
		.name = STR("a"), .status = STR("archived"),
		.status_reason = STR("see \"b\""), .files = { &file, 1 },
	};

	is_str(json_of(a, &project), STR("{\"files\":[{"
	    "\"core-metadata\":false,\"filename\":\"a-1.tar.gz\","
	    "\"hashes\":{\"sha256\":\"0f\"},\"requires-python\":null,"
	    "\"size\":5,\"upload-time\":\"1970-01-01T00:00:01Z\","
	    "\"url\":\"/packages/x\",\"yanked\":false}],\"meta\":"
	    "{\"_last-serial\":0,\"api-version\":\"1.4\"},\"name\":\"a\","
	    "\"project-status\":{\"reason\":\"see \\\"b\\\"\","
	    "\"status\":\"archived\"},\"versions\":[]}\n"));
}

/* Does the page of one file have this in it? */
static bool
has(struct arena *a, struct simple_file file, struct str part)
{
	struct simple_project project = {
		.name = STR("a"), .status = STR("active"),
		.files = { &file, 1 },
	};
	struct str page = json_of(a, &project);

	for (size_t i = 0; i + part.n <= page.n; i++)
		if (str_eq(str_sub(page, i, i + part.n), part))
			return true;
	return false;
}

static void
test_yanked_is_false_or_true_or_the_reason(struct arena *a)
{
	struct simple_file file = { .yanked_reason = STR("") };

	ok(has(a, file, STR("\"yanked\":false")));
	file.is_yanked = true;
	ok(has(a, file, STR("\"yanked\":true")));
	file.yanked_reason = STR("broken");
	ok(has(a, file, STR("\"yanked\":\"broken\"")));
}

static void
test_metadata_is_told_as_pep_714_has_it_and_no_other_way(struct arena *a)
{
	struct simple_file file = { .metadata_sha256 = STR("ee") };

	ok(has(a, file, STR("\"core-metadata\":{\"sha256\":\"ee\"}")));
	ok(!has(a, file, STR("dist-info-metadata")));
}

static void
test_requires_python_is_escaped(struct arena *a)
{
	struct simple_file file = { .requires_python = STR(">=3.8,<4") };

	ok(has(a, file, STR("\"requires-python\":\"\\u003e=3.8,\\u003c4\"")));
}

static void
test_the_root_list_is_one_text_however_it_is_cut(struct arena *a)
{
	struct simple_root_entry entries[] = {
		{ STR_INIT("A.b"), STR_INIT("a-b"), 7 },
		{ STR_INIT("c"), STR_INIT("c"), 8 },
	};
	const struct simple_root none = { entries, 0 }, both = { entries, 2 };
	const struct simple_root first = { entries, 1 };
	const struct simple_root second = { entries + 1, 1 };
	struct buf whole = buf_new(a), parts = buf_new(a);

	simple_root_json_begin(&whole, 9);
	simple_root_json(&whole, &both, false);
	simple_root_json_end(&whole);
	is_str(buf_view(&whole), STR("{\"meta\":{\"_last-serial\":9,"
	    "\"api-version\":\"1.4\"},\"projects\":["
	    "{\"_last-serial\":7,\"name\":\"A.b\"},"
	    "{\"_last-serial\":8,\"name\":\"c\"}]}\n"));
	simple_root_json_begin(&parts, 9);
	simple_root_json(&parts, &none, false);
	simple_root_json(&parts, &first, false);
	simple_root_json(&parts, &none, true);
	simple_root_json(&parts, &second, true);
	simple_root_json_end(&parts);
	is_str(buf_view(&parts), buf_view(&whole));
}

static void
test_a_file_lies_under_its_digest(struct arena *a)
{
	is_str(link_file(a, STR(""), STR(DIGEST), STR("a-1.tar.gz")),
	    STR("/packages/ab/12/cd34/a-1.tar.gz"));
	is_str(link_file(a, STR("https://x.example"), STR(DIGEST),
	    STR("a-1+l?#.whl")),
	    STR("https://x.example/packages/ab/12/cd34/a-1%2Bl%3F%23.whl"));
}

static void
test_projects_and_releases_have_addresses(struct arena *a)
{
	is_str(link_index(a, STR("https://x.example")),
	    STR("https://x.example/"));
	is_str(link_project(a, STR(""), STR("a-b")), STR("/simple/a-b/"));
	is_str(link_release(a, STR(""), STR("a-b"), STR("1!2.0+l")),
	    STR("/pypi/a-b/1%212.0%2Bl/json"));
}

int
main(void)
{
	RUN(test_a_project_without_files_is_whole_json);
	RUN(test_a_plain_file_has_no_null_but_requires_python);
	RUN(test_yanked_is_false_or_true_or_the_reason);
	RUN(test_metadata_is_told_as_pep_714_has_it_and_no_other_way);
	RUN(test_requires_python_is_escaped);
	RUN(test_the_root_list_is_one_text_however_it_is_cut);
	RUN(test_a_file_lies_under_its_digest);
	RUN(test_projects_and_releases_have_addresses);
	return tap_done();
}
