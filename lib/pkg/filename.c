#include "pkg/filename.h"

#include "base/arena.h"
#include "base/panic.h"
#include "pkg/name.h"

struct str
packagetype_name(enum packagetype type)
{
	switch (type) {
	case PACKAGE_SDIST: return STR("sdist");
	case PACKAGE_WHEEL: return STR("bdist_wheel");
	}
	panic("package type %d", (int)type);
}

bool
packagetype_find(struct str name, enum packagetype *out)
{
	if (str_eq(name, STR("sdist")))
		*out = PACKAGE_SDIST;
	else if (str_eq(name, STR("bdist_wheel")))
		*out = PACKAGE_WHEEL;
	else
		return false;
	return true;
}

static bool
is_one_of(char c, struct str set)
{
	return str_find(set, c, 0) < set.n;
}

/* The first two texts are the ones that the public index has. */
static enum status
check_byte(char c, struct err *err)
{
	if (is_alnum(c) || is_one_of(c, STR("._+!-")))
		return OK;
	if ((unsigned char)c < 32 || c == 127)
		return err_set(err, INVALID, "Cannot upload a file with "
		    "non-printable characters (ordinals 0-31) or the DEL "
		    "character (ordinal 127) in the name.");
	if (c == '/' || c == '\\')
		return err_set(err, INVALID, "Cannot upload a file with '/' "
		    "or '\\' in the name.");
	return err_set(err, INVALID, "Cannot upload a file with this name: "
	    "use ASCII letters, digits and '.', '_', '+', '!', '-' only.");
}

enum status
filename_check(struct str filename, struct err *err)
{
	if (filename.n == 0)
		return err_set(err, INVALID, "Cannot upload a file without "
		    "a name.");
	if (filename.n > FILENAME_MAX_BYTES)
		return err_set(err, INVALID, "Filename is too long: it has "
		    "%zu bytes, %d are allowed.", filename.n,
		    FILENAME_MAX_BYTES);
	for (size_t i = 0; i < filename.n; i++)
		if (check_byte(filename.p[i], err) != OK)
			return INVALID;
	if (filename.p[0] == '.' || filename.p[0] == '-')
		return err_set(err, INVALID, "Cannot upload a file with "
		    "'%c' at the beginning of the name.", filename.p[0]);
	if (str_find_str(filename, STR(".."), 0) < filename.n)
		return err_set(err, INVALID, "Cannot upload a file with '..' "
		    "in the name.");
	return OK;
}

/* Wheels. */

/* Python tags are identifiers; every tag has at least one character. */
static bool
are_tags(struct str tags, bool identifiers)
{
	struct str tag;
	bool more;

	do {
		more = str_cut(tags, '.', &tag, &tags);
		if (tag.n == 0)
			return false;
		if (!identifiers)
			continue;
		if (is_digit(tag.p[0]))
			return false;
		for (size_t i = 0; i < tag.n; i++)
			if (!is_alnum(tag.p[i]) && tag.p[i] != '_')
				return false;
	} while (more);
	return true;
}

static bool
is_wheel_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) && !is_one_of(name.p[i], STR("._")))
			return false;
	return name.n > 0 && str_find_str(name, STR("__"), 0) == name.n;
}

#define WHEEL_PARTS	6	/* with a build tag, else 5 */

/* Split at dashes into 5 or 6 parts; 0 for any other number. */
static size_t
split_wheel(struct str stem, struct str parts[WHEEL_PARTS])
{
	size_t n = 0;
	bool more;

	do {
		if (n == WHEEL_PARTS)
			return 0;
		more = str_cut(stem, '-', &parts[n++], &stem);
	} while (more);
	return n >= WHEEL_PARTS - 1 ? n : 0;
}

static enum status
wheel_error(struct err *err, struct str filename, const char *trouble)
{
	return err_set(err, INVALID, "Invalid wheel filename '%.*s': %s.",
	    STR_ARG(filename), trouble);
}

