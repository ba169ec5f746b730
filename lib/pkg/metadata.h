/*
 * metadata: what a release says about itself.
 *
 * One model for both ways in which it reaches us: the fields of an upload's
 * form, and the METADATA or PKG-INFO file inside the archive.
 *
 *	struct metadata form = { 0 }, file;
 *	enum metadata_field field;
 *
 *	if (metadata_field_find_form(part.name, &field))
 *		metadata_add(a, &form, field, part.value);
 *	...
 *	metadata_check(a, &form, NULL, &found);
 *	st = metadata_parse(a, bytes, &file, &found);
 *	if (st == OK)
 *		metadata_compare(a, &file, &form, &found);
 *
 * Source: the core metadata specification up to 2.6, that is PEP 241, 314,
 * 345, 566, 643, 685, 639, 794 and 808 (which adds no field).
 *
 * Ownership: values are views.  What is added must live as long as the model;
 * a parsed model looks into the bytes it was parsed from, and into the arena.
 */
#ifndef PKG_METADATA_H
#define PKG_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

struct arena;
struct findings;

/*
 * A file larger than this is refused unread.  Real ones are mostly below
 * 100 KB; what makes one large is its description, and some are above 1 MB.
 */
#define METADATA_MAX_BYTES	((size_t)4 << 20)

/* Header lines of one file; the largest real ones have some 3,000. */
#define METADATA_MAX_HEADERS	20000

enum metadata_field {
	METADATA_METADATA_VERSION,
	METADATA_NAME,
	METADATA_VERSION,
	METADATA_SUMMARY,
	METADATA_DESCRIPTION,
	METADATA_DESCRIPTION_CONTENT_TYPE,
	METADATA_AUTHOR,
	METADATA_AUTHOR_EMAIL,
	METADATA_MAINTAINER,
	METADATA_MAINTAINER_EMAIL,
	METADATA_LICENSE,
	METADATA_LICENSE_EXPRESSION,
	METADATA_LICENSE_FILE,
	METADATA_KEYWORDS,
	METADATA_HOME_PAGE,
	METADATA_DOWNLOAD_URL,
	METADATA_PROJECT_URL,
	METADATA_CLASSIFIER,
	METADATA_PLATFORM,
	METADATA_SUPPORTED_PLATFORM,
	METADATA_REQUIRES_PYTHON,
	METADATA_REQUIRES_DIST,
	METADATA_REQUIRES_EXTERNAL,
	METADATA_PROVIDES_EXTRA,
	METADATA_PROVIDES_DIST,
	METADATA_OBSOLETES_DIST,
	METADATA_REQUIRES,
	METADATA_PROVIDES,
	METADATA_OBSOLETES,
	METADATA_DYNAMIC,
	METADATA_IMPORT_NAME,
	METADATA_IMPORT_NAMESPACE,
	METADATA_FIELDS	/* how many there are */
};

struct metadata_rule {
	struct str form;	/* "requires_dist", also the findings' field */
	struct str header;	/* "Requires-Dist" */
	short since;		/* metadata version: 102 is 1.2 */
	bool is_list;		/* may be given more than once */
	bool is_multiline;	/* may hold line breaks */
};

/* What is known about a field.  The answer lives for ever. */
const struct metadata_rule *metadata_rule(enum metadata_field field);

/*
 * The field that a form calls form_name, exactly.  Takes the other spellings
 * in use as well: platforms, license_files, provides_extras, import_names,
 * import_namespaces, project_url, classifier, keyword.  False, and *out
 * untouched, when it is none.
 */
bool metadata_field_find_form(struct str form_name, enum metadata_field *out);

/* The field that a file calls header, in any case; else as above. */
bool metadata_field_find_header(struct str header, enum metadata_field *out);

struct metadata {
	struct str_list values[METADATA_FIELDS];
};

/* The first value of a field, or the empty view. */
struct str metadata_get(const struct metadata *m, enum metadata_field field);

/*
 * The keywords as one text.  Most tools write a single comma-separated value,
 * which this gives as it is; distutils sends a field for each keyword, which
 * this joins by ','.
 */
struct str metadata_keywords(struct arena *a, const struct metadata *m);

/*
 * Add one value.  An empty one says nothing and is left out (but for
 * Import-Name, whose empty value means "no importable name", PEP 794), and so
 * is the literal UNKNOWN, with which distutils and setuptools fill the gaps.
 * A scalar's second value is kept for metadata_check() to complain about.
 */
void metadata_add(struct arena *a, struct metadata *m,
    enum metadata_field field, struct str value);

/*
 * Read a METADATA or PKG-INFO file, as Python's email parser does, since that
 * is what every installer reads it with:
 * - lines end in LF, CRLF or CR; the first empty line, or the first line that
 *   is no header, begins the body, which is the description;
 * - a folded header's lines are trimmed and joined by one space; those of
 *   Description lose the indentation that was put before them instead;
 * - after a Metadata-Version below 2.1 a value that is not UTF-8 is Latin-1;
 * - unknown headers are left out.
 *
 * OK, or INVALID when it added findings: a scalar given twice (the first one
 * counts), a description in header and body, a value that is not UTF-8 (left
 * out), too many headers.  In both cases *out holds what could be read.
 * TOO_LARGE, with a finding and an empty *out, past METADATA_MAX_BYTES.
 */
MUST_USE enum status metadata_parse(struct arena *a, struct str bytes,
    struct metadata *out, struct findings *found);

/* What an index may allow beyond the strict rules; NULL is all false. */
struct metadata_policy {
	bool allow_private_classifiers;	/* "Private :: ..." */
	bool allow_local_versions;	/* 1.0+local */
	bool allow_direct_urls;		/* Requires-Dist: name @ url */
};

/*
 * Check every field by itself, and those that exclude each other.  Adds one
 * finding for each trouble, under the field's form name; what is refused is
 * what packaging.metadata refuses, and more:
 * - Metadata-Version must be 1.0 to 1.2, 2.0 (old wheels) or 2.1 to 2.6;
 * - a field must not be newer than Metadata-Version from 2.1 on.  Before,
 *   anything goes: distutils says 1.0 whatever it sends.  License-File and
 *   License-Expression are always let pass: setuptools and hatchling wrote
 *   them for years under 2.1 and 2.3;
 * - no NUL anywhere, no control characters but tabs in any field but the
 *   description, line breaks only where the rule has is_multiline;
 * - every value is UTF-8;
 * - the summary has one line and 512 characters at most;
 * - the first e-mail address of a list is one, URLs are http or https;
 * - classifiers are known and not deprecated;
 * - versions, specifiers, requirements, licences, extras parse.
 * Before 2.1 a summary may have any length and several lines, an address need
 * not be one, a URL may lack its scheme or be ftp, a classifier may be
 * deprecated: indexes did not look at these then, and whole mirrors of such
 * files must still move in (Markdown 2.0.3 has "waylan [at] gmail.com").
 */
void metadata_check(struct arena *a, const struct metadata *m,
    const struct metadata_policy *policy, struct findings *found);

/*
 * Do the file and the form speak of the same release?  Name (normalised) and
 * version (PEP 440) must be equal.  Of the rest only what decides an install
 * must agree, and only if the form sends it: Requires-Python and
 * Requires-Dist, as sets, spelling aside.  Where the file is silent it must
 * say so on purpose: before metadata 2.2 a source distribution's PKG-INFO was
 * not complete, and from 2.2 on Dynamic names what it leaves open (PEP 643).
 */
void metadata_compare(struct arena *a, const struct metadata *file,
    const struct metadata *form, struct findings *found);

#endif
