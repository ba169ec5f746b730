/*
 * project: a name, who may change what stands under it, and its end.
 *
 * What changes an existing project goes through publish(); functions that
 * take a `struct change` run inside one.
 */
#ifndef INDEX_PROJECT_H
#define INDEX_PROJECT_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct caller;
struct change;
struct index;

struct project {
	int64_t id;			/* 0: no such project yet */
	struct str name;		/* as displayed */
	struct str status;		/* PEP 792: "active", "archived", ... */
	struct str status_reason;
	int64_t last_serial;
};

/* The project of this PEP 503 name, or NOT_FOUND; *out is then untouched. */
MUST_USE enum status project_find(struct index *ix, struct arena *a,
    struct str normalized_name, struct project *out, struct err *err);

/* As above, with a text for people when it is NOT_FOUND. */
MUST_USE enum status project_get(struct index *ix, struct arena *a,
    struct str name, struct project *out, struct err *err);

/*
 * May this caller create a project of this name?  DENIED when this index has
 * its projects made by the operator; CONFLICT when the name is one that pip
 * users would take for another project's.
 */
MUST_USE enum status project_check_new(struct index *ix, struct arena *a,
    const struct caller *caller, struct str normalized_name,
    struct err *err);

/* May this caller upload to it?  DENIED with the reason if not. */
MUST_USE enum status project_check_upload(struct index *ix, struct arena *a,
    const struct caller *caller, const struct project *project,
    struct err *err);

/* Within a change: make it, with the caller as its owner. */
MUST_USE enum status project_add(struct change *ch, struct str name,
    const struct caller *caller, int64_t *id, struct err *err);

/*
 * Make a project for its owner to upload to; for the operator of an index on
 * which others may not.  CONFLICT when the name is taken, or too similar to
 * one that is.
 */
MUST_USE enum status project_create(struct index *ix, struct arena *a,
    struct str name, struct str owner, int64_t *serial, struct err *err);

/*
 * Remove a project with its releases and files.  Its file names stay used;
 * its bytes leave the store later (file_sweep()).
 */
MUST_USE enum status project_remove(struct index *ix, struct arena *a,
    struct str name, int64_t *serial, struct err *err);

/* Set a PEP 792 status; INVALID when there is no such one. */
MUST_USE enum status project_set_status(struct index *ix, struct arena *a,
    struct str name, struct str status, struct str reason, int64_t *serial,
    struct err *err);

struct project_summary {
	struct str name;
	struct str normalized_name;
	struct str status;
	int64_t last_serial;
	int64_t n_files;
};

/* Every project, by name; called once for each, in bounded memory. */
MUST_USE enum status project_each(struct index *ix, struct arena *a,
    enum status (*each)(void *arg, const struct project_summary *project),
    void *arg, struct err *err);

/* As above, without those in quarantine; n_files, slow to count, is not set. */
MUST_USE enum status project_each_shown(struct index *ix, struct arena *a,
    enum status (*each)(void *arg, const struct project_summary *project),
    void *arg, struct err *err);

#endif
