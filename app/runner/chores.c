#include "runner/chores.h"

#include "index/file.h"
#include "index/index.h"
#include "index/publish.h"
#include "io/store.h"

/* Far longer than any upload lasts (nginx gives one five minutes). */
#define STAGING_AGE_S	((int64_t)24 * 3600)

static enum status
sweep_staging(struct index *ix, struct arena *a, int64_t *done,
    struct err *err)
{
	(void)a;
	return store_sweep(ix->store, STAGING_AGE_S, done, err);
}

static enum status
sweep_files(struct index *ix, struct arena *a, int64_t *done,
    struct err *err)
{
	return file_sweep(ix, a, FILE_SWEEP_AFTER_S, done, err);
}

const struct chore chores[CHORES] = {
	/* A hold keeps a project's pages out of the cache: end it soon. */
	{ "end holds", 5, publish_end_holds },
	{ "sweep removed files", 3600, sweep_files },
	{ "sweep unfinished uploads", 3600, sweep_staging },
};
