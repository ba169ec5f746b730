/* role: who may change a project.  Owners and maintainers may upload. */
#ifndef INDEX_ROLE_H
#define INDEX_ROLE_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

struct role {
	struct str role;		/* "Owner" or "Maintainer" */
	struct str account;
	struct str project;
};

struct role_list {
	struct role *at;
	size_t n;
};

/*
 * Give an account a role in a project, in place of one that it has.
 * INVALID role, NOT_FOUND project or account, CONFLICT when that would leave
 * the project without an owner.
 */
MUST_USE enum status role_set(struct index *ix, struct arena *a,
    struct str project, struct str account, struct str role,
    int64_t *serial, struct err *err);

/* Take it away.  CONFLICT for the last owner. */
MUST_USE enum status role_remove(struct index *ix, struct arena *a,
    struct str project, struct str account, int64_t *serial,
    struct err *err);

/* Roles of one project, or of one account; owners first, then by name. */
MUST_USE enum status role_of_project(struct index *ix, struct arena *a,
    struct str normalized_name, struct role_list *out, struct err *err);
MUST_USE enum status role_of_account(struct index *ix, struct arena *a,
    struct str account, struct role_list *out, struct err *err);

#endif
