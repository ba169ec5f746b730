/*
 * chores: what the runner does, over and over, each at its own pace.
 *
 * Every chore may be killed at any point and repeated at any time, by any
 * number of runners on any machine.  Each process does its own, so that those
 * which may take minutes do not hold up the others.
 */
#ifndef RUNNER_CHORES_H
#define RUNNER_CHORES_H

#include <stdint.h>

#include "base/status.h"

struct arena;
struct index;

enum chore_process {
	CHORE_QUICK,		/* never longer than a moment */
	CHORE_FILES,		/* moves files about */
	CHORE_PAGES,		/* follows the journal */
};

#define CHORE_PROCESSES	3

struct chore {
	const char *name;
	int64_t every_s;

	/* Do it; *done counts what was done, for the log. */
	enum status (*run)(struct index *ix, struct arena *a, int64_t *done,
	    struct err *err);

	enum chore_process process;
};

#define CHORES	6

extern const struct chore chores[CHORES];

#endif
