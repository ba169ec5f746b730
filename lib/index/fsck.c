#include "index/fsck.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/findings.h"
#include "index/copy.h"
#include "index/index.h"
#include "io/db.h"
#include "io/digest.h"
#include "io/peer.h"
#include "io/store.h"
#include "pkg/archive.h"
#include "pkg/filename.h"
#include "pkg/metadata.h"

/* An upload writes its bytes before its row: leave it the time. */
#define UNKNOWN_AGE_S	((int64_t)24 * 3600)
#define PROGRESS_FILES	1000
#define SCRATCH_BYTES	((size_t)32 << 20)	/* for one file */
#define BATCH_FILES	1000	/* rows asked for at a time */
#define BATCH_BYTES	((size_t)1 << 20)	/* of a batch's arguments */

struct check {
	struct index *ix;
	struct arena *scratch;		/* emptied after each file */
	const struct fsck_options *options;
	struct fsck_result *result;
	struct err *err;
};

static void
say(const struct check *c, const char *what, struct str name, bool repaired)
{
	c->options->say(c->options->arg, what, name, repaired);
}

static void
trouble(struct check *c, const char *what, struct str name, bool repaired)
{
	c->result->troubles++;
	c->result->repaired += repaired;
	say(c, what, name, repaired);
}

/* Read a wheel's METADATA again and put it beside it, if it is the right one. */
static enum status
extract_metadata(struct check *c, const unsigned char *digest,
    struct str filename, struct str want)
{
	struct findings found = findings_new(c->scratch);
	struct wheel_filename parts;
	struct archive_facts facts;
	unsigned char got[32];
	enum status st;
	int fd;

	st = filename_parse_wheel(c->scratch, filename, &parts, c->err);
	if (st == OK)
		st = store_read(c->ix->store, c->scratch, digest, filename,
		    &fd, c->err);
	if (st == OK)
		st = archive_read_wheel(c->scratch, fd, filename, parts.name,
		    parts.raw_version, &archive_limits_default, &facts,
		    &found, c->err);
	if (st != OK || facts.metadata.n == 0)
		return INVALID;
	digest_sha256(facts.metadata, got);
	if (want.n != sizeof(got) || memcmp(got, want.p, want.n) != 0)
		return INVALID;
	return store_put_metadata(c->ix->store, c->scratch, digest, filename,
	    facts.metadata, c->err);
}

/* The .metadata that lies beside a wheel must be the one that pages name. */
static enum status
check_metadata(struct check *c, const unsigned char *digest,
    struct str filename, struct str want)
{
	unsigned char got[32];
	struct str text;
	bool repaired = false;
	enum status st;

	st = store_metadata(c->ix->store, c->scratch, digest, filename,
	    METADATA_MAX_BYTES, &text, c->err);
	if (st == UNAVAILABLE)
		return st;
	if (st == OK) {
		digest_sha256(text, got);
		if (want.n == sizeof(got) && memcmp(got, want.p, want.n) == 0)
			return OK;
	}
	if (c->options->repair || c->options->peer)
		repaired = extract_metadata(c, digest, filename, want) == OK;
	trouble(c, "no metadata", filename, repaired);
	return OK;
}

/* Is it there, and how large?  For those who cannot wait for the rest. */
static enum status
look_at_size(struct check *c, const unsigned char *digest,
    struct str filename, int64_t *size)
{
	struct stat sb;
	enum status st;
	int fd;

	st = store_read(c->ix->store, c->scratch, digest, filename, &fd,
	    c->err);
	if (st == OK && fstat(fd, &sb) == -1)
		st = err_errno(c->err, "cannot look at %.*s",
		    STR_ARG(filename));
	if (st == OK)
		*size = sb.st_size;
	return st;
}

/* What is wrong here the other machine may have whole. */
static bool
fetch(struct check *c, const struct copy *copy, bool replace)
{
	struct peer_answer answer;

	return c->options->peer && copy_fetch(c->ix, c->scratch, copy,
	    replace, &answer, c->err) == OK;
}

/* *whole: at the end of this, its bytes are here. */
static enum status
check_bytes(struct check *c, const struct copy *copy, bool *whole)
{
	struct digests got;
	enum status st;

	if (c->options->quick)
		st = look_at_size(c, copy->blake2b_256, copy->filename,
		    &got.size);
	else
		st = store_verify(c->ix->store, c->scratch,
		    copy->blake2b_256, copy->filename, &got, c->err);
	if (st == UNAVAILABLE)
		return st;
	*whole = st == OK && got.size == copy->size;
	if (*whole) {
		c->result->bytes += c->options->quick ? 0 : got.size;
		return OK;
	}
	*whole = fetch(c, copy, st != NOT_FOUND);
	trouble(c, st == NOT_FOUND ? "missing" : "damaged", copy->filename,
	    *whole);
	return OK;
}

