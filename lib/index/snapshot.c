#include "index/snapshot.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/version.h"
#include "index/index.h"
#include "index/page.h"
#include "index/root.h"
#include "index/serial.h"
#include "io/config.h"
#include "io/db.h"
#include "io/digest.h"
#include "io/shelf.h"
#include "pkg/name.h"

#define SECOND_US	((int64_t)1000000)
#define FOLLOW_US	SECOND_US	/* of one call: half of the time */
#define BATCH_ROWS	256		/* two flushes for so many changes */
#define ROOT_EVERY_US	(5 * SECOND_US)
#define ROOT_SHARE	20		/* and at most 1/20 of the time */
#define RENDER_TRIES	10		/* changes between two of its pages */
#define RECIPE_BYTES	8
#define NO_ETAG		STR("-")
#define ROOT		"root"

/* An edition that is complete, or an item that is to go. */
struct staged {
	const char *item;
	const char *outer;	/* NULL: the project is gone */
	const char *inner;
};

/* What the position file says. */
struct position {
	int64_t serial;
	int64_t round;		/* seconds since 1970 */
	bool is_whole;		/* this round has been through once */
};

struct following {
	struct index *ix;
	struct shelf *shelf;
	struct arena *arena;	/* of this call */
	struct arena *scratch;	/* of one page */
	struct position at;
	struct str recipe;
	int64_t as_of_us;
	int64_t until_us;	/* by clock_mono_us() */
	struct staged staged[BATCH_ROWS];
	size_t n;
	int64_t *done;
	struct err *err;
};

static int64_t
now_s(void)
{
	return clock_wall_us() / SECOND_US;
}

/* All that the bytes of a page depend on, beside the database. */
static struct str
make_recipe(struct index *ix, struct arena *a)
{
	struct buf about = buf_new(a), recipe = buf_new(a);
	unsigned char digest[32];

	buf_put(&about, STR(TILSIT_VERSION "\n"));
	buf_put(&about, str_c(ix->config->external_url));
	digest_sha256(buf_view(&about), digest);
	buf_hex(&recipe, digest, RECIPE_BYTES);
	return buf_view(&recipe);
}

/* Take a number off the front of words; false when there is none. */
static bool
take_int(struct str *words, char end, int64_t *out)
{
	struct str word;

	str_cut(*words, end, &word, words);
	return str_int64(word, 0, INT64_MAX, out) == OK;
}

static void
begin_round(struct following *f)
{
	int64_t round = now_s();

	if (round <= f->at.round)
		round = f->at.round + 1;
	f->at = (struct position){ .round = round };
	f->as_of_us = 0;
}

/* Where are we?  A note that cannot be read is none. */
static enum status
read_position(struct following *f)
{
	struct position at;
	struct db_rows rows;
	struct str note, recipe;
	int64_t whole;
	enum status st;

	st = shelf_note(f->shelf, f->arena, &note, &f->as_of_us, f->err);
	if (st != OK)
		return st;
	if (!take_int(&note, ' ', &at.serial) ||
	    !take_int(&note, ' ', &at.round)) {
		begin_round(f);
		return OK;
	}
	str_cut(note, ' ', &recipe, &note);
	if (!take_int(&note, ' ', &whole))
		whole = 0;
	at.is_whole = whole != 0;
	f->at = at;
	st = db_run(f->ix->db, f->arena, SQL_SNAPSHOT_IS_KNOWN,
	    DB_ARGS(db_int(at.serial)), &rows, f->err);
	if (st == OK && (!str_eq(recipe, f->recipe) ||
	    !db_bool_at(&rows, 0, SNAPSHOT_IS_KNOWN_IS_KNOWN)))
		begin_round(f);
	return st;
}

static enum status
write_position(struct following *f)
{
	struct str note = str_fmt(f->arena, "%lld %lld %.*s %d\n",
	    (long long)f->at.serial, (long long)f->at.round,
	    STR_ARG(f->recipe), f->at.is_whole);

	return shelf_write_note(f->shelf, note, f->as_of_us, f->err);
}

/* What the name of a shown edition says; of an older round, serial is -1. */
static enum status
shown_serial(struct following *f, const char *item, int64_t *serial)
{
	int64_t shown, written, round;
	struct str name;
	enum status st;

	*serial = -1;
	st = shelf_shown(f->shelf, f->scratch, item, &name, f->err);
	if (st != OK)
		return st == NOT_FOUND ? OK : st;
	if (take_int(&name, '.', &shown) && take_int(&name, '.', &written) &&
	    take_int(&name, '.', &round) && round == f->at.round)
		*serial = shown;
	return OK;
}

