#include "pkg/zip.h"

#include <string.h>

#include "base/arena.h"
#include "pkg/zip_parts.h"

static void
end_inflate(void *thing)
{
	inflateEnd(thing);
}

static enum status
start_inflate(struct zip *z, struct err *err)
{
	if (inflateInit2(&z->inflate, -MAX_WBITS) != Z_OK)
		return err_set(err, UNAVAILABLE, "no memory to unpack");
	arena_defer(z->arena, end_inflate, &z->inflate);
	z->out = arena_alloc(z->arena, PIECE_BYTES);
	return OK;
}

enum status
zip_open(struct arena *a, int fd, const struct archive_limits *limits,
    struct zip **out, struct err *err)
{
	struct zip *z = arena_alloc(a, sizeof(*z));
	int64_t file_bytes = 0;
	enum status st;

	st = zip_file_size(fd, &file_bytes, err);
	if (st != OK)
		return st;
	z->arena = a;
	z->directory = window_new(a, fd, file_bytes, ENTRY_FILL);
	z->data = window_new(a, fd, file_bytes, PIECE_BYTES);
	st = zip_read_directory(z, limits, err);
	if (st == OK)
		st = start_inflate(z, err);
	if (st == OK)
		*out = z;
	return st;
}

size_t
zip_count(const struct zip *z)
{
	return z->n;
}

/* Where the header of the next member, or the directory, begins. */
static int64_t
stop_of(const struct zip *z, size_t i)
{
	return i + 1 < z->n ? z->entry[i + 1].at : z->directory_at;
}

/* Local sizes and CRC say what the directory says, or nothing yet. */
static enum status
compare_numbers(const unsigned char *p, struct zip64 wide,
    const struct entry *e, struct err *err)
{
	uint64_t crc = le32(p + 14), packed = le32(p + 18), size = le32(p + 22);

	if (!zip_widen(&size, &wide) || !zip_widen(&packed, &wide))
		return BAD(err, "zip64 extra field is too short");
	if (e->flags & FLAG_DESCRIPTOR && crc == 0 && packed == 0 && size == 0)
		return OK;
	if (crc != e->crc || packed != (uint64_t)e->packed ||
	    size != (uint64_t)e->size)
		return BAD(err, "a header and the directory differ in size "
		    "or checksum");
	return OK;
}

/* Compare the fixed part of a local header with the directory. */
static enum status
compare_header(const unsigned char *p, const struct entry *e, struct err *err)
{
	if (le32(p) != LOCAL_SIG)
		return BAD(err, "no header where the directory says");
	if ((le16(p + 6) ^ e->flags) & FLAGS_COMPARED ||
	    le16(p + 8) != e->method)
		return BAD(err, "a header and the directory differ in method "
		    "or flags");
	if (le16(p + 26) != e->name_n)
		return BAD(err, "a header and the directory differ in a name");
	return OK;
}

/*
 * Read the local header; *out is where its data begin.  Header and name are
 * copied, for the extra field may be as long as the window.
 */
static enum status
read_header(struct zip *z, const struct entry *e, struct str name,
    int64_t *out, struct err *err)
{
	unsigned char fixed[LOCAL_BYTES];
	const unsigned char *p;
	struct zip64 wide;
	enum status st;
	int64_t at = e->at + LOCAL_BYTES;

	st = window_get(&z->data, e->at, LOCAL_BYTES, &p, err);
	if (st != OK)
		return st;
	memcpy(fixed, p, LOCAL_BYTES);
	st = compare_header(fixed, e, err);
	if (st == OK)
		st = window_get(&z->data, at, e->name_n, &p, err);
	if (st != OK)
		return st;
	if (memcmp(p, name.p, name.n) != 0)
		return BAD(err, "a header and the directory differ in a name: "
		    "'%.*s'", STR_ARG(name));
	at += e->name_n;
	st = window_get(&z->data, at, le16(fixed + 28), &p, err);
	if (st == OK)
		st = zip_read_extra(p, le16(fixed + 28), &wide, err);
	if (st == OK)
		st = compare_numbers(fixed, wide, e, err);
	*out = at + le16(fixed + 28);
	return st;
}

/*
 * Behind the data comes a data descriptor if the flags say so, and then the
 * next header.  Four forms of descriptor are in use: with and without a
 * signature, with sizes of 32 and 64 bits.  (4.3.9)
 */
static enum status
check_descriptor(struct zip *z, const struct entry *e, int64_t at,
    int64_t stop, struct err *err)
{
	size_t n = (size_t)(stop - at);
	size_t wide = n == 20 || n == 24 ? 8 : 4;
	size_t signed_n = n == 16 || n == 24 ? 4 : 0;
	uint64_t packed, size;
	const unsigned char *p;
	enum status st;

	if (!(e->flags & FLAG_DESCRIPTOR) ||
	    (n != 12 && n != 16 && n != 20 && n != 24))
		return BAD(err, "data between two members");
	st = window_get(&z->data, at, n, &p, err);
	if (st != OK)
		return st;
	if (signed_n && le32(p) != DESCRIPTOR_SIG)
		return BAD(err, "damaged data descriptor");
	p += signed_n;
	packed = wide == 8 ? le64(p + 4) : le32(p + 4);
	size = wide == 8 ? le64(p + 12) : le32(p + 8);
	if (le32(p) != e->crc || packed != (uint64_t)e->packed ||
	    size != (uint64_t)e->size)
		return BAD(err, "a data descriptor and the directory differ");
	return OK;
}

