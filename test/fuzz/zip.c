/*
 * Fuzz pkg/zip.
 *
 * Law: what we accept, libarchive reads alike by the directory at the end and
 * from the front: the same members with the same bytes.
 */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"
#include "pkg/archive.h"
#include "pkg/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct archive_limits limits = {
	.members = 1000, .unpacked_bytes = 4 << 20, .metadata_bytes = 1 << 20,
	.ratio = 50,
};

static void
note(struct buf *b, struct str name, struct str bytes)
{
	buf_put(b, name);
	buf_byte(b, ' ');
	buf_int(b, (int64_t)bytes.n);
	buf_byte(b, ' ');
	buf_int(b, (int64_t)crc32(0, (const unsigned char *)bytes.p,
	    (uInt)bytes.n));
	buf_byte(b, '\n');
}

/* What we see; false: not accepted. */
static bool
ours(struct arena *a, int fd, struct buf *seen)
{
	struct zip *z = NULL;
	struct zip_member m;
	struct str bytes;
	struct err err;
	enum status st = zip_open(a, fd, &limits, &z, &err);

	while (st == OK && (st = zip_next(z, &m, &err)) == OK) {
		struct str name = str_dup(a, m.name);

		st = zip_read(z, 4 << 20, &bytes, &err);
		if (st == OK)
			note(seen, name, bytes);
	}
	if (st == UNAVAILABLE)
		panic("%s", err.text);
	return st == NOT_FOUND;
}

/* All bytes of a member, as libarchive unpacks them. */
static struct str
bytes_of(struct arena *a, struct archive *ar)
{
	struct buf b = buf_new(a);
	la_ssize_t n;

	while ((n = archive_read_data(ar, buf_room(&b, 65536), 65536)) > 0)
		buf_wrote(&b, (size_t)n);
	if (n < 0)
		panic("libarchive: %s", archive_error_string(ar));
	return buf_view(&b);
}

/* What libarchive sees by one of its readers. */
static struct buf
theirs(struct arena *a, const uint8_t *data, size_t size,
    int support(struct archive *))
{
	struct archive *ar = archive_read_new();
	struct buf seen = buf_new(a);
	struct archive_entry *entry;
	int rc;

	support(ar);
	if (archive_read_open_memory(ar, data, size) != ARCHIVE_OK)
		panic("libarchive: %s", archive_error_string(ar));
	while ((rc = archive_read_next_header(ar, &entry)) == ARCHIVE_OK ||
	    rc == ARCHIVE_WARN) {
		struct str name = str_dup(a,
		    str_c(archive_entry_pathname(entry)));

		note(&seen, name, bytes_of(a, ar));
	}
	if (rc != ARCHIVE_EOF)
		panic("libarchive: %s", archive_error_string(ar));
	archive_read_free(ar);
	return seen;
}

static void
compare(const struct buf *one, const struct buf *other, const char *how)
{
	if (!str_eq(buf_view(one), buf_view(other)))
		panic("%s libarchive sees\n%.*s, not\n%.*s", how,
		    STR_ARG(buf_view(other)), STR_ARG(buf_view(one)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)64 << 20);
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct buf seen = buf_new(a);
	bool likely = false;

	/* libarchive gives names in the locale's letters, ours are UTF-8. */
	if (!setlocale(LC_CTYPE, "C.UTF-8") ||
	    write(fd, data, size) != (ssize_t)size)
		panic("no locale or no file");
	if (ours(a, fd, &seen) && seen.len > 0) {
		struct buf end = theirs(a, data, size,
		    archive_read_support_format_zip_seekable);
		struct buf front = theirs(a, data, size,
		    archive_read_support_format_zip_streamable);

		compare(&seen, &end, "by the directory,");
		compare(&seen, &front, "from the front,");
		if (zip_is_likely(a, fd, &likely, NULL) != OK || !likely)
			panic("a zip that is not likely one");
	}
	close(fd);
	arena_free(a);
	return 0;
}
