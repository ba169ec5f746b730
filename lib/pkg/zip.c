#include "pkg/zip.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "pkg/archive.h"
#include "pkg/member.h"

/* Sizes and signatures by section of APPNOTE.TXT. */
#define LOCAL_BYTES	30	/* 4.3.7, name and extra field follow */
#define ENTRY_BYTES	46	/* 4.3.12, name, extra field, comment follow */
#define END_BYTES	22	/* 4.3.16, comment follows */
#define END64_BYTES	56	/* 4.3.14 */
#define LOCATOR_BYTES	20	/* 4.3.15 */
#define LOCAL_SIG	0x04034b50u
#define ENTRY_SIG	0x02014b50u
#define END_SIG		0x06054b50u
#define END64_SIG	0x06064b50u
#define LOCATOR_SIG	0x07064b50u
#define DESCRIPTOR_SIG	0x08074b50u

#define TAIL_BYTES	(END_BYTES + 0xffff)	/* where the end record is */
#define PIECE_BYTES	((size_t)64 << 10)	/* an extra field fits */
#define ENTRY_FILL	((size_t)8 << 10)

#define FLAG_ENCRYPTED	0x0001u
#define FLAG_DESCRIPTOR	0x0008u	/* sizes and CRC follow the data */
#define FLAG_PATCH	0x0020u
#define FLAG_STRONG	0x0040u
#define FLAG_UTF8	0x0800u
#define FLAG_MASKED	0x2000u
#define FLAGS_REFUSED	(FLAG_ENCRYPTED | FLAG_PATCH | FLAG_STRONG | \
			    FLAG_MASKED)
#define FLAGS_COMPARED	(FLAGS_REFUSED | FLAG_DESCRIPTOR | FLAG_UTF8)

#define METHOD_STORED	0
#define METHOD_DEFLATED	8

#define EXTRA_ZIP64	0x0001	/* 4.5.3 */
#define EXTRA_UNICODE	0x7075	/* 4.6.9: another name, for some readers */

#define MADE_BY_UNIX	3	/* 4.4.2 */

#define RATIO_FREE_BYTES	((int64_t)64 << 20)

#define BAD(err, ...)	err_set((err), INVALID, "zip not accepted: " __VA_ARGS__)

/* A stretch of the file that is in memory. */
struct window {
	int fd;
	int64_t file_bytes;
	unsigned char *bytes;	/* PIECE_BYTES */
	size_t fill;		/* read so much ahead */
	int64_t at;
	size_t n;
};

/* What the directory says of one member. */
struct entry {
	int64_t at;		/* of its local header */
	int64_t directory_at;	/* of its entry in the directory */
	int64_t packed;
	int64_t size;
	uint64_t hash;		/* of its name */
	uint32_t crc;
	uint16_t method;
	uint16_t flags;
	uint16_t name_n;
};

struct zip {
	struct arena *arena;
	struct window directory;
	struct window data;
	struct entry *entry;	/* by position, once zip_open() is done */
	size_t n;
	size_t next;
	int64_t directory_at;
	int64_t directory_bytes;
	int64_t data_at;	/* bytes of the member that zip_next() gave */
	z_stream inflate;
	unsigned char *out;	/* PIECE_BYTES of unpacked data */
};

/* An extra field's zip64 part, and whether there was one. */
struct zip64 {
	const unsigned char *p;
	size_t n;
	bool is_there;
};

