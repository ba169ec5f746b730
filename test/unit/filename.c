/* Unit tests of pkg/filename. */
#include "tap.h"

#include "pkg/filename.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static struct wheel_filename
wheel(struct arena *a, const char *filename)
{
	struct wheel_filename w = { 0 };
	struct err err = { 0 };

	if (!ok(filename_parse_wheel(a, str_c(filename), &w, &err) == OK))
		printf("# %s\n", err.text);
	return w;
}

static struct sdist_filename
sdist(struct arena *a, const char *filename, const char *project)
{
	struct sdist_filename s = { 0 };
	struct err err = { 0 };

	if (!ok(filename_parse_sdist(a, str_c(filename), str_c(project), &s,
	    &err) == OK))
		printf("# %s\n", err.text);
	return s;
}

static void
test_package_types_have_names(struct arena *a)
{
	enum packagetype type = PACKAGE_SDIST;

	(void)a;
	is_str(packagetype_name(PACKAGE_SDIST), STR("sdist"));
	is_str(packagetype_name(PACKAGE_WHEEL), STR("bdist_wheel"));
	ok(packagetype_find(STR("bdist_wheel"), &type));
	is_int(type, PACKAGE_WHEEL);
	ok(packagetype_find(STR("sdist"), &type));
	is_int(type, PACKAGE_SDIST);
	ok(!packagetype_find(STR("bdist_egg"), &type));
	ok(!packagetype_find(STR(""), &type));
	is_int(type, PACKAGE_SDIST);
}

static void
test_file_names_are_plain_and_bounded(struct arena *a)
{
	static const char *const bad[] = {
		"", ".a", "-a", "..", "a..b", "a b", "a\tb", "a/b", "a\\b",
		"a%2e", "a:b", "a\"b", "a\xc3\xa9", "a?", "a#b", "a\x7f",
		"a\n",
	};
	char z[FILENAME_MAX_BYTES + 1];

	(void)a;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (!ok(filename_check(str_c(bad[i]), NULL) == INVALID))
			printf("# %s\n", bad[i]);
	ok(filename_check(STR("a\0b"), NULL) == INVALID);
	ok(filename_check(STR("a-1!2.0+x_y.tar.gz"), NULL) == OK);
	memset(z, 'a', sizeof(z));
	ok(filename_check((struct str){ z, sizeof(z) - 1 }, NULL) == OK);
	ok(filename_check((struct str){ z, sizeof(z) }, NULL) == INVALID);
}

static void
test_file_name_errors_read_as_the_public_indexs(struct arena *a)
{
	struct err err;

	(void)a;
	ok(filename_check(STR("a\x01"), &err) == INVALID);
	is_str(str_c(err.text), STR("Cannot upload a file with non-printable "
	    "characters (ordinals 0-31) or the DEL character (ordinal 127) "
	    "in the name."));
	ok(filename_check(STR("a/b"), &err) == INVALID);
	is_str(str_c(err.text),
	    STR("Cannot upload a file with '/' or '\\' in the name."));
}

static void
test_wheel_name_says_all_its_parts(struct arena *a)
{
	struct wheel_filename w = wheel(a,
	    "Foo_Bar.Baz-1!1.0.Post1+L_1-1abc-py2.py3-none-any.whl");

	is_str(w.filename,
	    STR("Foo_Bar.Baz-1!1.0.Post1+L_1-1abc-py2.py3-none-any.whl"));
	is_str(w.name, STR("foo-bar-baz"));
	is_str(w.raw_name, STR("Foo_Bar.Baz"));
	is_str(version_normal(a, &w.version), STR("1!1.0.post1+l.1"));
	is_str(w.raw_version, STR("1!1.0.Post1+L_1"));
	is_str(w.build, STR("1abc"));
	is_str(w.python, STR("py2.py3"));
	is_str(w.abi, STR("none"));
	is_str(w.platform, STR("any"));
}

static void
test_wheel_needs_no_build_tag(struct arena *a)
{
	struct wheel_filename w = wheel(a, "numpy-1.26.4-cp312-cp312-"
	    "manylinux_2_17_x86_64.manylinux2014_x86_64.whl");

	is_str(w.name, STR("numpy"));
	is_str(w.build, STR(""));
	is_str(w.python, STR("cp312"));
	is_str(w.abi, STR("cp312"));
	is_str(w.platform,
	    STR("manylinux_2_17_x86_64.manylinux2014_x86_64"));
}

