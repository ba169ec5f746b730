#include "runner/chores.h"

#include "index/copy.h"
#include "index/file.h"
#include "index/index.h"
#include "index/publish.h"
#include "index/root.h"
#include "index/snapshot.h"
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
	(void)a;
	return file_sweep(ix, FILE_SWEEP_AFTER_S, done, err);
}

/* Looks at the chunks that changed since it last did; at all at the start. */
static enum status
cut_root_chunks(struct index *ix, struct arena *a, int64_t *done,
    struct err *err)
{
	static int64_t since = -1;

	return root_cut_chunks(ix, a, &since, done, err);
}

static enum status
follow_snapshot(struct index *ix, struct arena *a, int64_t *done,
    struct err *err)
{
	static struct snapshot_pace pace;

	return snapshot_follow(ix, a, &pace, done, err);
}

const struct chore chores[CHORES] = {
	/* A hold keeps a project's pages out of the cache: end it soon. */
	{ "end holds", 5, publish_end_holds, CHORE_QUICK },
	{ "write snapshot", 1, follow_snapshot, CHORE_PAGES },
	{ "cut chunks of the root list", 60, cut_root_chunks, CHORE_QUICK },
	{ "fetch missing files", 1, copy_fetch_due, CHORE_FILES },
	{ "sweep removed files", 3600, sweep_files, CHORE_FILES },
	{ "sweep unfinished uploads", 3600, sweep_staging, CHORE_FILES },
};
