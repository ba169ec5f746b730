/*
 * Fuzz pkg/filename and pkg/name.  The input is a file name and a project's
 * name with a newline between.
 *
 * Laws: what a parser took is a safe file name; a wheel's parts make up its
 * name; an sdist of a project is one of no other; its modern name is modern;
 * normalising twice is normalising once.
 */
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"
#include "pkg/filename.h"
#include "pkg/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

static void
check_name(struct arena *a, struct str name)
{
	struct str normal = name_normalize(a, name);
	struct str ultra = name_ultra(a, name);

	must(str_eq(name_normalize(a, normal), normal), "normal stays");
	must(str_eq(name_ultra(a, ultra), ultra), "ultra stays");
	must(str_eq(name_ultra(a, normal), ultra), "ultra of normal");
	must(name_is_valid(name) == false || name_is_normal(normal),
	    "the normal form of a valid name is normal");
	must(name_is_normal(name) ==
	    (name_is_valid(name) && str_eq(name, normal)), "normal or not");
}

static void
check_wheel(struct arena *a, struct str filename)
{
	struct wheel_filename w;
	struct err err = { 0 };
	struct buf b = buf_new(a);

	if (filename_parse_wheel(a, filename, &w, &err) != OK) {
		must(err.text[0] != '\0', "an error says why");
		return;
	}
	must(filename_check(filename, NULL) == OK, "wheel name is safe");
	must(str_eq(name_normalize(a, w.raw_name), w.name), "wheel's name");
	buf_put(&b, w.raw_name);
	buf_byte(&b, '-');
	buf_put(&b, w.raw_version);
	buf_byte(&b, '-');
	buf_put(&b, w.build);
	buf_put(&b, w.build.n > 0 ? STR("-") : STR(""));
	buf_put(&b, w.python);
	buf_byte(&b, '-');
	buf_put(&b, w.abi);
	buf_byte(&b, '-');
	buf_put(&b, w.platform);
	buf_put(&b, STR(".whl"));
	must(str_eq(buf_view(&b), filename), "parts make up the name");
	if (filename_check_platform(&w, &err) != OK)
		must(err.text[0] != '\0', "a platform error says why");
}

/* {name with - as _}-{version}.tar.gz  (PEP 625) */
static struct str
modern_name(struct arena *a, const struct sdist_filename *s)
{
	struct buf b = buf_new(a);

	for (size_t i = 0; i < s->name.n; i++)
		buf_byte(&b, s->name.p[i] == '-' ? '_' : s->name.p[i]);
	buf_byte(&b, '-');
	buf_put(&b, version_normal(a, &s->version));
	buf_put(&b, STR(".tar.gz"));
	return buf_view(&b);
}

static void
check_sdist(struct arena *a, struct str filename, struct str project)
{
	struct sdist_filename s, again;
	struct str modern;

	if (filename_parse_sdist(a, filename, project, &s, NULL) != OK)
		return;
	must(filename_check(filename, NULL) == OK, "sdist name is safe");
	must(name_is_normal(s.name), "a project has a normal name");
	modern = modern_name(a, &s);
	must(s.is_modern == str_eq(modern, filename), "modern or not");
	if (modern.n > FILENAME_MAX_BYTES)
		return;
	must(filename_parse_sdist(a, modern, project, &again, NULL) == OK,
	    "the modern name is one");
	must(again.is_modern, "the modern name is modern");
	must(version_cmp(&s.version, &again.version) == 0, "same version");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)16 << 20);
	struct str filename, project, text = { (const char *)data, size };

	str_cut(text, '\n', &filename, &project);
	check_name(a, filename);
	check_wheel(a, filename);
	check_sdist(a, filename, name_normalize(a, project));
	arena_free(a);
	return 0;
}
