#include "index/fsck.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/findings.h"
#include "index/index.h"
#include "io/db.h"
#include "io/digest.h"
#include "io/store.h"
#include "pkg/archive.h"
#include "pkg/filename.h"
#include "pkg/metadata.h"

/* An upload writes its bytes before its row: leave it the time. */
#define UNKNOWN_AGE_S	((int64_t)24 * 3600)
#define PROGRESS_FILES	1000
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
	if (c->options->repair)
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

static enum status
check_bytes(struct check *c, const unsigned char *digest,
    struct str filename, int64_t size)
{
	struct digests got;
	enum status st;

	if (c->options->quick)
		st = look_at_size(c, digest, filename, &got.size);
	else
		st = store_verify(c->ix->store, c->scratch, digest, filename,
		    &got, c->err);
	if (st == UNAVAILABLE)
		return st;
	if (st == NOT_FOUND)
		trouble(c, "missing", filename, false);
	else if (st != OK || got.size != size)
		trouble(c, "damaged", filename, false);
	if (st == OK && !c->options->quick)
		c->result->bytes += got.size;
	return st == OK ? OK : NOT_FOUND;
}

static enum status
check_row(struct check *c, const struct db_rows *rows, int i)
{
	struct str digest = db_bytes_at(rows, i, FILE_EVERY_BLAKE2B_256);
	struct str filename = db_str(rows, i, FILE_EVERY_FILENAME);
	enum status st;

	if (digest.n != 32) {
		trouble(c, "damaged", filename, false);
		return OK;
	}
	st = check_bytes(c, (const unsigned char *)digest.p, filename,
	    db_int64(rows, i, FILE_EVERY_SIZE));
	if (st == OK && !db_is_null(rows, i, FILE_EVERY_METADATA_SHA256))
		st = check_metadata(c, (const unsigned char *)digest.p,
		    filename, db_bytes_at(rows, i,
		    FILE_EVERY_METADATA_SHA256));
	arena_reset(c->scratch);
	if (++c->result->files % PROGRESS_FILES == 0)
		say(c, "", filename, false);
	return st == UNAVAILABLE ? st : OK;
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
		.scratch = arena_new((size_t)32 << 20),
	};
	enum status st;

	*out = (struct fsck_result){ .files = 0 };
	st = check_rows(&c, a);
	if (st == OK)
		st = store_each(ix->store, check_item, &c, err);
	arena_free(c.scratch);
	return st;
}