static void
test_what_is_no_wheel_name(struct arena *a)
{
	static const char *const cases[] = {
		"foo-1.0.whl",
		"foo-1.0-py3-none.whl",
		"foo-1.0-200-py3-none-any-junk.whl",
		"foo-1.0-py3-none-any.wheel",
		"foo-1.0-py3-none-any.WHL",
		"foo-1.0-py3-none-anywhl",
		"foo__bar-1.0-py3-none-any.whl",
		"foo+bar-1.0-py3-none-any.whl",
		"foo!-1.0-py3-none-any.whl",
		"foo-dog-py3-none-any.whl",
		"foo-1.x-py3-none-any.whl",
		"foo-1.0-abc-py3-none-any.whl",
		"foo-1.0--py3-none-any.whl",
		"foo-1.0-py3-none-.whl",
		"foo-1.0-py3--any.whl",
		"foo-1.0--none-any.whl",
		"foo-1.0-py3.-none-any.whl",
		"foo-1.0-py3-none-.any.whl",
		"foo-1.0-3-none-any.whl",
		"foo-1.0-py3+-none-any.whl",
		"foo-1.0-py3-none-any..whl",
		"-1.0-py3-none-any.whl",
		"foo bar-1.0-py3-none-any.whl",
		"dir/foo-1.0-py3-none-any.whl",
		".whl", "whl", "----.whl", "-----.whl",
	};
	struct wheel_filename w;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (!ok(filename_parse_wheel(a, str_c(cases[i]), &w, NULL) ==
		    INVALID))
			printf("# %s\n", cases[i]);
}

static void
test_wheel_error_names_the_file_and_the_trouble(struct arena *a)
{
	struct wheel_filename w = { .build = STR("untouched") };
	struct err err;

	ok(filename_parse_wheel(a, STR("foo-1.0-py3-none.whl"), &w, &err) ==
	    INVALID);
	is_str(str_c(err.text), STR("Invalid wheel filename "
	    "'foo-1.0-py3-none.whl': it must have five or six parts with "
	    "dashes between, NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl."));
	is_str(w.build, STR("untouched"));
}

static enum status
platform(const char *tags, struct err *err)
{
	struct wheel_filename w = {
		.filename = STR("F.whl"),
		.platform = str_c(tags),
	};

	return filename_check_platform(&w, err);
}

static void
test_platforms_that_are_accepted(struct arena *a)
{
	static const char *const cases[] = {
		"any", "win32", "win_amd64", "win_arm64", "win_ia64",
		"linux_armv6l", "linux_armv7l", "manylinux1_x86_64",
		"manylinux2010_i686", "manylinux2014_s390x",
		"manylinux_2_17_x86_64.manylinux2014_x86_64",
		"manylinux_2_31_riscv64", "manylinux_2_17_ppc64",
		"musllinux_1_1_aarch64", "macosx_10_9_universal2",
		"macosx_10_6_intel.macosx_10_9_x86_64", "macosx_11_0_arm64",
		"macosx_26_0_arm64", "ios_13_0_arm64_iphoneos",
		"ios_13_0_x86_64_iphonesimulator", "android_21_arm64_v8a",
		"pyemscripten_2025_0_wasm32", "WIN_AMD64",
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!ok(platform(cases[i], NULL) == OK))
			printf("# %s\n", cases[i]);
}

static void
test_platforms_that_are_refused(struct arena *a)
{
	static const char *const cases[] = {
		"linux_x86_64", "linux_aarch64", "any.linux_x86_64", "win64",
		"win_armv7", "manylinux1_aarch64", "manylinux2010_s390x",
		"manylinux_2_17_sparc", "manylinux_2_x86_64",
		"manylinux_2_17_", "manylinux__17_x86_64", "manylinux_2_17",
		"musllinux_1_1_ppc64", "macosx_10_9_sparc", "macosx_11_1_arm64",
		"macosx_9_0_ppc", "macosx_11_0", "macosx_10__x86_64",
		"ios_13_0_arm64", "android_arm64_v8a", "sunos_5_10_sparc",
		"freebsd_13_amd64", "", "anyx", "manylinux_2_17_x86_64x",
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!ok(platform(cases[i], NULL) == INVALID))
			printf("# %s\n", cases[i]);
}

static void
test_platform_errors_name_the_tag(struct arena *a)
{
	struct err err;

	(void)a;
	ok(platform("win32.solaris_x", &err) == INVALID);
	is_str(str_c(err.text), STR("Binary wheel 'F.whl' has an unsupported "
	    "platform tag 'solaris_x'."));
	ok(platform("linux_x86_64", &err) == INVALID);
	is_str(str_c(err.text), STR("Binary wheel 'F.whl' has an unsupported "
	    "platform tag 'linux_x86_64'. Run auditwheel repair on it to make "
	    "a manylinux or musllinux wheel."));
}