/* ---- a project's pages ------------------------------------------------ */

struct etags {
	struct str html[2];	/* plain, gzipped */
	struct str v1_html[2];
	struct str v1_json[2];
	struct str json[2];
};

static void
note_staged(struct following *f, const char *item, int64_t serial,
    const struct etags *e)
{
	struct arena *a = f->arena;

	f->staged[f->n++] = (struct staged){
		.item = item,
		.outer = str_fmt(a, "%lld.%lld.%lld.%.*s.%.*s.%.*s.%.*s",
		    (long long)serial, (long long)now_s(),
		    (long long)f->at.round, STR_ARG(e->html[0]),
		    STR_ARG(e->html[1]), STR_ARG(e->v1_html[0]),
		    STR_ARG(e->v1_html[1])).p,
		.inner = str_fmt(a, "%.*s.%.*s.%.*s.%.*s",
		    STR_ARG(e->v1_json[0]), STR_ARG(e->v1_json[1]),
		    STR_ARG(e->json[0]), STR_ARG(e->json[1])).p,
	};
}

/* One page in both its forms, and its ETags in the longer arena. */
static enum status
put_page(struct following *f, struct str project, enum project_page what,
    const char *name, struct str etag[2], struct page page[2])
{
	const char *packed = str_fmt(f->scratch, "%s.gz", name).p;
	enum status st;

	st = page_render(f->ix, f->scratch, project, what, &page[0], &page[1],
	    f->err);
	for (int i = 0; st == OK && i < 2; i++) {
		etag[i] = str_dup(f->arena, page[i].etag);
		FAULT_POINT("S-page");
		st = shelf_put(f->shelf, i ? packed : name, page[i].body,
		    f->err);
	}
	return st;
}

/*
 * All pages of a project, if they are of one serial: else CONFLICT, for there
 * was a change between two of them.  NOT_FOUND when there is no project.
 */
static enum status
put_pages(struct following *f, struct str project, int64_t *serial,
    struct etags *e)
{
	struct page page[2];
	enum status st;

	st = put_page(f, project, PAGE_SIMPLE_HTML, "html", e->html, page);
	if (st != OK)
		return st;
	for (int i = 0; i < 2; i++)
		e->v1_html[i] = str_dup(f->arena, page_etag_as(f->scratch,
		    &page[i], PAGE_SIMPLE_V1_HTML));
	*serial = page[0].serial;
	arena_reset(f->scratch);
	st = put_page(f, project, PAGE_SIMPLE_V1_JSON, "json", e->v1_json,
	    page);
	if (st == OK && page[0].serial != *serial)
		return CONFLICT;
	arena_reset(f->scratch);
	if (st == OK)
		st = put_page(f, project, PAGE_PROJECT_JSON, "pypi", e->json,
		    page);
	if (st == OK && page[0].serial != *serial)
		return CONFLICT;
	if (st != NOT_FOUND)
		return st;
	/* A project without releases has no such page. */
	e->json[0] = e->json[1] = NO_ETAG;
	return OK;
}

static enum status
stage_project(struct following *f, const char *item, struct str project)
{
	struct etags etags;
	int64_t serial;
	enum status st = CONFLICT;

	for (int i = 0; st == CONFLICT && i < RENDER_TRIES; i++) {
		st = shelf_begin(f->shelf, item, f->err);
		if (st == OK)
			st = put_pages(f, project, &serial, &etags);
		arena_reset(f->scratch);
	}
	if (st == CONFLICT)
		return err_set(f->err, UNAVAILABLE, "snapshot: %.*s changes "
		    "faster than it can be written", STR_ARG(project));
	if (st == NOT_FOUND) {
		f->staged[f->n++] = (struct staged){ .item = item };
		return OK;
	}
	if (st != OK)
		return st;
	note_staged(f, item, serial, &etags);
	return shelf_end(f->shelf, item, f->staged[f->n - 1].outer,
	    f->staged[f->n - 1].inner, f->err);
}

static bool
is_staged(const struct following *f, const char *item)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(str_c(f->staged[i].item), str_c(item)))
			return true;
	return false;
}

/*
 * Take one change over, unless a later one of the same project brought it
 * already: what is rendered is always the newest.
 */
