/*
 * filename: the names of wheels and sdists, and what they say.
 *
 *	struct wheel_filename w;
 *
 *	st = filename_parse_wheel(a, filename, &w, &err);
 *	if (st == OK)
 *		st = filename_check_platform(&w, &err);
 *
 * A file name becomes a path segment of the store and of a URL.  Both parsers
 * begin with filename_check(), so that a name that was parsed is one.
 *
 * Errors are for the uploader: they quote the name and say what to do.
 *
 * Ownership: results live in the arena, or view a literal.
 */
#ifndef PKG_FILENAME_H
#define PKG_FILENAME_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"
#include "pkg/version.h"

struct arena;

#define FILENAME_MAX_BYTES	240	/* ".metadata" behind it: still 255 */

/* The two kinds of files that we take. */
enum packagetype {
	PACKAGE_SDIST,
	PACKAGE_WHEEL,
};

/* "sdist" or "bdist_wheel", as forms and JSON have it. */
struct str packagetype_name(enum packagetype type);

/* The reverse; false if it is neither, *out then untouched. */
bool packagetype_find(struct str name, enum packagetype *out);

/*
 * May any file be called so?  ASCII letters, digits and . _ + ! - only, from 1
 * to FILENAME_MAX_BYTES of them, without '.' or '-' at the beginning (hidden
 * files, options) and without "..".
 */
MUST_USE enum status filename_check(struct str filename, struct err *err);

/* NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl */
struct wheel_filename {
	struct str filename;	/* all of it */
	struct str name;	/* normalized; need not be a valid name */
	struct str raw_name;
	struct version version;
	struct str raw_version;
	struct str build;	/* begins with a digit; empty: there is none */
	struct str python;	/* tags with a '.' between: "py2.py3" */
	struct str abi;
	struct str platform;
};

/*
 * Read the name of a wheel.  As packaging.utils.parse_wheel_filename(), newest:
 * release 23.0 takes an empty name, empty tags and Python tags that are no
 * identifiers.  The name's [\w.] is ASCII here.
 * Source: binary distribution format, "File name convention".
 */
MUST_USE enum status filename_parse_wheel(struct arena *a,
    struct str filename, struct wheel_filename *out, struct err *err);

/*
 * Is each platform tag one that the public index accepts, so that pip knows
 * what to do with it?  A plain linux_x86_64 is not: it promises nothing about
 * the C library (PEP 513); linux_armv6l and linux_armv7l, from before there
 * was an alternative, are.
 */
MUST_USE enum status filename_check_platform(const struct wheel_filename *w,
    struct err *err);

/* NAME-VERSION.EXTENSION */
struct sdist_filename {
	struct str name;	/* normalized: the project's */
	struct version version;
	struct str raw_version;
	bool is_modern;		/* PEP 625: my_name-1.0.tar.gz, all normal */
	struct str extension;	/* with its dot, lower case: ".tar.gz" */
};

/*
 * Read the name of an sdist of a project, whose normalized name says where
 * the name ends: both it and the version may hold dashes.  Takes names that
 * are older than PEP 625 (zope.interface-4.0.tar.gz, PyYAML-3.10.zip), and
 * .tar.gz, .tgz, .tar.bz2, .tar.xz and .zip; which of them an index accepts
 * is the caller's business.
 */
MUST_USE enum status filename_parse_sdist(struct arena *a,
    struct str filename, struct str project, struct sdist_filename *out,
    struct err *err);

#endif
