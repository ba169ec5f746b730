#include "index/migrate.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "index/index.h"
#include "io/db.h"

/* One at a time; any number will do that nothing else locks. */
#define LOCK	"pg_advisory_xact_lock(0, 20260001)"

static const char lock[] = "SELECT " LOCK;

/*
 * Where applied migrations are noted; made before the first one runs, and
 * under the lock, for two CREATE TABLE IF NOT EXISTS at once may both create.
 */
static const char note_table[] =
    "DO $$ BEGIN PERFORM " LOCK ";"
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    " name text PRIMARY KEY,"
    " applied_at timestamptz NOT NULL DEFAULT now()); END $$";

static enum status
find_applied(struct index *ix, struct arena *a, struct str_list *out,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_SCHEMA_APPLIED, NULL, 0, &rows, err);
	for (int i = 0; st == OK && i < rows.n; i++)
		str_list_add(a, out, db_str(&rows, i, SCHEMA_APPLIED_NAME));
	return st;
}

/* Within a transaction and under the lock: apply one, and note it. */
static enum status
run(struct index *ix, struct arena *a, const struct migration *m,
    struct err *err)
{
	struct buf text = buf_new(a);
	struct err why;
	enum status st;

	for (const char *const *line = m->lines; *line; line++)
		buf_put(&text, str_c(*line));
	st = db_run_script(ix->db, buf_view(&text).p, &why);
	if (st != OK)
		return err_set(err, st, "migration %s: %s", m->name,
		    why.text);
	return db_run(ix->db, a, SQL_SCHEMA_ADD, DB_ARGS(
	    db_text(str_c(m->name))), NULL, err);
}

/* Another `tilsit migrate` may have come first: look again under the lock. */
static enum status
apply(struct index *ix, struct arena *a, const struct migration *m,
    bool *applied, struct err *err)
{
	struct str_list done = { .at = NULL };
	bool unknown;
	enum status st;

	st = db_begin(ix->db, err);
	if (st != OK)
		return st;
	st = db_run_script(ix->db, lock, err);
	if (st == OK)
		st = find_applied(ix, a, &done, err);
	*applied = !str_list_has(&done, str_c(m->name));
	if (st == OK && *applied)
		st = run(ix, a, m, err);
	if (st == OK && *applied)
		return db_commit(ix->db, &unknown, err);
	db_rollback(ix->db);
	return st;
}

/* What a database has, also one on which `tilsit migrate` never ran. */
static enum status
look_for_applied(struct index *ix, struct arena *a, struct str_list *out,
    struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_SCHEMA_EXISTS, NULL, 0, &rows, err);
	if (st != OK || !db_bool_at(&rows, 0, SCHEMA_EXISTS_IS_THERE))
		return st;
	return find_applied(ix, a, out, err);
}

enum status
migrate(struct index *ix, struct arena *a, bool dry_run,
    void (*each)(void *arg, const char *name), void *arg, struct err *err)
{
	struct str_list done = { .at = NULL };
	enum status st;

	if (!dry_run) {
		st = db_run_script(ix->db, note_table, err);
		if (st != OK)
			return st;
	}
	st = look_for_applied(ix, a, &done, err);
	for (const struct migration *m = migrations; st == OK && m->name;
	    m++) {
		bool applied = true;

		if (str_list_has(&done, str_c(m->name)))
			continue;
		if (!dry_run)
			st = apply(ix, a, m, &applied, err);
		if (st == OK && applied)
			each(arg, m->name);
	}
	return st;
}