static enum status
stage_change(struct following *f, int64_t serial, struct str project)
{
	const char *item = str_fmt(f->arena, SHELF_FOLDER "/%.*s",
	    STR_ARG(project)).p;
	int64_t shown;
	enum status st;

	if (!name_is_normal(project) || is_staged(f, item))
		return OK;
	st = shown_serial(f, item, &shown);
	arena_reset(f->scratch);
	if (st == OK && shown >= serial)	/* killed before it had tidied */
		st = shelf_tidy(f->shelf, f->arena, item, f->err);
	if (st != OK || shown >= serial)
		return st;
	st = stage_project(f, item, project);
	/* What was begun must not take the room that others lack. */
	if (st != OK) {
		struct err unheard;

		(void)!shelf_tidy(f->shelf, f->arena, item, &unheard);
		return st;
	}
	*f->done += 1;
	return OK;
}

/* ---- a batch of changes ----------------------------------------------- */

static enum status
show_staged(struct following *f)
{
	enum status st = OK;

	FAULT_POINT("S-written");
	if (f->n)
		st = shelf_flush(f->shelf, f->err);
	FAULT_POINT("S-flushed");
	for (size_t i = 0; st == OK && i < f->n; i++) {
		const struct staged *s = &f->staged[i];

		st = s->outer ? shelf_show(f->shelf, f->arena, s->item,
		    s->outer, s->inner, f->err) :
		    shelf_hide(f->shelf, s->item, f->err);
		FAULT_POINT("S-shown");
	}
	return st;
}

/*
 * Show what is staged, remove what was shown before, keep the position.  Who
 * is killed on the way does it again.
 */
static enum status
publish(struct following *f, int64_t serial)
{
	enum status st = show_staged(f);

	if (st == OK) {
		f->at.serial = serial;
		st = write_position(f);
	}
	FAULT_POINT("S-noted");
	for (size_t i = 0; st == OK && i < f->n; i++)
		st = shelf_tidy(f->shelf, f->arena, f->staged[i].item, f->err);
	FAULT_POINT("S-tidied");
	f->n = 0;
	return st == OK ? shelf_keep_note(f->shelf, f->err) : st;
}

/*
 * The next changes, as many as the time allows but at least one.  A failure
 * ends the batch; what came before it is published all the same.
 */
static enum status
take_batch(struct following *f, bool *is_last)
{
	int64_t serial = f->at.serial;
	struct db_rows rows;
	enum status st, published;
	int i = 0;

	*is_last = false;
	st = db_run(f->ix->db, f->arena, SQL_SNAPSHOT_CHANGED,
	    DB_ARGS(db_int(serial), db_int(BATCH_ROWS)), &rows, f->err);
	if (st != OK)
		return st;
	for (; i < rows.n && (i == 0 || clock_mono_us() < f->until_us); i++) {
		int64_t at = db_int64(&rows, i, SNAPSHOT_CHANGED_SERIAL);

		st = stage_change(f, at, db_str(&rows, i,
		    SNAPSHOT_CHANGED_NORMALIZED_NAME));
		if (st != OK)
			break;
		serial = at;
	}
	*is_last = i == rows.n && rows.n < BATCH_ROWS;
	if (serial == f->at.serial)
		return st;
	published = publish(f, serial);
	return st == OK ? published : st;
}

/* Everything that is on the primary now; *is_there: we came to its end. */
static enum status
take_changes(struct following *f, bool *is_there)
{
	enum status st;

	do {
		int64_t asked_us = clock_wall_us();

		st = take_batch(f, is_there);
		if (st == OK && *is_there)
			f->as_of_us = asked_us;
	} while (st == OK && !*is_there && clock_mono_us() < f->until_us);
	return st;
}

/* ---- the end of a round ----------------------------------------------- */

/* Nothing in the journal asked for this item in this round. */
static enum status
drop_old(void *arg, const char *item, struct err *err)
{
	struct following *f = arg;
	int64_t serial;
	enum status st = shown_serial(f, item, &serial);

	arena_reset(f->scratch);
	if (st != OK || serial != -1)
		return st;
	st = shelf_hide(f->shelf, item, err);
	if (st == OK)
		st = shelf_tidy(f->shelf, f->arena, item, err);
	return st;
}

static enum status
end_round(struct following *f)
{
	enum status st = shelf_each(f->shelf, f->arena, drop_old, f, f->err);

	if (st != OK)
		return st;
	f->at.is_whole = true;
	st = write_position(f);
	return st == OK ? shelf_keep_note(f->shelf, f->err) : st;
}

/* ---- the root list ---------------------------------------------------- */