static enum status
check_place(struct zip *z, size_t i, int64_t data_at, struct err *err)
{
	const struct entry *e = &z->entry[i];
	int64_t stop = stop_of(z, i);

	if (data_at > stop || e->packed > stop - data_at)
		return BAD(err, "overlapping members");
	if (e->packed == stop - data_at && !(e->flags & FLAG_DESCRIPTOR))
		return OK;
	if (stop - data_at - e->packed > 24)
		return BAD(err, "data between two members");
	return check_descriptor(z, e, data_at + e->packed, stop, err);
}

enum status
zip_next(struct zip *z, struct zip_member *out, struct err *err)
{
	const struct entry *e = &z->entry[z->next];
	enum status st;

	if (z->next == z->n)
		return NOT_FOUND;
	st = zip_entry_name(z, e, &out->name, err);
	if (st == OK)
		st = read_header(z, e, out->name, &z->data_at, err);
	if (st == OK)
		st = check_place(z, z->next, z->data_at, err);
	if (st != OK)
		return st;
	out->is_dir = str_ends(out->name, STR("/"));
	out->size = e->size;
	z->next++;
	return OK;
}

/* Where unpacked bytes go: counted and checked, kept if there is room. */
struct sink {
	char *keep;	/* NULL: nowhere */
	int64_t n;
	int64_t limit;
	uLong crc;
};

static bool
sink_put(struct sink *s, const unsigned char *p, size_t n)
{
	if ((int64_t)n > s->limit - s->n)
		return false;
	if (s->keep)
		memcpy(s->keep + s->n, p, n);
	s->crc = crc32(s->crc, p, (uInt)n);
	s->n += (int64_t)n;
	return true;
}

/* Unpack what inflate has been given.  *ended: its stream is complete. */
static enum status
inflate_piece(struct zip *z, struct sink *sink, bool *ended, struct err *err)
{
	int rc;

	do {
		z->inflate.next_out = z->out;
		z->inflate.avail_out = PIECE_BYTES;
		rc = inflate(&z->inflate, Z_NO_FLUSH);
		if (rc == Z_MEM_ERROR)
			return err_set(err, UNAVAILABLE,
			    "no memory to unpack");
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return BAD(err, "damaged compressed data");
		if (!sink_put(sink, z->out,
		    PIECE_BYTES - z->inflate.avail_out))
			return BAD(err, "a member unpacks to more than its "
			    "header says");
	} while (rc == Z_OK && z->inflate.avail_out == 0);
	*ended = rc == Z_STREAM_END;
	return OK;
}

static enum status
read_deflated(struct zip *z, const struct entry *e, struct sink *sink,
    struct err *err)
{
	int64_t left = e->packed;
	int64_t at = z->data_at;
	bool ended = false;
	enum status st = OK;

	inflateReset(&z->inflate);
	while (st == OK && left > 0 && !ended) {
		size_t n = left < (int64_t)PIECE_BYTES ? (size_t)left :
		    PIECE_BYTES;
		const unsigned char *p;

		st = window_get(&z->data, at, n, &p, err);
		if (st != OK)
			return st;
		z->inflate.next_in = (unsigned char *)(uintptr_t)p;
		z->inflate.avail_in = (uInt)n;
		st = inflate_piece(z, sink, &ended, err);
		at += (int64_t)n;
		left -= (int64_t)n;
	}
	if (st != OK)
		return st;
	if (!ended)
		return BAD(err, "compressed data end in the middle");
	if (left > 0 || z->inflate.avail_in > 0)
		return BAD(err, "data behind the compressed stream");
	return OK;
}

static enum status
read_stored(struct zip *z, const struct entry *e, struct sink *sink,
    struct err *err)
{
	int64_t left = e->packed;
	int64_t at = z->data_at;

	while (left > 0) {
		size_t n = left < (int64_t)PIECE_BYTES ? (size_t)left :
		    PIECE_BYTES;
		const unsigned char *p;
		enum status st = window_get(&z->data, at, n, &p, err);

		if (st != OK)
			return st;
		(void)sink_put(sink, p, n);	/* both sizes are equal */
		at += (int64_t)n;
		left -= (int64_t)n;
	}
	return OK;
}

enum status
zip_read(struct zip *z, int64_t limit_bytes, struct str *out,
    struct err *err)
{
	const struct entry *e = &z->entry[z->next - 1];
	struct sink sink = { .limit = e->size };
	enum status st;

	if (out && e->size > limit_bytes)
		return err_set(err, INVALID, "over %lld bytes",
		    (long long)limit_bytes);
	if (out)
		sink.keep = arena_alloc(z->arena, (size_t)e->size);
	sink.crc = crc32(0, NULL, 0);
	if (e->method == METHOD_STORED)
		st = read_stored(z, e, &sink, err);
	else
		st = read_deflated(z, e, &sink, err);
	if (st != OK)
		return st;
	if (sink.n != e->size || sink.crc != e->crc)
		return BAD(err, "a member does not match its size or "
		    "checksum");
	if (out)
		*out = (struct str){ sink.keep, (size_t)sink.n };
	return OK;
}