static uint16_t
le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t
le32(const unsigned char *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t
le64(const unsigned char *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static struct window
window_new(struct arena *a, int fd, int64_t file_bytes, size_t fill)
{
	return (struct window){
		.fd = fd, .file_bytes = file_bytes, .fill = fill,
		.bytes = arena_alloc(a, PIECE_BYTES),
	};
}

/* Read n bytes, which the file has, unless it was cut while we read. */
static enum status
read_at(int fd, unsigned char *to, size_t n, int64_t at, struct err *err)
{
	while (n > 0) {
		ssize_t got = pread(fd, to, n, at);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_errno(err, "cannot read the archive");
		if (got == 0)
			return err_set(err, UNAVAILABLE,
			    "the archive shrank while it was read");
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return OK;
}

/* View n bytes (PIECE_BYTES at most) of the file, until the next call. */
static enum status
window_get(struct window *w, int64_t at, size_t n, const unsigned char **out,
    struct err *err)
{
	enum status st;
	size_t want = n > w->fill ? n : w->fill;

	if (at < 0 || at > w->file_bytes ||
	    (int64_t)n > w->file_bytes - at)
		return BAD(err, "it ends in the middle");
	if (at < w->at || at + (int64_t)n > w->at + (int64_t)w->n) {
		if ((int64_t)want > w->file_bytes - at)
			want = (size_t)(w->file_bytes - at);
		w->n = 0;
		st = read_at(w->fd, w->bytes, want, at, err);
		if (st != OK)
			return st;
		w->at = at;
		w->n = want;
	}
	*out = w->bytes + (at - w->at);
	return OK;
}

static enum status
file_size(int fd, int64_t *out, struct err *err)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1)
		return err_errno(err, "cannot look at the archive");
	*out = sb.st_size;
	return OK;
}

/* The end of the file, where an end record with a comment fits. */
static enum status
read_tail(struct arena *a, int fd, int64_t file_bytes, struct str *out,
    struct err *err)
{
	size_t n = file_bytes < TAIL_BYTES ? (size_t)file_bytes : TAIL_BYTES;
	unsigned char *tail = arena_alloc(a, n);
	enum status st = read_at(fd, tail, n, file_bytes - (int64_t)n, err);

	*out = (struct str){ (const char *)tail, n };
	return st;
}

static const unsigned char *
bytes_at(struct str s, size_t at)
{
	return (const unsigned char *)s.p + at;
}

/* Is there an end record at this place whose comment ends with the file? */
static bool
is_end_record(struct str tail, size_t at)
{
	return le32(bytes_at(tail, at)) == END_SIG &&
	    at + END_BYTES + le16(bytes_at(tail, at + 20)) == tail.n;
}

/*
 * Find the one end record.  Some readers take the last signature, some the
 * first whose comment ends with the file: they must mean the same.
 */
static enum status
find_end(struct str tail, size_t *out, struct err *err)
{
	size_t last = tail.n;	/* none */
	int whole = 0;

	for (size_t at = 0; at + END_BYTES <= tail.n; at++) {
		if (le32(bytes_at(tail, at)) != END_SIG)
			continue;
		last = at;
		whole += is_end_record(tail, at);
	}
	if (last == tail.n)
		return err_set(err, INVALID, "File is not a zipfile");
	if (whole > 1)
		return BAD(err, "more than one end record");
	if (!is_end_record(tail, last))
		return BAD(err, "data behind the end record");
	*out = last;
	return OK;
}

/* What end record and zip64 end record say of the directory. */
struct end {
	uint64_t members;
	uint64_t bytes;
	uint64_t at;
	int64_t directory_end;	/* where the directory must end */
};

/* A plain field agrees with its zip64 twin if it equals it or is all ones. */
static bool
agree(uint64_t plain, uint64_t ones, uint64_t wide)
{
	return plain == ones || plain == wide;
}

/* The zip64 end record that the locator before the end record points to. */
static enum status
read_end64(struct zip *z, int64_t locator_at, struct end *end,
    struct err *err)
{
	const unsigned char *p;
	enum status st;
	int64_t at;

	st = window_get(&z->data, locator_at, LOCATOR_BYTES, &p, err);
	if (st != OK)
		return st;
	at = locator_at - END64_BYTES;
	if (le32(p + 4) != 0 || le32(p + 16) != 1 || at < 0 ||
	    le64(p + 8) != (uint64_t)at)
		return BAD(err, "the zip64 locator does not point to "
		    "the zip64 end record before it");
	st = window_get(&z->data, at, END64_BYTES, &p, err);
	if (st != OK)
		return st;
	if (le32(p) != END64_SIG || le64(p + 4) != END64_BYTES - 12 ||
	    le32(p + 16) != 0 || le32(p + 20) != 0 ||
	    le64(p + 24) != le64(p + 32))
		return BAD(err, "damaged zip64 end record");
	if (!agree(end->members, 0xffff, le64(p + 32)) ||
	    !agree(end->bytes, 0xffffffff, le64(p + 40)) ||
	    !agree(end->at, 0xffffffff, le64(p + 48)))
		return BAD(err, "end record and zip64 end record differ");
	end->members = le64(p + 32);
	end->bytes = le64(p + 40);
	end->at = le64(p + 48);
	end->directory_end = at;
	return OK;
}

/* Is there a zip64 locator in front of the end record? */
static bool
has_locator(struct str tail, size_t at)
{
	return at >= LOCATOR_BYTES &&
	    le32(bytes_at(tail, at - LOCATOR_BYTES)) == LOCATOR_SIG;
}

static enum status
read_end(struct zip *z, struct str tail, size_t at, struct end *end,
    struct err *err)
{
	const unsigned char *p = bytes_at(tail, at);
	int64_t end_at = z->data.file_bytes - (int64_t)(tail.n - at);

	if (le16(p + 4) != 0 || le16(p + 6) != 0 ||
	    le16(p + 8) != le16(p + 10))
		return BAD(err, "it is one part of several");
	*end = (struct end){
		.members = le16(p + 10), .bytes = le32(p + 12),
		.at = le32(p + 16), .directory_end = end_at,
	};
	if (has_locator(tail, at))
		return read_end64(z, end_at - LOCATOR_BYTES, end, err);
	if (end->members == 0xffff || end->bytes == 0xffffffff ||
	    end->at == 0xffffffff)
		return BAD(err, "no zip64 end record where one must be");
	return OK;
}

/* Take the directory's place and size, once they are known to make sense. */
static enum status
place_directory(struct zip *z, const struct end *end,
    const struct archive_limits *limits, struct err *err)
{
	uint64_t stop = (uint64_t)end->directory_end;

	if (end->bytes > stop || end->at != stop - end->bytes)
		return BAD(err, "the directory does not reach from where it "
		    "should begin to the end record");
	if (end->members > (uint64_t)limits->members)
		return BAD(err, "over %lld members",
		    (long long)limits->members);
	if (end->members > end->bytes / ENTRY_BYTES)
		return BAD(err, "the directory is too small for %llu members",
		    (unsigned long long)end->members);
	z->directory_at = (int64_t)end->at;
	z->directory_bytes = (int64_t)end->bytes;
	z->n = (size_t)end->members;
	return OK;
}

/*
 * Look through an extra field: well-formed, one zip64 part at most, and no
 * second name.  (4.5.1)
 */
static enum status
read_extra(const unsigned char *p, size_t n, struct zip64 *out,
    struct err *err)
{
	*out = (struct zip64){ .is_there = false };
	while (n > 0) {
		size_t part;

		if (n < 4 || le16(p + 2) > n - 4)
			return BAD(err, "damaged extra field");
		part = le16(p + 2);
		if (le16(p) == EXTRA_UNICODE)
			return BAD(err, "a second name in an extra field");
		if (le16(p) == EXTRA_ZIP64 && out->is_there)
			return BAD(err, "two zip64 extra fields");
		if (le16(p) == EXTRA_ZIP64)
			*out = (struct zip64){ p + 4, part, true };
		p += 4 + part;
		n -= 4 + part;
	}
	return OK;
}

/* Replace a field of all ones by the next 64 bits; false: there are none. */
static bool
widen(uint64_t *field, struct zip64 *wide)
{
	if (*field != 0xffffffff)
		return true;
	if (wide->n < 8)
		return false;
	*field = le64(wide->p);
	wide->p += 8;
	wide->n -= 8;
	return true;
}

/* Flags, method and kind that we read at all. */
static enum status
check_kind(const unsigned char *p, struct err *err)
{
	uint16_t flags = le16(p + 8), method = le16(p + 10);
	uint32_t kind = le32(p + 38) >> 16 & S_IFMT;

	if (flags & FLAGS_REFUSED)
		return BAD(err, "encrypted or patched member");
	if (method != METHOD_STORED && method != METHOD_DEFLATED)
		return BAD(err, "compression method %u; only stored and "
		    "deflated are", method);
	if (le16(p + 34) != 0)
		return BAD(err, "a member on another disk");
	if (p[5] == MADE_BY_UNIX && kind != 0 && !S_ISREG(kind) &&
	    !S_ISDIR(kind))
		return BAD(err, "a link or device as member");
	return OK;
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static enum status
check_name(struct str name, uint16_t flags, struct err *err)
{
	struct err why;
	enum status st = member_check_strict(name, &why);

	if (st != OK)
		return BAD(err, "%s", why.text);
	if (!(flags & FLAG_UTF8) && !is_ascii(name))
		return BAD(err, "the name '%.*s' is not marked as UTF-8",
		    STR_ARG(name));
	return OK;
}

/* Sizes and place of an entry, by its plain and its zip64 fields. */
static enum status
read_numbers(const unsigned char *p, struct zip64 wide, struct entry *e,
    struct err *err)
{
	uint64_t packed = le32(p + 20), size = le32(p + 24), at = le32(p + 42);

	if (!widen(&size, &wide) || !widen(&packed, &wide) ||
	    !widen(&at, &wide))
		return BAD(err, "zip64 extra field is too short");
	if (wide.n > 0)
		return BAD(err, "zip64 extra field is too long");
	if (packed > INT64_MAX || size > INT64_MAX || at > INT64_MAX)
		return BAD(err, "a size over 2^63");
	e->crc = le32(p + 16);
	e->packed = (int64_t)packed;
	e->size = (int64_t)size;
	e->at = (int64_t)at;
	return OK;
}

/* What a member of this size and method cannot be. */
static enum status
check_entry(const struct zip *z, const struct entry *e, struct str name,
    struct err *err)
{
	if (e->at > z->directory_at || e->packed > z->directory_at - e->at)
		return BAD(err, "'%.*s' reaches into the directory",
		    STR_ARG(name));
	if (e->method == METHOD_STORED && e->packed != e->size)
		return BAD(err, "'%.*s' is stored, but has two sizes",
		    STR_ARG(name));
	if (e->method == METHOD_STORED && e->flags & FLAG_DESCRIPTOR &&
	    e->size > 0)
		return BAD(err, "'%.*s' is stored, but its size follows it",
		    STR_ARG(name));
	if (str_ends(name, STR("/")) && e->size != 0)
		return BAD(err, "'%.*s' is a folder with bytes in it",
		    STR_ARG(name));
	return OK;
}

/* The parts of an entry that follow one another behind its fixed part. */
struct parts {
	size_t name_n;
	size_t extra_n;
	size_t comment_n;
};

/* Copy the fixed part of an entry, check that all of it is there. */
static enum status
read_fixed(struct zip *z, int64_t at, unsigned char fixed[ENTRY_BYTES],
    struct parts *parts, struct err *err)
{
	int64_t left = z->directory_at + z->directory_bytes - at;
	const unsigned char *p;
	enum status st;

	if (left < ENTRY_BYTES)
		return BAD(err, "the directory holds fewer members than %zu",
		    z->n);
	st = window_get(&z->directory, at, ENTRY_BYTES, &p, err);
	if (st != OK)
		return st;
	if (le32(p) != ENTRY_SIG)
		return BAD(err, "damaged directory");
	memcpy(fixed, p, ENTRY_BYTES);
	*parts = (struct parts){
		.name_n = le16(p + 28), .extra_n = le16(p + 30),
		.comment_n = le16(p + 32),
	};
	if (left - ENTRY_BYTES < (int64_t)(parts->name_n + parts->extra_n +
	    parts->comment_n))
		return BAD(err, "damaged directory");
	return OK;
}

/* The name as the directory has it. */
static enum status
entry_name(struct zip *z, const struct entry *e, struct str *out,
    struct err *err)
{
	const unsigned char *p;
	enum status st = window_get(&z->directory,
	    e->directory_at + ENTRY_BYTES, e->name_n, &p, err);

	if (st == OK)
		*out = (struct str){ (const char *)p, e->name_n };
	return st;
}

/* The numbers of an entry, by its fixed part and its extra field. */
static enum status
read_extended(struct zip *z, const unsigned char *fixed,
    const struct parts *parts, struct entry *e, struct err *err)
{
	const unsigned char *p;
	struct zip64 wide;
	enum status st;

	st = window_get(&z->data,
	    e->directory_at + ENTRY_BYTES + (int64_t)parts->name_n,
	    parts->extra_n, &p, err);
	if (st == OK)
		st = read_extra(p, parts->extra_n, &wide, err);
	return st == OK ? read_numbers(fixed, wide, e, err) : st;
}

/* Read one entry of the directory and move at behind it. */
static enum status
read_entry(struct zip *z, int64_t *at, struct entry *e, struct err *err)
{
	unsigned char fixed[ENTRY_BYTES] = { 0 };
	struct parts parts = { .name_n = 0 };
	enum status st;
	struct str name;

	st = read_fixed(z, *at, fixed, &parts, err);
	if (st == OK)
		st = check_kind(fixed, err);
	if (st != OK)
		return st;
	e->directory_at = *at;
	e->flags = le16(fixed + 8);
	e->method = le16(fixed + 10);
	e->name_n = (uint16_t)parts.name_n;
	st = read_extended(z, fixed, &parts, e, err);
	if (st == OK)
		st = entry_name(z, e, &name, err);
	if (st == OK)
		st = check_name(name, e->flags, err);
	if (st == OK)
		st = check_entry(z, e, name, err);
	if (st != OK)
		return st;
	e->hash = member_hash(MEMBER_HASH_NONE, name);
	*at += (int64_t)(ENTRY_BYTES + parts.name_n + parts.extra_n +
	    parts.comment_n);
	return OK;
}

static enum status
check_totals(const struct zip *z, const struct archive_limits *limits,
    struct err *err)
{
	int64_t total = 0;

	for (size_t i = 0; i < z->n; i++) {
		if (z->entry[i].size > limits->unpacked_bytes - total)
			return BAD(err, "over %lld bytes unpacked",
			    (long long)limits->unpacked_bytes);
		total += z->entry[i].size;
	}
	if (total > RATIO_FREE_BYTES &&
	    total / limits->ratio > z->data.file_bytes)
		return BAD(err, "exceeds compression ratio of %d",
		    limits->ratio);
	return OK;
}

static enum status
read_directory(struct zip *z, const struct archive_limits *limits,
    struct err *err)
{
	int64_t at = z->directory_at;
	enum status st = OK;

	z->entry = arena_array(z->arena, z->n, sizeof(*z->entry));
	for (size_t i = 0; st == OK && i < z->n; i++)
		st = read_entry(z, &at, &z->entry[i], err);
	if (st != OK)
		return st;
	if (at != z->directory_at + z->directory_bytes)
		return BAD(err, "the directory holds more than %zu members",
		    z->n);
	return check_totals(z, limits, err);
}

static int
by_hash(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;

	return (a->hash > b->hash) - (a->hash < b->hash);
}

static int
by_position(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;

	return (a->at > b->at) - (a->at < b->at);
}

/* No name twice.  Leaves the entries in another order. */
static enum status
check_names(struct zip *z, struct err *err)
{
	struct str name;
	enum status st;

	if (z->n < 2)
		return OK;
	qsort(z->entry, z->n, sizeof(*z->entry), by_hash);
	for (size_t i = 1; i < z->n; i++) {
		if (z->entry[i - 1].hash != z->entry[i].hash)
			continue;
		st = entry_name(z, &z->entry[i], &name, err);
		if (st != OK)
			return st;
		return BAD(err, "duplicate name '%.*s'", STR_ARG(name));
	}
	return OK;
}

static enum status
check_first(const struct zip *z, struct err *err)
{
	int64_t first = z->n ? z->entry[0].at : z->directory_at;

	if (first != 0)
		return BAD(err, "data before the first member");
	return OK;
}

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
	struct end end = { .members = 0 };
	struct str tail;
	int64_t file_bytes = 0;
	size_t end_at = 0;
	enum status st;

	st = file_size(fd, &file_bytes, err);
	if (st != OK)
		return st;
	z->arena = a;
	z->directory = window_new(a, fd, file_bytes, ENTRY_FILL);
	z->data = window_new(a, fd, file_bytes, PIECE_BYTES);
	st = read_tail(a, fd, file_bytes, &tail, err);
	if (st == OK)
		st = find_end(tail, &end_at, err);
	if (st == OK)
		st = read_end(z, tail, end_at, &end, err);
	if (st == OK)
		st = place_directory(z, &end, limits, err);
	if (st == OK)
		st = read_directory(z, limits, err);
	if (st == OK)
		st = check_names(z, err);
	if (st == OK && z->n > 1)
		qsort(z->entry, z->n, sizeof(*z->entry), by_position);
	if (st == OK)
		st = check_first(z, err);
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

	if (!widen(&size, &wide) || !widen(&packed, &wide))
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
		st = read_extra(p, le16(fixed + 28), &wide, err);
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
	st = entry_name(z, e, &out->name, err);
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

/* Is there a directory where an end record at this place says? */
static enum status
has_directory(struct window *w, struct str tail, size_t at, bool *out,
    struct err *err)
{
	const unsigned char *p = bytes_at(tail, at);
	int64_t end_at = w->file_bytes - (int64_t)(tail.n - at);
	int64_t size = le32(p + 12);
	enum status st;

	*out = has_locator(tail, at) || (size == 0 && le16(p + 10) == 0 &&
	    le32(p + 16) == 0);
	if (*out || size < ENTRY_BYTES || size > end_at)
		return OK;
	st = window_get(w, end_at - size, ENTRY_BYTES, &p, err);
	if (st == OK)
		*out = le32(p) == ENTRY_SIG;
	return st;
}

enum status
zip_is_likely(struct arena *a, int fd, bool *out, struct err *err)
{
	int64_t file_bytes = 0;
	struct window w;
	struct str tail;
	enum status st;

	st = file_size(fd, &file_bytes, err);
	if (st == OK)
		st = read_tail(a, fd, file_bytes, &tail, err);
	if (st != OK)
		return st;
	w = window_new(a, fd, file_bytes, ENTRY_FILL);
	*out = false;
	for (size_t at = 0; at + END_BYTES <= tail.n && !*out; at++) {
		if (le32(bytes_at(tail, at)) != END_SIG)
			continue;
		st = has_directory(&w, tail, at, out, err);
		if (st != OK)
			return st;
	}
	return OK;
}
