/*
 * zip: reads a zip archive that can be understood in one way only.
 *
 *	st = zip_open(a, fd, limits, &zip, err);
 *	while (st == OK && (st = zip_next(zip, &member, err)) == OK)
 *		st = zip_read(zip, 0, NULL, err);
 *	st == NOT_FOUND: all of it is well
 *
 * A zip archive says everything twice, in a header before each member and in
 * the directory at its end, and readers differ in whom they believe.  So we
 * refuse every archive in which the two could be told apart:
 *
 *   - one end record, at the very end; nothing before the first member,
 *     between two, or between the last and the directory; nothing overlaps
 *   - header, directory and data descriptor agree in name, sizes, checksum,
 *     method and the flags that matter; zip64 fields agree with plain ones
 *   - no name twice; names as member_check_strict() wants them, in UTF-8
 *   - stored or deflated, not encrypted, on one disk; the deflated bytes end
 *     where the header says, unpack to the size it says, and match its CRC
 *   - regular files and folders only: no links, no devices
 *
 * Whatever is wrong is INVALID, and err says what.  UNAVAILABLE means that
 * the file could not be read or memory was short.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3.10; what PyPI refuses since 2025-08
 * ("Preventing ZIP parser confusion attacks").
 */
#ifndef PKG_ZIP_H
#define PKG_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct archive_limits;
struct zip;

struct zip_member {
	struct str name;	/* good until the next call for this zip */
	bool is_dir;
	int64_t size;		/* unpacked, in bytes */
};

/*
 * Read end record and directory, and check all that these can tell.  Takes
 * 56 bytes a member and 200 KB from the arena.  fd must outlive the arena's
 * use of the zip.
 */
MUST_USE enum status zip_open(struct arena *a, int fd,
    const struct archive_limits *limits, struct zip **out, struct err *err);

/* The number of members. */
size_t zip_count(const struct zip *z);

/* The next member, by position in the file.  NOT_FOUND at the end. */
MUST_USE enum status zip_next(struct zip *z, struct zip_member *out,
    struct err *err);

/*
 * Unpack the member that zip_next() gave last and check its bytes; what is
 * never read is never checked.  With out, they go into the arena, unless they
 * are over limit_bytes, which is INVALID.
 */
MUST_USE enum status zip_read(struct zip *z, int64_t limit_bytes,
    struct str *out, struct err *err);

/*
 * Would a lenient reader (Python's zipfile) take this file for a zip archive,
 * whatever stands before it?  For archives that claim to be something else.
 */
MUST_USE enum status zip_is_likely(struct arena *a, int fd, bool *out,
    struct err *err);

#endif
