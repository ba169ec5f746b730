#include "index/root.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "index/index.h"
#include "index/simple.h"
#include "index/view.h"
#include "io/db.h"
#include "io/digest.h"
#include "io/gzip.h"
#include "io/page_cache.h"
#include "pages.h"

#define SCRATCH_BYTES	((size_t)64 << 20)	/* one chunk, never all */

/* What stands before, between and behind the chunks; by root_form. */
static const char *const form_keys[] = {
	[ROOT_HTML] = "root-html", [ROOT_V1_HTML] = "root-html",
	[ROOT_V1_JSON] = "root-json",
};

/* A list that is under way. */
struct sending {
	struct index *ix;
	struct arena *scratch;		/* emptied after each chunk */
	const struct root *root;
	struct gzip_join join;
	bool has_projects;		/* some chunk before had one */
	enum status (*put)(void *arg, struct str bytes, struct err *err);
	void *arg;
	struct err *err;
};

/*
 * The list is a function of the newest serial; its gzipped bytes also of
 * where the chunks are cut, and cuts only ever become more.
 */
static struct str
make_etag(struct arena *a, const struct root *root)
{
	static const char *const names[] = {
		[ROOT_HTML] = "h", [ROOT_V1_HTML] = "v", [ROOT_V1_JSON] = "j",
	};

	if (root->gzip)
		return str_fmt(a, "root-%lld-%s-gz%zu",
		    (long long)root->serial, names[root->form], root->n);
	return str_fmt(a, "root-%lld-%s", (long long)root->serial,
	    names[root->form]);
}

enum status
root_open(struct index *ix, struct arena *a, enum root_form form, bool gzip,
    struct root *out, struct err *err)
{
	struct db_rows rows;
	enum status st;

	*out = (struct root){ .form = form, .gzip = gzip };
	st = db_begin_snapshot(ix->db, err);
	if (st == OK)
		st = db_run(ix->db, a, SQL_ROOT_CHUNKS, DB_NO_ARGS, &rows,
		    err);
	if (st != OK)
		return st;
	out->serial = db_int64(&rows, 0, ROOT_CHUNKS_NEWEST_SERIAL);
	out->n = (size_t)rows.n;
	out->at = arena_array(a, out->n, sizeof(*out->at));
	for (int i = 0; i < rows.n; i++)
		out->at[i] = (struct root_chunk){
			.first_name = db_str(&rows, i,
			    ROOT_CHUNKS_FIRST_NAME),
			.serial = db_int64(&rows, i, ROOT_CHUNKS_SERIAL),
		};
	out->etag = make_etag(a, out);
	return OK;
}

struct root
root_as(struct arena *a, const struct root *root, enum root_form form,
    bool gzip)
{
	struct root other = *root;

	other.form = form;
	other.gzip = gzip;
	other.etag = make_etag(a, &other);
	return other;
}

void
root_close(struct index *ix)
{
	db_rollback(ix->db);
}

/* Send a part of our own: what stands before the chunks and behind them. */
static enum status
send_plain(struct sending *s, struct str bytes)
{
	struct buf out = buf_new(s->scratch);

	if (!s->root->gzip)
		return s->put(s->arg, bytes, s->err);
	gzip_join_add(&s->join, &out, gzip_piece(s->scratch, bytes,
	    GZIP_LEVEL));
	return s->put(s->arg, buf_view(&out), s->err);
}

/* The chunk behind this one begins here; '' if there is none. */
static struct str
end_of(const struct root *root, size_t i)
{
	return i + 1 < root->n ? root->at[i + 1].first_name : STR("");
}

/*
 * A chunk in the cache is named by all that its bytes depend on but its
 * serial: form, bounds, and whether a comma stands before it.
 */
static struct str
chunk_key(const struct sending *s, size_t i)
{
	const struct root *root = s->root;
	struct buf about = buf_new(s->scratch), key = buf_new(s->scratch);
	unsigned char digest[32];

	buf_put(&about, root->at[i].first_name);
	buf_byte(&about, '\0');
	buf_put(&about, end_of(root, i));
	digest_sha256(buf_view(&about), digest);
	buf_put(&key, str_c(form_keys[root->form]));
	buf_put(&key, s->has_projects ? STR("+") : STR("-"));
	buf_put(&key, root->gzip ? STR("gz:") : STR(":"));
	buf_hex(&key, digest, 16);
	return buf_view(&key);
}

