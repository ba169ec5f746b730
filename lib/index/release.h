/*
 * release: one version of a project, and what its first file says of it.
 */
#ifndef INDEX_RELEASE_H
#define INDEX_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "pkg/metadata.h"

struct arena;
struct index;
struct version;

struct release {
	int64_t id;
	struct str version;		/* PEP 440 normal form */
	bool is_yanked;
	struct str yanked_reason;	/* may be empty though yanked */
};

/* The release of an equal version (1.0 finds 1.0.0), or NOT_FOUND. */
MUST_USE enum status release_find(struct index *ix, struct arena *a,
    int64_t project_id, const struct version *version, struct release *out,
    struct err *err);

/* Within a change: a new release with this metadata. */
MUST_USE enum status release_add(struct index *ix, struct arena *a,
    int64_t project_id, const struct version *version,
    const struct metadata *metadata, int64_t *id, struct err *err);

/*
 * Yank a release with all its files, also those still to come (PEP 592);
 * again with another reason replaces the reason.  NOT_FOUND, INVALID version.
 */
MUST_USE enum status release_yank(struct index *ix, struct arena *a,
    struct str project, struct str version, struct str reason,
    int64_t *serial, struct err *err);

/* Take it back.  Files that were yanked one by one stay yanked. */
MUST_USE enum status release_unyank(struct index *ix, struct arena *a,
    struct str project, struct str version, int64_t *serial,
    struct err *err);

/* Remove a release with its files, whose names stay used. */
MUST_USE enum status release_remove(struct index *ix, struct arena *a,
    struct str project, struct str version, int64_t *serial,
    struct err *err);

struct release_list {
	struct release *at;		/* oldest version first */
	size_t n;
};

/* Every release of a project by its PEP 503 name; id is not set. */
MUST_USE enum status release_list(struct index *ix, struct arena *a,
    struct str project, struct release_list *out, struct err *err);

/* What a release says of itself. */
struct release_facts {
	struct str name;		/* of the project, as displayed */
	struct str version;
	bool is_yanked;
	struct metadata metadata;	/* of its first file */
};

/* NOT_FOUND when there is no such release, or version is none. */
MUST_USE enum status release_facts(struct index *ix, struct arena *a,
    struct str project, struct str version, struct release_facts *out,
    struct err *err);

/* A file, as the XML-RPC and JSON interfaces describe it. */
struct release_file {
	struct str filename;
	struct str packagetype;
	struct str python_version;
	struct str comment_text;
	struct str sha256, md5, blake2b_256;	/* hexadecimal */
	int64_t size;			/* bytes */
	int64_t uploaded_at_us;
};

struct release_file_list {
	struct release_file *at;
	size_t n;
};

/*
 * The files of one release, by name; none when there is no such release, or
 * its project is in quarantine.
 */
MUST_USE enum status release_files(struct index *ix, struct arena *a,
    struct str project, struct str version, struct release_file_list *out,
    struct err *err);

struct release_name {
	struct str project;
	struct str version;
};

struct release_name_list {
	struct release_name *at;
	size_t n;
};

/* Releases with all of these classifiers, at_most, and none in quarantine. */
MUST_USE enum status release_browse(struct index *ix, struct arena *a,
    const struct str_list *classifiers, int64_t at_most,
    struct release_name_list *out, struct err *err);

#endif
