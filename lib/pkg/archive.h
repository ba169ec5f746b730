/*
 * archive: is this file the wheel or sdist that it says it is, and what does
 * its metadata say?
 *
 *	struct archive_facts facts;
 *	struct findings found = findings_new(rq->arena);
 *	st = archive_read_wheel(rq->arena, fd, filename, name, version,
 *	    &archive_limits_default, &facts, &found, err);
 *	if (st != OK)
 *		return st;		the disk failed us: nobody's fault
 *	st = findings_status(&found, err);
 *
 * Every archive is hostile.  It is read once from end to end, in pieces, and
 * nothing is ever written to disk; only the metadata is held in memory.  Two
 * tools that read an accepted archive, one by its central directory, one from
 * the front, see the same members with the same bytes.
 *
 * Sources: PEP 427 and the binary distribution format (wheels), PEP 517, 625
 * and 721 (sdists, what a tar member may be), PKWARE's APPNOTE 6.3.10 (zip).
 */
#ifndef PKG_ARCHIVE_H
#define PKG_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct findings;

/*
 * How much an archive may ask of us.  Memory is at most 128 bytes a member,
 * twice metadata_bytes, and under 1 MB besides; time goes with the unpacked
 * bytes.
 */
struct archive_limits {
	int64_t members;	/* and, of a tar, folders named on the way */
	int64_t unpacked_bytes;	/* all members together */
	int64_t metadata_bytes;	/* METADATA, PKG-INFO and WHEEL, each */
	int ratio;		/* unpacked to packed, past 64 MiB unpacked */
};

/* 200,000 members, 8 GiB, 4 MiB, 50. */
extern const struct archive_limits archive_limits_default;

/* What an archive says of itself.  Everything lives in the arena. */
struct archive_facts {
	struct str metadata;	/* METADATA or PKG-INFO, byte for byte */
	struct str top;		/* "name-1.0", or "name-1.0.dist-info" */
	struct str wheel;	/* a wheel's WHEEL, byte for byte, else empty */
	bool is_wheel;
	uint64_t *names;	/* hashes of all members' names, sorted */
	size_t n_names;
};

/*
 * Read a wheel.  name is the project's normalised name (PEP 503), version
 * stands as in the file name.  What is wrong goes to found, under "content";
 * facts are whole only if nothing was found.
 *
 * OK means that the archive could be judged.  UNAVAILABLE, with err, that a
 * read failed or memory was short: the archive may be good.
 */
MUST_USE enum status archive_read_wheel(struct arena *a, int fd,
    struct str filename, struct str name, struct str version,
    const struct archive_limits *limits, struct archive_facts *out,
    struct findings *found, struct err *err);

/*
 * Read an sdist: .tar.gz, .tgz, .tar.bz2, .tar.xz or .zip, by the end of
 * filename.  Else as archive_read_wheel().  Moves fd's position.
 */
MUST_USE enum status archive_read_sdist(struct arena *a, int fd,
    struct str filename, const struct archive_limits *limits,
    struct archive_facts *out, struct findings *found, struct err *err);

/* Is there a member of this name ("name-1.0/setup.py")? */
bool archive_has(const struct archive_facts *facts, struct str member);

/*
 * Is there the file that a License-File field names (PEP 639): below the
 * top folder of an sdist, below <dist-info>/licenses/ of a wheel?
 */
bool archive_has_license(const struct archive_facts *facts,
    struct str license_file);

/* Where archive_has_license() looks, for messages: "name-1.0/LICENSE". */
struct str archive_license_path(struct arena *a,
    const struct archive_facts *facts, struct str license_file);

#endif
