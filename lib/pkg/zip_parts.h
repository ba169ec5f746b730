/*
 * zip_parts: what the sources of pkg/zip share: how a zip archive lies in its
 * file, and what we remember of it.  For no one else.
 *
 *	zip_window.c		stretches of the file in memory
 *	zip_directory.c		end record and directory, as zip_open() checks
 *	zip.c			members and their bytes
 */
#ifndef PKG_ZIP_PARTS_H
#define PKG_ZIP_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "base/str.h"

struct arena;
struct archive_limits;

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
#define NEED_MAX	63	/* 4.4.3; APPNOTE 6.3, as Python has it */

#define BAD(err, ...)	\
	err_set((err), INVALID, "zip not accepted: " __VA_ARGS__)

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

static inline uint16_t
le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
le32(const unsigned char *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static inline uint64_t
le64(const unsigned char *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* A window of file_bytes, PIECE_BYTES of it in memory at most. */
struct window window_new(struct arena *a, int fd, int64_t file_bytes,
    size_t fill);

/*
 * View n bytes (PIECE_BYTES at most) of the file, until the next call for
 * this window.  INVALID when the file ends before.
 */
MUST_USE enum status window_get(struct window *w, int64_t at, size_t n,
    const unsigned char **out, struct err *err);

/* Read n bytes, which the file has, unless it was cut while we read. */
MUST_USE enum status zip_pread(int fd, unsigned char *to, size_t n,
    int64_t at, struct err *err);

/* How many bytes the file has. */
MUST_USE enum status zip_file_size(int fd, int64_t *out, struct err *err);

/*
 * Look through an extra field: well-formed, one zip64 part at most, and no
 * second name.  (4.5.1)
 */
MUST_USE enum status zip_read_extra(const unsigned char *p, size_t n,
    struct zip64 *out, struct err *err);

/* Replace a field of all ones by the next 64 bits; false: there are none. */
bool zip_widen(uint64_t *field, struct zip64 *wide);

/* The name as the directory has it, until it is read on. */
MUST_USE enum status zip_entry_name(struct zip *z, const struct entry *e,
    struct str *out, struct err *err);

/*
 * Find and read end record and directory into z, whose windows are open.
 * Leaves the entries sorted by position.
 */
MUST_USE enum status zip_read_directory(struct zip *z,
    const struct archive_limits *limits, struct err *err);

#endif
