#include "pkg/unpack.h"

#include <archive.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "pkg/archive.h"

#define GZIP_WINDOW	(MAX_WBITS + 16)	/* zlib's way to say gzip */

struct unpack {
	const struct archive_limits *limits;
	enum packing packing;
	int fd;
	int64_t file_bytes;
	int64_t out_bytes;
	int64_t used_bytes;
	int read_errno;		/* of a failed read, else 0 */
	bool ended;
	z_stream gzip;
	struct archive *other;	/* bzip2, xz */
	unsigned char *in;	/* UNPACK_PIECE_BYTES */
	unsigned char *out;	/* UNPACK_PIECE_BYTES */
};

static ssize_t
read_piece(struct unpack *u)
{
	ssize_t n;

	do
		n = read(u->fd, u->in, UNPACK_PIECE_BYTES);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		u->read_errno = errno;
	return n;
}

/* The archive cannot be judged, for reading it failed. */
static enum status
read_failed(const struct unpack *u, struct err *err)
{
	errno = u->read_errno;
	return err_errno(err, "cannot read the archive");
}

static la_ssize_t
feed(struct archive *other, void *thing, const void **piece)
{
	struct unpack *u = thing;
	ssize_t n = read_piece(u);

	*piece = u->in;
	if (n == -1)
		archive_set_error(other, u->read_errno, "cannot read");
	return n;
}

static void
close_gzip(void *thing)
{
	inflateEnd(thing);
}

static void
close_other(void *thing)
{
	archive_read_free(thing);
}

static enum status
open_gzip(struct arena *a, struct unpack *u, struct err *err)
{
	if (inflateInit2(&u->gzip, GZIP_WINDOW) != Z_OK)
		return err_set(err, UNAVAILABLE, "no memory to unpack");
	arena_defer(a, close_gzip, &u->gzip);
	return OK;
}

static enum status
other_failed(const struct unpack *u, struct err *err)
{
	if (u->read_errno)
		return read_failed(u, err);
	if (archive_errno(u->other) == ENOMEM)
		return err_set(err, UNAVAILABLE, "no memory to unpack");
	return err_set(err, INVALID, "damaged compressed data: %s",
	    archive_error_string(u->other));
}