static void
test_modern_sdists(struct arena *a)
{
	struct sdist_filename s = sdist(a, "my_name-1.0rc1.tar.gz", "my-name");

	is_str(s.name, STR("my-name"));
	is_str(s.raw_version, STR("1.0rc1"));
	is_str(version_normal(a, &s.version), STR("1.0rc1"));
	is_str(s.extension, STR(".tar.gz"));
	ok(s.is_modern);
	ok(sdist(a, "a-1!2+l.1.tar.gz", "a").is_modern);
}

static void
test_older_sdists(struct arena *a)
{
	static const char *const cases[][4] = {
		{ "zope.interface-4.0.tar.gz", "zope-interface", "4.0",
		    ".tar.gz" },
		{ "PyYAML-3.10.zip", "pyyaml", "3.10", ".zip" },
		{ "my-name-1.0-beta-2.tar.gz", "my-name", "1.0b2", ".tar.gz" },
		{ "a-1-1.tar.bz2", "a-1", "1", ".tar.bz2" },
		{ "a-1-1.tar.bz2", "a", "1.post1", ".tar.bz2" },
		{ "python-dateutil-2.8.tgz", "python-dateutil", "2.8",
		    ".tgz" },
		{ "A__.b-V1.0.tar.xz", "a-b", "1.0", ".tar.xz" },
		{ "my-name-1.0.tar.gz", "my-name", "1.0", ".tar.gz" },
		{ "a-1.0.zip", "a", "1.0", ".zip" },
		{ "a-1.00.tar.gz", "a", "1.0", ".tar.gz" },
		{ "A-1.0.tar.gz", "a", "1.0", ".tar.gz" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sdist_filename s = sdist(a, cases[i][0], cases[i][1]);

		is_str(s.name, str_c(cases[i][1]));
		is_str(version_normal(a, &s.version), str_c(cases[i][2]));
		is_str(s.extension, str_c(cases[i][3]));
		ok(!s.is_modern);
	}
}

static void
test_what_is_no_sdist_name(struct arena *a)
{
	static const char *const cases[][2] = {
		{ "a-1.0.whl", "a" }, { "a-1.0.tar", "a" },
		{ "a-1.0.TAR.GZ", "a" }, { "a.tar.gz", "a" },
		{ "a-.tar.gz", "a" }, { "a-dog.tar.gz", "a" },
		{ "a1.0.tar.gz", "a" }, { "b-1.0.tar.gz", "a" },
		{ "a-b-1.0.tar.gz", "a" }, { "a--1.0.tar.gz", "a" },
		{ "a-1.0..tar.gz", "a" }, { "a-1.0-.tar.gz", "a" },
		{ ".tar.gz", "a" }, { "-1.0.tar.gz", "a" },
		{ "_a-1.0.tar.gz", "a" }, { "a_-1.0.tar.gz", "a" },
		{ "x/a-1.0.tar.gz", "a" }, { "a-1.0 .tar.gz", "a" },
		{ "a-1.0.tar.gz", "" }, { "-1.0.tar.gz", "" },
	};
	struct sdist_filename s;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (!ok(filename_parse_sdist(a, str_c(cases[i][0]),
		    str_c(cases[i][1]), &s, NULL) == INVALID))
			printf("# %s of %s\n", cases[i][0], cases[i][1]);
}

static void
test_sdist_errors_say_how_to_begin(struct arena *a)
{
	struct sdist_filename s;
	struct err err;

	ok(filename_parse_sdist(a, STR("other-1.0.tar.gz"), STR("my-name"),
	    &s, &err) == INVALID);
	is_str(str_c(err.text), STR("Start filename for 'my-name' with "
	    "'my_name-', not as in 'other-1.0.tar.gz'."));
	ok(filename_parse_sdist(a, STR("a-x.tar.gz"), STR("a"), &s, &err) ==
	    INVALID);
	is_str(str_c(err.text), STR("Invalid source distribution filename: "
	    "a-x.tar.gz. 'x' is not a version (PEP 440)."));
}

int
main(void)
{
	RUN(test_package_types_have_names);
	RUN(test_file_names_are_plain_and_bounded);
	RUN(test_file_name_errors_read_as_the_public_indexs);
	RUN(test_wheel_name_says_all_its_parts);
	RUN(test_wheel_needs_no_build_tag);
	RUN(test_what_is_no_wheel_name);
	RUN(test_wheel_error_names_the_file_and_the_trouble);
	RUN(test_platforms_that_are_accepted);
	RUN(test_platforms_that_are_refused);
	RUN(test_platform_errors_name_the_tag);
	RUN(test_modern_sdists);
	RUN(test_older_sdists);
	RUN(test_what_is_no_sdist_name);
	RUN(test_sdist_errors_say_how_to_begin);
	return tap_done();
}
