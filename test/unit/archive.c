/*
 * Unit tests of pkg/member and of what pkg/archive says of an archive that
 * was read.  test/prop/40-archive-hostile.t and 41 read the archives.
 */
#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/findings.h"
#include "pkg/archive.h"
#include "pkg/member.h"

#define WHEEL	"/usr/share/python-wheels/wheel-0.38.4-py3-none-any.whl"

static uint64_t
hash_of(const char *name)
{
	return member_hash(MEMBER_HASH_NONE, str_c(name));
}

static void
test_names_that_mean_the_same_hash_alike(struct arena *a)
{
	(void)a;
	ok(hash_of("a/b") == hash_of("./a//b/"));
	ok(hash_of("a/b") == hash_of("a/./b"));
	ok(hash_of("a/b") != hash_of("ab"));
	ok(hash_of("a/b") != hash_of("b/a"));
	ok(hash_of(".") == MEMBER_HASH_NONE);
	ok(hash_of("a/b/c") == member_hash(hash_of("a"), STR("b/c")));
}

static void
test_components_come_one_by_one(struct arena *a)
{
	struct str rest = STR("./a//bc/."), part;

	(void)a;
	ok(member_component(&rest, &part));
	is_str(part, STR("a"));
	ok(member_component(&rest, &part));
	is_str(part, STR("bc"));
	ok(!member_component(&rest, &part));
}

static void
test_the_top_is_a_folder(struct arena *a)
{
	(void)a;
	is_str(member_top(STR("a/b"), false), STR("a"));
	is_str(member_top(STR("./a/b/"), true), STR("a"));
	is_str(member_top(STR("a/"), true), STR("a"));
	is_str(member_top(STR("a"), false), STR(""));
	is_str(member_top(STR("."), true), STR(""));
}

static void
test_harmless_names_pass(struct arena *a)
{
	static const char *const names[] = {
		"a", "a/b", "..a", "a..", "a/...", "c", "ab:c", "\xc3\xa9",
	};

	(void)a;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		is_int(member_check(str_c(names[i]), NULL), OK);
		is_int(member_check_strict(str_c(names[i]), NULL), OK);
	}
	is_int(member_check(STR("./a//b\\c"), NULL), OK);
	is_int(member_check_strict(STR("a/"), NULL), OK);
}

static void
test_names_that_lead_elsewhere_do_not(struct arena *a)
{
	static const struct str names[] = {
		STR_INIT(""), STR_INIT(".."), STR_INIT("/"), STR_INIT("a/.."),
		STR_INIT("../a"), STR_INIT("a\\..\\b"), STR_INIT("\\a"),
		STR_INIT("z:"), STR_INIT("a\0b"), STR_INIT("a\x1f"),
	};

	(void)a;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		is_int(member_check(names[i], NULL), INVALID);
		is_int(member_check_strict(names[i], NULL), INVALID);
	}
	is_int(member_check_strict(STR("a\\b"), NULL), INVALID);
	is_int(member_check_strict(STR("a//b"), NULL), INVALID);
	is_int(member_check_strict(STR("./a"), NULL), INVALID);
	is_int(member_check_strict(STR("\xe9"), NULL), INVALID);
}

static enum status
read_wheel(struct arena *a, int fd, struct archive_facts *facts,
    struct findings *found, struct err *err)
{
	return archive_read_wheel(a, fd, STR("wheel-0.38.4-py3-none-any.whl"),
	    STR("wheel"), STR("0.38.4"), &archive_limits_default, facts, found,
	    err);
}

static void
test_a_real_wheel_tells_its_facts(struct arena *a)
{
	struct findings found = findings_new(a);
	struct archive_facts facts;
	struct err err = { .text = "" };
	int fd = open(WHEEL, O_RDONLY);

	is_int(read_wheel(a, fd, &facts, &found, &err), OK);
	is_int(found.n, 0);
	is_str(facts.top, STR("wheel-0.38.4.dist-info"));
	ok(facts.is_wheel);
	ok(str_starts(facts.metadata, STR("Metadata-Version: ")));
	ok(str_starts(facts.wheel, STR("Wheel-Version: 1.0\n")));
	ok(archive_has(&facts, STR("wheel/__init__.py")));
	ok(!archive_has(&facts, STR("wheel/__init__.pyc")));
	close(fd);
}

static void
test_license_files_are_looked_for_where_pep_639_has_them(struct arena *a)
{
	uint64_t names[] = { hash_of("x-1.dist-info/licenses/a/LICENSE") };
	struct archive_facts facts = {
		.top = STR_INIT("x-1.dist-info"), .is_wheel = true,
		.names = names, .n_names = 1,
	};

	ok(archive_has_license(&facts, STR("a/LICENSE")));
	ok(!archive_has_license(&facts, STR("LICENSE")));
	is_str(archive_license_path(a, &facts, STR("L")),
	    STR("x-1.dist-info/licenses/L"));
	names[0] = hash_of("x-1/LICENSE");
	facts.is_wheel = false;
	facts.top = STR("x-1");
	ok(archive_has_license(&facts, STR("LICENSE")));
	ok(!archive_has_license(&facts, STR("a/LICENSE")));
	is_str(archive_license_path(a, &facts, STR("L")), STR("x-1/L"));
	facts.n_names = 0;
	ok(!archive_has_license(&facts, STR("LICENSE")));
}

/* Reading a folder fails, as a broken disk does: that is nobody's fault. */
static void
test_what_cannot_be_read_is_not_called_invalid(struct arena *a)
{
	struct findings found = findings_new(a);
	struct archive_facts facts;
	struct err err = { .text = "" };
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	is_int(read_wheel(a, fd, &facts, &found, &err), UNAVAILABLE);
	ok(err.text[0]);
	is_int(archive_read_sdist(a, fd, STR("x-1.tar.gz"),
	    &archive_limits_default, &facts, &found, &err), UNAVAILABLE);
	is_int(archive_read_sdist(a, fd, STR("x-1.zip"),
	    &archive_limits_default, &facts, &found, &err), UNAVAILABLE);
	is_int(found.n, 0);
	close(fd);
	is_int(read_wheel(a, -1, &facts, &found, &err), UNAVAILABLE);
	is_int(found.n, 0);
}

static void
test_the_limits_are_those_of_the_header(struct arena *a)
{
	(void)a;
	is_int(archive_limits_default.members, 200000);
	is_int(archive_limits_default.unpacked_bytes, (int64_t)8 << 30);
	is_int(archive_limits_default.metadata_bytes, 4 << 20);
	is_int(archive_limits_default.ratio, 50);
}

int
main(void)
{
	RUN(test_names_that_mean_the_same_hash_alike);
	RUN(test_components_come_one_by_one);
	RUN(test_the_top_is_a_folder);
	RUN(test_harmless_names_pass);
	RUN(test_names_that_lead_elsewhere_do_not);
	RUN(test_a_real_wheel_tells_its_facts);
	RUN(test_license_files_are_looked_for_where_pep_639_has_them);
	RUN(test_what_cannot_be_read_is_not_called_invalid);
	RUN(test_the_limits_are_those_of_the_header);
	return tap_done();
}