static enum status
open_other(struct arena *a, struct unpack *u, struct err *err)
{
	struct archive_entry *entry;

	u->other = archive_read_new();
	if (!u->other)
		return err_set(err, UNAVAILABLE, "no memory to unpack");
	arena_defer(a, close_other, u->other);
	if (u->packing == PACKING_BZIP2)
		archive_read_support_filter_bzip2(u->other);
	else
		archive_read_support_filter_xz(u->other);
	archive_read_support_format_raw(u->other);
	if (archive_read_open(u->other, u, NULL, feed, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(u->other, &entry) != ARCHIVE_OK)
		return other_failed(u, err);
	/* Ours and libarchive's own; more is a stream within a stream. */
	if (archive_filter_count(u->other) != 2)
		return err_set(err, INVALID, "compressed more than once");
	return OK;
}

/* Does the file begin as such a stream does? */
static enum status
check_magic(struct unpack *u, struct err *err)
{
	static const struct str magic[] = {
		[PACKING_GZIP] = STR_INIT("\x1f\x8b\x08"),
		[PACKING_BZIP2] = STR_INIT("BZh"),
		[PACKING_XZ] = STR_INIT("\xfd" "7zXZ\0"),
	};
	static const char *const name[] = {
		[PACKING_GZIP] = "gzip", [PACKING_BZIP2] = "bzip2",
		[PACKING_XZ] = "xz",
	};
	ssize_t n = read_piece(u);

	if (n == -1)
		return read_failed(u, err);
	if (!str_starts((struct str){ (char *)u->in, (size_t)n },
	    magic[u->packing]))
		return err_set(err, INVALID, "File is not a tarfile: no %s "
		    "data", name[u->packing]);
	if (lseek(u->fd, 0, SEEK_SET) == -1)
		return err_errno(err, "cannot read the archive");
	return OK;
}

enum status
unpack_open(struct arena *a, int fd, enum packing packing,
    const struct archive_limits *limits, struct unpack **out,
    struct err *err)
{
	struct unpack *u = arena_alloc(a, sizeof(*u));
	enum status st;
	struct stat sb;

	u->limits = limits;
	u->packing = packing;
	u->fd = fd;
	u->in = arena_alloc(a, UNPACK_PIECE_BYTES);
	u->out = arena_alloc(a, UNPACK_PIECE_BYTES);
	if (fstat(fd, &sb) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		return err_errno(err, "cannot look at the archive");
	u->file_bytes = sb.st_size;
	st = check_magic(u, err);
	if (st == OK)
		st = packing == PACKING_GZIP ? open_gzip(a, u, err) :
		    open_other(a, u, err);
	if (st == OK)
		*out = u;
	return st;
}

/* Have something to inflate.  *more is false at the end of the file. */
static enum status
fill(struct unpack *u, bool *more, struct err *err)
{
	ssize_t n;

	*more = true;
	if (u->gzip.avail_in > 0)
		return OK;
	n = read_piece(u);
	if (n == -1)
		return read_failed(u, err);
	u->gzip.next_in = u->in;
	u->gzip.avail_in = (uInt)n;
	*more = n > 0;
	return OK;
}

/*
 * One gzip member has ended.  What may follow is zero bytes up to the end, or
 * another member, which inflate() looks at next.
 */
static enum status
end_member(struct unpack *u, struct err *err)
{
	bool padded = false, more = true;
	enum status st;

	for (;;) {
		st = fill(u, &more, err);
		if (st != OK)
			return st;
		if (!more || *u->gzip.next_in != 0)
			break;
		padded = true;
		u->gzip.next_in++;
		u->gzip.avail_in--;
	}
	u->ended = !more;
	if (more && (padded || *u->gzip.next_in != 0x1f))
		return err_set(err, INVALID, "data behind the gzip stream");
	inflateReset(&u->gzip);
	return OK;
}

static enum status
inflate_once(struct unpack *u, struct err *err)
{
	bool more;
	enum status st = fill(u, &more, err);
	int rc;

	if (st != OK)
		return st;
	if (!more)
		return err_set(err, INVALID, "the gzip stream is cut short");
	rc = inflate(&u->gzip, Z_NO_FLUSH);
	if (rc == Z_MEM_ERROR)
		return err_set(err, UNAVAILABLE, "no memory to unpack");
	if (rc == Z_STREAM_END)
		return end_member(u, err);
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return err_set(err, INVALID, "damaged gzip data: %s",
		    u->gzip.msg ? u->gzip.msg : "preset dictionary");
	return OK;
}

static enum status
next_gzip(struct unpack *u, size_t *n, struct err *err)
{
	enum status st = OK;

	u->gzip.next_out = u->out;
	u->gzip.avail_out = UNPACK_PIECE_BYTES;
	while (st == OK && !u->ended && u->gzip.avail_out > 0)
		st = inflate_once(u, err);
	*n = UNPACK_PIECE_BYTES - u->gzip.avail_out;
	return st;
}

static enum status
next_other(struct unpack *u, size_t *n, struct err *err)
{
	la_ssize_t got = archive_read_data(u->other, u->out,
	    UNPACK_PIECE_BYTES);

	if (got < 0)
		return other_failed(u, err);
	u->ended = got == 0;
	*n = (size_t)got;
	return OK;
}

static enum status
count(struct unpack *u, size_t n, struct err *err)
{
	const struct archive_limits *limits = u->limits;
	size_t used = n;

	while (used > 0 && u->out[used - 1] == 0)
		used--;
	if (used > 0)
		u->used_bytes = u->out_bytes + (int64_t)used;
	u->out_bytes += (int64_t)n;
	if (u->out_bytes > limits->unpacked_bytes)
		return err_set(err, INVALID, "over %lld bytes unpacked",
		    (long long)limits->unpacked_bytes);
	if (u->out_bytes > UNPACK_FREE_BYTES &&
	    u->out_bytes / limits->ratio > u->file_bytes)
		return err_set(err, INVALID,
		    "exceeds compression ratio of %d", limits->ratio);
	return OK;
}

enum status
unpack_next(struct unpack *u, struct str *piece, struct err *err)
{
	enum status st = OK;
	size_t n = 0;

	if (!u->ended)
		st = u->packing == PACKING_GZIP ? next_gzip(u, &n, err) :
		    next_other(u, &n, err);
	if (st == OK)
		st = count(u, n, err);
	if (st == OK)
		*piece = (struct str){ (char *)u->out, n };
	return st;
}

int64_t
unpack_used_bytes(const struct unpack *u)
{
	return u->used_bytes;
}
