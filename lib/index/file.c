#include "index/file.h"

#include <stdbool.h>

#include "base/arena.h"
#include "index/copy.h"
#include "index/index.h"
#include "index/project.h"
#include "index/publish.h"
#include "io/config.h"
#include "io/db.h"
#include "io/store.h"

#define SWEEP_BATCH	1000	/* files a statement */
#define SWEEP_BYTES	((size_t)32 << 20)	/* for one batch */

/* One change of one file, for the three below. */
struct file_change {
	struct str filename;
	enum { YANK, UNYANK, REMOVE } what;
	struct str reason;
};

static enum status
find(struct index *ix, struct arena *a, struct str filename,
    struct db_rows *rows, struct err *err)
{
	enum status st;

	st = db_run(ix->db, a, SQL_FILE_FIND, DB_ARGS(db_text(filename)),
	    rows, err);
	if (st == NOT_FOUND)
		return err_set(err, NOT_FOUND, "there is no file '%.*s'",
		    STR_ARG(filename));
	return st;
}

static enum status
apply_yank(struct change *ch, const struct file_change *to,
    const struct db_rows *rows, struct err *err)
{
	bool was = !db_is_null(rows, 0, FILE_FIND_YANKED_REASON);
	bool yank = to->what == YANK;
	enum status st;

	if (was == yank && str_eq(to->reason,
	    db_str(rows, 0, FILE_FIND_YANKED_REASON)))
		return OK;
	st = db_run(ch->ix->db, ch->arena, SQL_FILE_SET_YANKED, DB_ARGS(
	    db_int(db_int64(rows, 0, FILE_FIND_ID)),
	    yank ? db_text(to->reason) : db_null()), NULL, err);
	if (st == OK)
		change_note(ch, db_str(rows, 0, FILE_FIND_VERSION),
		    str_fmt(ch->arena, "%s file %.*s",
		    yank ? "yank" : "unyank", STR_ARG(to->filename)));
	return st;
}

static enum status
apply_remove(struct change *ch, const struct file_change *to,
    const struct db_rows *rows, struct err *err)
{
	struct str_list nodes = copy_nodes(ch->ix, ch->arena);
	enum status st;

	st = db_run(ch->ix->db, ch->arena, SQL_FILE_DISCARD, DB_ARGS(
	    db_int(db_int64(rows, 0, FILE_FIND_ID)), db_text_array(&nodes)),
	    NULL, err);
	if (st == OK)
		change_note(ch, db_str(rows, 0, FILE_FIND_VERSION),
		    str_fmt(ch->arena, "remove file %.*s",
		    STR_ARG(to->filename)));
	return st;
}

static enum status
apply(struct change *ch, void *arg, struct err *err)
{
	const struct file_change *to = arg;
	struct project project;
	struct db_rows rows;
	enum status st;

	st = find(ch->ix, ch->arena, to->filename, &rows, err);
	if (st == OK)
		st = project_get(ch->ix, ch->arena, ch->project, &project,
		    err);
	if (st != OK)
		return st;
	ch->display_name = project.name;
	return to->what == REMOVE ? apply_remove(ch, to, &rows, err) :
	    apply_yank(ch, to, &rows, err);
}

/* A file never moves to another project, so its project can be read first. */
static enum status
change_file(struct index *ix, struct arena *a, struct file_change *to,
    int64_t *serial, struct err *err)
{
	static const struct publication change = { .apply = apply };
	struct db_rows rows;
	enum status st;

	st = find(ix, a, to->filename, &rows, err);
	if (st != OK)
		return st;
	return publish(ix, a, db_str(&rows, 0, FILE_FIND_NORMALIZED_NAME),
	    STR(""), &change, to, serial, err);
}

enum status
file_yank(struct index *ix, struct arena *a, struct str filename,
    struct str reason, int64_t *serial, struct err *err)
{
	struct file_change to = { filename, YANK, reason };

	return change_file(ix, a, &to, serial, err);
}

enum status
file_unyank(struct index *ix, struct arena *a, struct str filename,
    int64_t *serial, struct err *err)
{
	struct file_change to = { filename, UNYANK, STR("") };

	return change_file(ix, a, &to, serial, err);
}

enum status
file_remove(struct index *ix, struct arena *a, struct str filename,
    int64_t *serial, struct err *err)
{
	struct file_change to = { filename, REMOVE, STR("") };

	return change_file(ix, a, &to, serial, err);
}

/* Bytes first, then the note of them: killed between, it is done again. */
static enum status
sweep_one(struct index *ix, struct arena *a, const struct db_rows *rows,
    int row, struct err *err)
{
	struct str digest = db_bytes_at(rows, row,
	    FILE_DISCARDED_BLAKE2B_256);
	struct str filename = db_str(rows, row, FILE_DISCARDED_FILENAME);
	enum status st;

	st = store_remove(ix->store, a, (const unsigned char *)digest.p,
	    filename, err);
	if (st != OK && st != NOT_FOUND)
		return st;
	return db_run(ix->db, a, SQL_FILE_FORGET_DISCARDED, DB_ARGS(
	    db_text(str_c(ix->config->node)), db_bytes(digest.p, digest.n), db_text(filename)), NULL, err);
}

enum status
file_sweep(struct index *ix, int64_t older_than_s, int64_t *removed,
    struct err *err)
{
	struct arena *batch = arena_new(SWEEP_BYTES);
	struct db_rows rows;
	enum status st;

	*removed = 0;
	do {
		arena_reset(batch);
		st = db_run(ix->db, batch, SQL_FILE_DISCARDED, DB_ARGS(
		    db_text(str_c(ix->config->node)), db_int(older_than_s),
		    db_int(SWEEP_BATCH)), &rows, err);
		for (int i = 0; st == OK && i < rows.n; i++) {
			st = sweep_one(ix, batch, &rows, i, err);
			*removed += st == OK;
		}
	} while (st == OK && rows.n == SWEEP_BATCH);
	arena_free(batch);
	return st;
}