/* What is wrong with the other machine's copy; NULL if nothing is. */
static const char *
fault_of(const struct copy *copy, enum status st,
    const struct peer_copy *there)
{
	if (st == NOT_FOUND)
		return "missing there";
	if (there->is_damaged || there->size != copy->size)
		return "damaged there";
	if (copy->metadata_sha256.n && (!there->has_metadata ||
	    memcmp(there->metadata_sha256, copy->metadata_sha256.p, 32) != 0))
		return "no metadata there";
	return NULL;
}

static enum status
check_peer(struct check *c, const struct copy *copy, bool whole)
{
	struct peer_answer answer;
	struct peer_copy there;
	const char *fault;
	bool repaired;
	enum status st;

	st = peer_look(c->ix->peer, c->scratch, copy->blake2b_256,
	    copy->filename, !c->options->quick, &there, &answer, c->err);
	if (st != OK && st != NOT_FOUND)
		return UNAVAILABLE;
	fault = fault_of(copy, st, &there);
	if (!fault)
		return OK;
	repaired = whole && copy_push(c->ix, c->scratch, copy,
	    st != NOT_FOUND, c->err) == OK;
	trouble(c, fault, copy->filename, repaired);
	return OK;
}

static enum status
check_copies(struct check *c, const struct copy *copy)
{
	bool whole = false;
	enum status st = check_bytes(c, copy, &whole);

	if (st == OK && whole && copy->metadata_sha256.n)
		st = check_metadata(c, copy->blake2b_256, copy->filename,
		    copy->metadata_sha256);
	if (st == OK && c->options->peer)
		st = check_peer(c, copy, whole);
	return st;
}

static enum status
check_row(struct check *c, const struct db_rows *rows, int i)
{
	struct str digest = db_bytes_at(rows, i, FILE_EVERY_BLAKE2B_256);
	struct copy copy = {
		.filename = db_str(rows, i, FILE_EVERY_FILENAME),
		.size = db_int64(rows, i, FILE_EVERY_SIZE),
		.metadata_sha256 = db_bytes_at(rows, i,
		    FILE_EVERY_METADATA_SHA256),
	};
	enum status st;

	if (digest.n != sizeof(copy.blake2b_256)) {
		trouble(c, "damaged", copy.filename, false);
		return OK;
	}
	memcpy(copy.blake2b_256, digest.p, digest.n);
	st = check_copies(c, &copy);
	arena_reset(c->scratch);
	if (++c->result->files % PROGRESS_FILES == 0)
		say(c, "", copy.filename, false);
	return st;
}

/* Some rows at a time: reading their files takes longer than any statement. */
static enum status
check_rows(struct check *c, struct arena *a)
{
	struct arena *batch = arena_new(BATCH_BYTES);
	struct str digest = STR(""), filename = STR("");
	struct db_rows rows;
	enum status st;

	for (;;) {
		arena_reset(batch);
		st = db_run(c->ix->db, batch, SQL_FILE_EVERY, DB_ARGS(
		    db_bytes(digest.p, digest.n), db_text(filename),
		    db_int(BATCH_FILES)), &rows, c->err);
		for (int i = 0; st == OK && i < rows.n; i++)
			st = check_row(c, &rows, i);
		if (st != OK || rows.n < BATCH_FILES)
			break;
		digest = str_dup(a, db_bytes_at(&rows, rows.n - 1,
		    FILE_EVERY_BLAKE2B_256));
		filename = str_dup(a, db_str(&rows, rows.n - 1,
		    FILE_EVERY_FILENAME));
	}
	arena_free(batch);
	return st;
}

static enum status
check_item(void *arg, const struct store_item *item, struct err *err)
{
	struct check *c = arg;
	struct db_rows rows;
	bool repaired = false;
	enum status st;

	if (!item->is_ours) {
		trouble(c, "stranger", item->path, false);
		return OK;
	}
	if (item->mtime_s > clock_wall_us() / 1000000 - UNKNOWN_AGE_S)
		return OK;
	st = db_run(c->ix->db, c->scratch, SQL_FILE_IS_STORED, DB_ARGS(
	    db_bytes(item->blake2b_256, sizeof(item->blake2b_256)),
	    db_text(item->filename)), &rows, err);
	if (st == OK && !db_bool_at(&rows, 0, FILE_IS_STORED_IS_NEEDED)) {
		if (c->options->repair)
			repaired = store_remove(c->ix->store, c->scratch,
			    item->blake2b_256, item->filename, err) == OK;
		trouble(c, "unknown", item->path, repaired);
	}
	arena_reset(c->scratch);
	return st;
}

enum status
fsck(struct index *ix, struct arena *a, const struct fsck_options *options,
    struct fsck_result *out, struct err *err)
{
	struct check c = {
		.ix = ix, .options = options, .result = out, .err = err,
	};
	enum status st;

	*out = (struct fsck_result){ .files = 0 };
	if (options->peer && !ix->peer)
		return err_set(err, INVALID, "there is no other machine to "
		    "compare with (peer_node, peer_url)");
	c.scratch = arena_new(SCRATCH_BYTES);
	st = check_rows(&c, a);
	if (st == OK)
		st = store_each(ix->store, check_item, &c, err);
	arena_free(c.scratch);
	return st;
}