/* Check the parts of a wheel's name, and read its version. */
static enum status
check_wheel(struct arena *a, struct wheel_filename *w, struct err *err)
{
	if (!is_wheel_name(w->raw_name))
		return wheel_error(err, w->filename, "the name before the "
		    "first dash must be letters, digits, dots and single "
		    "underscores");
	if (version_parse(a, w->raw_version, &w->version) != OK)
		return wheel_error(err, w->filename, "what follows the first "
		    "dash must be a version (PEP 440)");
	if (w->build.n > 0 && !is_digit(w->build.p[0]))
		return wheel_error(err, w->filename, "the build tag behind "
		    "the version must begin with a digit");
	if (!are_tags(w->python, true))
		return wheel_error(err, w->filename, "the Python tag must be "
		    "one like py3 or cp311, or several with dots between");
	if (!are_tags(w->abi, false) || !are_tags(w->platform, false))
		return wheel_error(err, w->filename, "the ABI and platform "
		    "tags must not be empty, nor one between two dots");
	return OK;
}

enum status
filename_parse_wheel(struct arena *a, struct str filename,
    struct wheel_filename *out, struct err *err)
{
	struct wheel_filename w = { 0 };
	struct str parts[WHEEL_PARTS];
	size_t n;

	if (filename_check(filename, err) != OK)
		return INVALID;
	if (!str_ends(filename, STR(".whl")))
		return wheel_error(err, filename, "it must end in .whl");
	w.filename = str_dup(a, filename);
	n = split_wheel(str_sub(w.filename, 0, w.filename.n - 4), parts);
	if (n == 0)
		return wheel_error(err, filename, "it must have five or six "
		    "parts with dashes between, "
		    "NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl");
	if (n == WHEEL_PARTS && parts[2].n == 0)
		return wheel_error(err, filename, "the build tag behind the "
		    "version must not be empty");
	w.raw_name = parts[0];
	w.raw_version = parts[1];
	w.build = n == WHEEL_PARTS ? parts[2] : STR("");
	w.python = parts[n - 3];
	w.abi = parts[n - 2];
	w.platform = parts[n - 1];
	if (check_wheel(a, &w, err) != OK)
		return INVALID;
	w.name = name_normalize(a, w.raw_name);
	*out = w;
	return OK;
}

/* Platform tags. */

#define ARCHES_MAX	14	/* and a NULL */

/* PREFIX, then so many numbers with a '_' behind each, then one of ends. */
struct platform_family {
	struct str prefix;
	int numbers;
	const char *ends[ARCHES_MAX];
};

#define LINUX_ARCHES	"x86_64", "i686", "aarch64", "armv7l", "ppc64le", \
			"s390x", "riscv64"
#define MACOS_ARCHES	"ppc", "ppc64", "i386", "x86_64", "arm64", "intel", \
			"fat", "fat3", "fat64", "universal", "universal2"

static const struct platform_family families[] = {
	{ STR_INIT(""), 0, { "any", "win32", "win_amd64", "win_arm64",
	    "win_ia64", "linux_armv6l", "linux_armv7l" } },
	{ STR_INIT("manylinux1_"), 0, { "x86_64", "i686" } },
	{ STR_INIT("manylinux2010_"), 0, { "x86_64", "i686" } },
	{ STR_INIT("manylinux2014_"), 0, { "x86_64", "i686", "aarch64",
	    "armv7l", "ppc64", "ppc64le", "s390x" } },
	{ STR_INIT("manylinux_"), 2, { LINUX_ARCHES, "ppc64" } },
	{ STR_INIT("musllinux_"), 2, { LINUX_ARCHES } },
	/* Until 10.15 the second number was the release, then the first. */
	{ STR_INIT("macosx_10_"), 1, { MACOS_ARCHES } },
	{ STR_INIT("macosx_11_0_"), 0, { MACOS_ARCHES } },
	{ STR_INIT("macosx_12_0_"), 0, { MACOS_ARCHES } },
	{ STR_INIT("macosx_13_0_"), 0, { MACOS_ARCHES } },
	{ STR_INIT("macosx_14_0_"), 0, { MACOS_ARCHES } },
	{ STR_INIT("macosx_15_0_"), 0, { MACOS_ARCHES } },
	{ STR_INIT("macosx_26_0_"), 0, { MACOS_ARCHES } },
	{ STR_INIT("ios_"), 2, { "arm64_iphoneos", "arm64_iphonesimulator",
	    "x86_64_iphoneos", "x86_64_iphonesimulator" } },
	{ STR_INIT("android_"), 1, { "armeabi_v7a", "arm64_v8a", "x86",
	    "x86_64" } },
	{ STR_INIT("pyemscripten_"), 2, { "wasm32" } },
};

