#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "pkg/archive.h"
#include "pkg/member.h"
#include "pkg/zip.h"
#include "pkg/zip_parts.h"

#define TAIL_BYTES	(END_BYTES + 0xffff)	/* where the end record is */
#define RATIO_FREE_BYTES	((int64_t)64 << 20)

/* The end of the file, where an end record with a comment fits. */
static enum status
read_tail(struct arena *a, int fd, int64_t file_bytes, struct str *out,
    struct err *err)
{
	size_t n = file_bytes < TAIL_BYTES ? (size_t)file_bytes : TAIL_BYTES;
	unsigned char *tail = arena_alloc(a, n);
	enum status st = zip_pread(fd, tail, n, file_bytes - (int64_t)n, err);

	*out = (struct str){ (const char *)tail, n };
	return st;
}

static const unsigned char *
bytes_at(struct str s, size_t at)
{
	return (const unsigned char *)s.p + at;
}

/* Does the comment of the end record at this place end with the file? */
static bool
is_end_record(struct str tail, size_t at)
{
	return at + END_BYTES <= tail.n &&
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

	for (size_t at = 0; at + 4 <= tail.n; at++) {
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

enum status
zip_read_extra(const unsigned char *p, size_t n, struct zip64 *out,
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

bool
zip_widen(uint64_t *field, struct zip64 *wide)
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

enum status
zip_entry_name(struct zip *z, const struct entry *e, struct str *out,
    struct err *err)
{
	const unsigned char *p;
	enum status st = window_get(&z->directory,
	    e->directory_at + ENTRY_BYTES, e->name_n, &p, err);

	if (st == OK)
		*out = (struct str){ (const char *)p, e->name_n };
	return st;
}

/* Flags, method and kind that we read at all. */
static enum status
check_kind(const unsigned char *p, struct err *err)
{
	uint16_t flags = le16(p + 8), method = le16(p + 10);
	uint32_t kind = le32(p + 38) >> 16 & S_IFMT;

	if (p[6] > NEED_MAX)
		return BAD(err, "a member needs version %d.%d to unpack",
		    p[6] / 10, p[6] % 10);
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

	if (!zip_widen(&size, &wide) || !zip_widen(&packed, &wide) ||
	    !zip_widen(&at, &wide))
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
		st = zip_read_extra(p, parts->extra_n, &wide, err);
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
		st = zip_entry_name(z, e, &name, err);
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
read_entries(struct zip *z, const struct archive_limits *limits,
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
		st = zip_entry_name(z, &z->entry[i], &name, err);
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

enum status
zip_read_directory(struct zip *z, const struct archive_limits *limits,
    struct err *err)
{
	struct end end = { .members = 0 };
	struct str tail;
	size_t end_at = 0;
	enum status st;

	st = read_tail(z->arena, z->data.fd, z->data.file_bytes, &tail, err);
	if (st == OK)
		st = find_end(tail, &end_at, err);
	if (st == OK)
		st = read_end(z, tail, end_at, &end, err);
	if (st == OK)
		st = place_directory(z, &end, limits, err);
	if (st == OK)
		st = read_entries(z, limits, err);
	if (st == OK)
		st = check_names(z, err);
	if (st == OK && z->n > 1)
		qsort(z->entry, z->n, sizeof(*z->entry), by_position);
	return st == OK ? check_first(z, err) : st;
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

	st = zip_file_size(fd, &file_bytes, err);
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
