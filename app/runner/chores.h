/*
 * chores: what the runner does, over and over, each at its own pace.
 *
 * Every chore may be killed at any point and repeated at any time, by any
 * number of runners on any machine.  The slow ones, which may take minutes,
 * have a process of their own, so that they do not hold up the others.
 */
#ifndef RUNNER_CHORES_H
#define RUNNER_CHORES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct arena;
struct index;

struct chore {
	const char *name;
	int64_t every_s;

	/* Do it; *done counts what was done, for the log. */
	enum status (*run)(struct index *ix, struct arena *a, int64_t *done,
	    struct err *err);

	bool is_slow;
};

#define CHORES	5

extern const struct chore chores[CHORES];

#endif