static bool
is_of_family(struct str tag, const struct platform_family *family)
{
	size_t at = family->prefix.n;

	if (!str_eq_nocase(str_sub(tag, 0, at), family->prefix))
		return false;
	for (int i = 0; i < family->numbers; i++) {
		size_t digits = at;

		while (at < tag.n && is_digit(tag.p[at]))
			at++;
		if (at == digits || at == tag.n || tag.p[at++] != '_')
			return false;
	}
	tag = str_sub(tag, at, tag.n);
	for (const char *const *end = family->ends; *end; end++)
		if (str_eq_nocase(tag, str_c(*end)))
			return true;
	return false;
}

static bool
is_known_platform(struct str tag)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (is_of_family(tag, &families[i]))
			return true;
	return false;
}

enum status
filename_check_platform(const struct wheel_filename *w, struct err *err)
{
	static const struct str plain_linux = STR_INIT("linux_");
	struct str tag, rest = w->platform;
	const char *hint = "";
	bool more;

	do {
		more = str_cut(rest, '.', &tag, &rest);
		if (is_known_platform(tag))
			continue;
		if (str_eq_nocase(str_sub(tag, 0, plain_linux.n), plain_linux))
			hint = " Run auditwheel repair on it to make a "
			    "manylinux or musllinux wheel.";
		return err_set(err, INVALID, "Binary wheel '%.*s' has an "
		    "unsupported platform tag '%.*s'.%s",
		    STR_ARG(w->filename), STR_ARG(tag), hint);
	} while (more);
	return OK;
}

/* Sdists. */

static const struct str extensions[] = {
	STR_INIT(".tar.gz"), STR_INIT(".tgz"), STR_INIT(".tar.bz2"),
	STR_INIT(".tar.xz"), STR_INIT(".zip"),
};

static bool
find_extension(struct str filename, struct str *extension)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++) {
		if (!str_ends(filename, extensions[i]))
			continue;
		*extension = extensions[i];
		return true;
	}
	return false;
}

/*
 * How many bytes of the stem are the project's name: no more than one dash
 * has it on the left, since a normal name does not end in one.
 */
static size_t
name_length(struct arena *a, struct str stem, struct str project)
{
	for (size_t i = 0; (i = str_find(stem, '-', i)) < stem.n; i++) {
		struct str name = str_sub(stem, 0, i);

		if (name_is_valid(name) &&
		    str_eq(name_normalize(a, name), project))
			return i;
	}
	return 0;
}

/* PEP 625's spelling of a name: normal, with _ for -. */
static struct str
underscored(struct arena *a, struct str project)
{
	char *to = arena_alloc(a, project.n);

	for (size_t i = 0; i < project.n; i++)
		to[i] = project.p[i] == '-' ? '_' : project.p[i];
	return (struct str){ to, project.n };
}

enum status
filename_parse_sdist(struct arena *a, struct str filename,
    struct str project, struct sdist_filename *out, struct err *err)
{
	struct sdist_filename s = { 0 };
	struct str stem, modern;
	size_t n;

	if (filename_check(filename, err) != OK)
		return INVALID;
	if (!find_extension(filename, &s.extension))
		return err_set(err, INVALID, "Invalid source distribution "
		    "filename: %.*s. It must end in .tar.gz.",
		    STR_ARG(filename));
	stem = str_sub(filename, 0, filename.n - s.extension.n);
	modern = underscored(a, project);
	n = name_length(a, stem, project);
	if (n == 0)
		return err_set(err, INVALID, "Start filename for '%.*s' with "
		    "'%.*s-', not as in '%.*s'.", STR_ARG(project),
		    STR_ARG(modern), STR_ARG(filename));
	s.raw_version = str_dup(a, str_sub(stem, n + 1, stem.n));
	if (version_parse(a, s.raw_version, &s.version) != OK)
		return err_set(err, INVALID, "Invalid source distribution "
		    "filename: %.*s. '%.*s' is not a version (PEP 440).",
		    STR_ARG(filename), STR_ARG(s.raw_version));
	s.name = str_dup(a, project);
	s.is_modern = str_eq(str_sub(stem, 0, n), modern) &&
	    str_eq(s.raw_version, version_normal(a, &s.version)) &&
	    str_eq(s.extension, STR(".tar.gz"));
	*out = s;
	return OK;
}
