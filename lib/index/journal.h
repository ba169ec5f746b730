/*
 * journal: every change of the index, in the order in which it became visible.
 *
 * Read from the primary only.  Serials are taken last in a change, from a row
 * whose lock is held until the change is visible (J1), so whoever has seen
 * serial S will never be shown another event at or below S (C4); and by
 * publish()'s order every page of an event's project is already as new (C2).
 *
 * Called once for each event, in bounded memory; the event's views are good
 * for that call.  at_most bounds how many.
 */
#ifndef INDEX_JOURNAL_H
#define INDEX_JOURNAL_H

#include <stdint.h>

#include "base/str.h"

struct arena;
struct index;

struct event {
	int64_t serial;
	int64_t at_us;			/* since 1970 */
	struct str project;		/* as displayed then */
	struct str version;		/* empty: the project as such */
	struct str action;		/* "add py3 file x-1.0-py3-none-any.whl" */
};

typedef enum status (*event_fn)(void *arg, const struct event *event);

/* What came after a serial. */
MUST_USE enum status journal_since_serial(struct index *ix, struct arena *a,
    int64_t serial, int64_t at_most, event_fn each, void *arg,
    struct err *err);

/* What came after a time, in seconds since 1970. */
MUST_USE enum status journal_since_time(struct index *ix, struct arena *a,
    int64_t since_s, int64_t at_most, event_fn each, void *arg,
    struct err *err);

/* The releases that changed after a time; serial, at_us, action are unset. */
MUST_USE enum status journal_updated_releases(struct index *ix,
    struct arena *a, int64_t since_s, int64_t at_most, event_fn each,
    void *arg, struct err *err);

/* The projects that changed after a time; only project is set. */
MUST_USE enum status journal_changed_projects(struct index *ix,
    struct arena *a, int64_t since_s, int64_t at_most, event_fn each,
    void *arg, struct err *err);

#endif