struct document {
	struct following *following;
	const char *name;
};

static enum status
append(void *arg, struct str bytes, struct err *err)
{
	const struct document *d = arg;

	return shelf_append(d->following->shelf, d->name, bytes, err);
}

static enum status
put_root(struct following *f, const struct root *root, struct etags *e)
{
	static const char *const html[] = { "html", "html.gz" };
	static const char *const json[] = { "json", "json.gz" };
	struct document document = { .following = f };
	enum status st = OK;

	for (int i = 0; st == OK && i < 2; i++) {
		struct root form = root_as(f->arena, root, ROOT_V1_HTML, i);

		e->v1_html[i] = form.etag;
		form = root_as(f->arena, root, ROOT_HTML, i);
		e->html[i] = form.etag;
		document.name = html[i];
		st = root_send(f->ix, &form, append, &document, f->err);
		if (st != OK)
			return st;
		form = root_as(f->arena, root, ROOT_V1_JSON, i);
		e->v1_json[i] = form.etag;
		document.name = json[i];
		st = root_send(f->ix, &form, append, &document, f->err);
	}
	e->json[0] = e->json[1] = NO_ETAG;
	return st;
}

static enum status
stage_root(struct following *f)
{
	struct etags etags;
	struct root root;
	enum status st = shelf_begin(f->shelf, ROOT, f->err);

	if (st != OK)
		return st;
	st = root_open(f->ix, f->arena, ROOT_HTML, false, &root, f->err);
	if (st == OK)
		st = put_root(f, &root, &etags);
	root_close(f->ix);
	if (st != OK)
		return st;
	note_staged(f, ROOT, root.serial, &etags);
	return shelf_end(f->shelf, ROOT, f->staged[0].outer,
	    f->staged[0].inner, f->err);
}

/*
 * The list names serials of pages: they go first.  If there are too many by
 * now, it is made anew the next time.
 */
static enum status
show_root(struct following *f)
{
	struct staged root;
	bool is_there;
	enum status st = stage_root(f);

	if (st == OK) {
		root = f->staged[0];
		f->n = 0;
		f->until_us = clock_mono_us() + FOLLOW_US;
		st = take_changes(f, &is_there);
	}
	f->n = 0;
	if (st == OK && is_there) {
		f->staged[f->n++] = root;
		st = show_staged(f);
		f->n = 0;
	}
	if (st == OK)
		st = shelf_tidy(f->shelf, f->arena, ROOT, f->err);
	return st;
}

static enum status
follow_root(struct following *f, struct snapshot_pace *pace)
{
	int64_t newest, shown, start_us = clock_mono_us(), us;
	enum status st;

	if (start_us < pace->root_due_us)
		return OK;
	st = serial_newest(f->ix, f->arena, &newest, f->err);
	if (st == OK)
		st = shown_serial(f, ROOT, &shown);
	arena_reset(f->scratch);
	if (st != OK || shown == newest)
		return st;
	st = show_root(f);
	us = ROOT_SHARE * (clock_mono_us() - start_us);
	pace->root_due_us = clock_mono_us() +
	    (us > ROOT_EVERY_US ? us : ROOT_EVERY_US);
	return st;
}

static enum status
follow(struct following *f, struct snapshot_pace *pace)
{
	bool is_there;
	enum status st = read_position(f);

	if (st == OK)
		st = take_changes(f, &is_there);
	if (st != OK || !is_there)
		return st;
	if (!f->at.is_whole)
		st = end_round(f);
	if (st == OK)
		st = follow_root(f, pace);
	if (st == OK)
		st = shelf_set_as_of(f->shelf, f->as_of_us, f->err);
	return st;
}

enum status
snapshot_follow(struct index *ix, struct arena *a,
    struct snapshot_pace *pace, int64_t *done, struct err *err)
{
	const char *path = ix->config->snapshot_path;
	struct following *f;
	enum status st;

	*done = 0;
	if (path[0] == '\0')
		return OK;
	f = arena_alloc(a, sizeof(*f));
	f->ix = ix;
	f->arena = a;
	f->done = done;
	f->err = err;
	f->recipe = make_recipe(ix, a);
	f->until_us = clock_mono_us() + FOLLOW_US;
	st = shelf_open(a, path, &f->shelf, err);
	if (st != OK)
		return st == CONFLICT ? OK : st;
	f->scratch = arena_new((size_t)ix->config->request_memory_bytes);
	st = follow(f, pace);
	arena_free(f->scratch);
	return st;
}
