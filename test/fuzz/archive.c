/*
 * Fuzz pkg/archive.  The first byte says what the rest is: 'w' a wheel, 'z' an
 * sdist as zip, 'g', 'b' and 'x' as compressed tars, 't' a tar that we
 * compress here, so that the fuzzer need not learn to.
 *
 * Laws: an archive in memory can always be judged; one in which nothing was
 * found has a top folder and, in it, the metadata.
 */
#include <libdeflate.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/findings.h"
#include "base/panic.h"
#include "pkg/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct archive_limits limits = {
	.members = 1000, .unpacked_bytes = 4 << 20, .metadata_bytes = 1 << 16,
	.ratio = 50,
};

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

/* The bytes as a file. */
static int
file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd != -1 && write(fd, bytes, n) == (ssize_t)n, "a file is made");
	return fd;
}

static int
compressed(struct arena *a, const uint8_t *data, size_t size)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
	size_t bound = libdeflate_gzip_compress_bound(c, size);
	char *out = arena_alloc(a, bound);
	size_t n = libdeflate_gzip_compress(c, data, size, out, bound);

	libdeflate_free_compressor(c);
	return file_of(out, n);
}

static struct str
sdist_name(char kind)
{
	switch (kind) {
	case 'z':
		return STR("demo-1.0.zip");
	case 'b':
		return STR("demo-1.0.tar.bz2");
	case 'x':
		return STR("demo-1.0.tar.xz");
	default:
		return STR("demo-1.0.tar.gz");
	}
}

static void
check(struct arena *a, const struct archive_facts *f)
{
	const char *name = f->is_wheel ? "METADATA" : "PKG-INFO";

	must(f->top.n > 0, "there is a top folder");
	must(archive_has(f, str_fmt(a, "%.*s/%s", STR_ARG(f->top), name)),
	    "there is the metadata file");
	must(f->metadata.n <= 1 << 16, "metadata within the limit");
	must(f->n_names <= 1000, "members within the limit");
}

static enum status
judge(struct arena *a, char kind, int fd, struct archive_facts *facts,
    struct findings *found, struct err *err)
{
	if (kind == 'w')
		return archive_read_wheel(a, fd,
		    STR("demo-1.0-py3-none-any.whl"), STR("demo"), STR("1.0"),
		    &limits, facts, found, err);
	return archive_read_sdist(a, fd, sdist_name(kind), &limits, facts,
	    found, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)32 << 20);
	struct findings found = findings_new(a);
	struct archive_facts facts;
	struct err err = { .text = "" };
	char kind = size ? (char)data[0] : 'w';
	int fd;

	data += size > 0;
	size -= size > 0;
	fd = kind == 't' ? compressed(a, data, size) : file_of(data, size);
	must(judge(a, kind, fd, &facts, &found, &err) == OK,
	    "an archive in memory can be judged");
	if (found.n == 0)
		check(a, &facts);
	arena_free(a);
	close(fd);
	return 0;
}