static enum status
render_chunk(const struct sending *s, size_t i, struct str *out)
{
	const struct root *root = s->root;
	struct buf bytes = buf_new(s->scratch);
	struct simple_root part;
	struct db_rows rows;
	enum status st;

	st = db_run(s->ix->db, s->scratch, SQL_ROOT_PROJECTS, DB_ARGS(
	    db_text(root->at[i].first_name), db_text(end_of(root, i))), &rows,
	    s->err);
	if (st != OK)
		return st;
	simple_root_from_rows(s->scratch, &rows, &part);
	if (root->form == ROOT_V1_JSON)
		simple_root_json(&bytes, &part, s->has_projects);
	else
		page_simple_root(&bytes, &part);
	*out = buf_view(&bytes);
	if (root->gzip && out->n)
		*out = gzip_piece(s->scratch, *out, GZIP_LEVEL);
	return OK;
}

static enum status
send_chunk(struct sending *s, size_t i)
{
	struct str key = chunk_key(s, i);
	struct buf joined = buf_new(s->scratch);
	struct page_look look;
	struct str bytes;
	enum status st = OK;

	page_cache_get_global(s->ix->cache, s->scratch, key, &look);
	if (look.valid && look.serial == s->root->at[i].serial) {
		bytes = look.page;
	} else {
		st = render_chunk(s, i, &bytes);
		if (st == OK)
			page_cache_put_global(s->ix->cache, key,
			    s->root->at[i].serial, bytes);
	}
	if (st != OK || bytes.n == 0)
		return st;
	s->has_projects = true;
	if (!s->root->gzip)
		return s->put(s->arg, bytes, s->err);
	gzip_join_add(&s->join, &joined, bytes);
	return s->put(s->arg, buf_view(&joined), s->err);
}

static struct str
opening(struct arena *a, const struct root *root)
{
	struct buf out = buf_new(a);

	if (root->form == ROOT_V1_JSON)
		simple_root_json_begin(&out, root->serial);
	else
		page_simple_root_begin(&out);
	return buf_view(&out);
}

static struct str
closing(struct arena *a, const struct root *root)
{
	struct buf out = buf_new(a);

	if (root->form == ROOT_V1_JSON)
		simple_root_json_end(&out);
	else
		page_simple_root_end(&out);
	return buf_view(&out);
}

static enum status
send_all(struct sending *s)
{
	const struct root *root = s->root;
	struct buf out = buf_new(s->scratch);
	enum status st = OK;

	if (root->gzip) {
		gzip_join_begin(&s->join, &out);
		st = s->put(s->arg, buf_view(&out), s->err);
	}
	if (st == OK)
		st = send_plain(s, opening(s->scratch, root));
	for (size_t i = 0; st == OK && i < root->n; i++) {
		arena_reset(s->scratch);
		st = send_chunk(s, i);
	}
	if (st == OK)
		st = send_plain(s, closing(s->scratch, root));
	if (st != OK || !root->gzip)
		return st;
	out = buf_new(s->scratch);
	gzip_join_end(&s->join, &out);
	return s->put(s->arg, buf_view(&out), s->err);
}

enum status
root_send(struct index *ix, const struct root *root,
    enum status (*put)(void *arg, struct str bytes, struct err *err),
    void *arg, struct err *err)
{
	struct sending s = {
		.ix = ix, .root = root, .put = put, .arg = arg, .err = err,
		.scratch = arena_new(SCRATCH_BYTES),
	};
	enum status st = send_all(&s);

	arena_free(s.scratch);
	return st;
}

/* Cut one chunk, while no serial can be taken: see root/touch.sql. */
static enum status
cut_chunk(struct index *ix, struct arena *a, struct str first_name,
    struct str next_name, struct err *err)
{
	struct db_rows rows;
	bool unknown;
	enum status st;

	st = db_begin(ix->db, err);
	if (st != OK)
		return st;
	st = db_run(ix->db, a, SQL_SERIAL_HOLD_STILL, DB_NO_ARGS, &rows, err);
	if (st == OK)
		st = db_run(ix->db, a, SQL_ROOT_SPLIT, DB_ARGS(
		    db_text(first_name), db_text(next_name),
		    db_int(ROOT_CHUNK_PROJECTS)), NULL, err);
	if (st == OK)
		return db_commit(ix->db, &unknown, err);
	db_rollback(ix->db);
	return st;
}

enum status
root_cut_chunks(struct index *ix, struct arena *a, int64_t *since,
    int64_t *cut, struct err *err)
{
	struct db_rows rows;
	enum status st;

	*cut = 0;
	st = db_run(ix->db, a, SQL_ROOT_GROWN, DB_ARGS(db_int(*since)), &rows,
	    err);
	for (int i = 0; st == OK && i < rows.n; i++) {
		if (db_int64(&rows, i, ROOT_GROWN_N) >=
		    2 * ROOT_CHUNK_PROJECTS) {
			st = cut_chunk(ix, a, db_str(&rows, i,
			    ROOT_GROWN_FIRST_NAME), db_str(&rows, i,
			    ROOT_GROWN_NEXT_NAME), err);
			*cut += st == OK;
		}
		if (st == OK)
			*since = db_int64(&rows, i, ROOT_GROWN_SERIAL);
	}
	return st;
}
