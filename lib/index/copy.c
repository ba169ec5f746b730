#include "index/copy.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "index/index.h"
#include "io/config.h"
#include "io/db.h"
#include "io/digest.h"
#include "io/peer.h"
#include "io/secret.h"
#include "io/store.h"
#include "pkg/metadata.h"

/* An upload has five minutes in nginx, and other things to do. */
#define SEND_MS		((int64_t)120000)

/* Longer than most files take; a second try beside the first does no harm. */
#define LEASE_S		30

#define ROUND_US	((int64_t)5000000)	/* of the runner's chore */
#define AWAY_MS		((int64_t)5000)		/* until it is asked again */
#define RETRY_FIRST_MS	((int64_t)10000)
#define RETRY_MAX_MS	((int64_t)3600000)
#define FETCH_BYTES	((size_t)16 << 20)	/* memory: metadata, and room */

struct str_list
copy_nodes(const struct index *ix, struct arena *a)
{
	struct str_list nodes = { .n = 0 };

	str_list_add(a, &nodes, str_c(ix->config->node));
	if (ix->peer)
		str_list_add(a, &nodes, str_c(ix->config->peer_node));
	return nodes;
}

/* ---- to the other machine -------------------------------------------- */

static enum status
push(struct index *ix, struct arena *a, const struct copy *copy,
    bool replace, int64_t total_ms, struct err *err)
{
	struct peer_put put = {
		.blake2b_256 = copy->blake2b_256, .filename = copy->filename,
		.metadata = STR(""), .replace = replace, .total_ms = total_ms,
	};
	struct peer_answer answer;
	enum status st;

	st = store_read(ix->store, a, copy->blake2b_256, copy->filename,
	    &put.fd, err);
	if (st == OK && copy->metadata_sha256.n)
		st = store_metadata(ix->store, a, copy->blake2b_256,
		    copy->filename, METADATA_MAX_BYTES, &put.metadata, err);
	if (st == OK)
		st = peer_put_file(ix->peer, a, &put, &answer, err);
	return st;
}

enum status
copy_push(struct index *ix, struct arena *a, const struct copy *copy,
    bool replace, struct err *err)
{
	return push(ix, a, copy, replace, 0, err);
}

static void
put_words(struct arena *a, enum status st, const struct err *err,
    struct copy_sent *out)
{
	out->is_missing = st != OK;
	out->words = st == OK ? STR("ok") :
	    str_fmt(a, "missing: %s", err->text);
}

void
copy_send(struct index *ix, struct arena *a, const struct copy *copy,
    struct copy_sent *out)
{
	struct err err = { .text = "" };

	*out = (struct copy_sent){ .words = STR("") };
	if (!ix->peer)
		return;
	FAULT_POINT("W0-here");
	put_words(a, push(ix, a, copy, false, SEND_MS, &err), &err, out);
	FAULT_POINT("W0-both");
}

static bool
has_same_metadata(const struct copy *copy, const struct peer_copy *there)
{
	if (copy->metadata_sha256.n == 0)
		return true;
	return there->has_metadata &&
	    memcmp(there->metadata_sha256, copy->metadata_sha256.p, 32) == 0;
}

void
copy_ensure_sent(struct index *ix, struct arena *a, const struct copy *copy,
    struct copy_sent *out)
{
	struct peer_answer answer;
	struct err err = { .text = "" };
	struct peer_copy there;
	enum status st;

	*out = (struct copy_sent){ .words = STR("") };
	if (!ix->peer)
		return;
	st = peer_look(ix->peer, a, copy->blake2b_256, copy->filename, false,
	    &there, &answer, &err);
	if (st == NOT_FOUND || (st == OK && (there.size != copy->size ||
	    !has_same_metadata(copy, &there))))
		copy_send(ix, a, copy, out);
	else
		put_words(a, st, &err, out);
}

enum status
copy_note_missing(struct index *ix, struct arena *a, const struct copy *copy,
    struct str why, struct err *err)
{
	return db_run(ix->db, a, SQL_COPY_NOTE_MISSING, DB_ARGS(
	    db_text(str_c(ix->config->peer_node)),
	    db_bytes(copy->blake2b_256, sizeof(copy->blake2b_256)),
	    db_text(copy->filename), db_text(why)), NULL, err);
}

enum status
copy_count_missing(struct index *ix, struct arena *a, struct str node,
    int64_t *n, struct str *why, struct err *err)
{
	struct db_rows rows;
	enum status st;

	st = db_run(ix->db, a, SQL_COPY_COUNT_MISSING, DB_ARGS(db_text(node)),
	    &rows, err);
	if (st != OK)
		return st;
	*n = db_int64(&rows, 0, COPY_COUNT_MISSING_N);
	*why = db_str(&rows, 0, COPY_COUNT_MISSING_LAST_ERROR);
	return OK;
}

/* ---- from the other machine ------------------------------------------ */

static enum status
metadata_is_here(struct index *ix, struct arena *a, const struct copy *copy,
    bool *out, struct err *err)
{
	unsigned char sha256[32];
	struct str text;
	enum status st;

	*out = copy->metadata_sha256.n == 0;
	if (*out)
		return OK;
	st = store_metadata(ix->store, a, copy->blake2b_256, copy->filename,
	    METADATA_MAX_BYTES, &text, err);
	if (st == OK) {
		digest_sha256(text, sha256);
		*out = memcmp(sha256, copy->metadata_sha256.p, 32) == 0;
	}
	return st == UNAVAILABLE ? st : OK;
}

enum status
copy_is_here(struct index *ix, struct arena *a, const struct copy *copy,
    bool *out, struct err *err)
{
	struct digests got;
	enum status st;

	*out = false;
	st = store_verify(ix->store, a, copy->blake2b_256, copy->filename,
	    &got, err);
	if (st == OK)
		return metadata_is_here(ix, a, copy, out, err);
	return st == UNAVAILABLE ? st : OK;
}

static enum status
fetch_metadata(struct index *ix, struct arena *a, const struct copy *copy,
    struct str *out, struct peer_answer *answer, struct err *err)
{
	const struct peer_limits limits = {
		.answer_bytes = METADATA_MAX_BYTES,
	};
	unsigned char sha256[32];
	enum status st;

	*out = STR("");
	if (copy->metadata_sha256.n == 0)
		return OK;
	st = peer_get_metadata(ix->peer, a, copy->blake2b_256, copy->filename,
	    &limits, answer, err);
	if (st != OK)
		return st;
	digest_sha256(answer->body, sha256);
	if (memcmp(sha256, copy->metadata_sha256.p, 32) != 0)
		return err_set(err, INVALID, "the metadata of %.*s on the "
		    "other machine are not those that the index names",
		    STR_ARG(copy->filename));
	*out = answer->body;
	return OK;
}

static enum status
fetch_bytes(struct index *ix, struct arena *a, const struct copy *copy,
    struct staged **out, int64_t *mtime_s, struct peer_answer *answer,
    struct err *err)
{
	struct digests got;
	enum status st;

	st = store_stage(ix->store, a, out, err);
	if (st == OK)
		st = peer_get_file(ix->peer, a, copy->blake2b_256,
		    copy->filename, copy->size, *out, mtime_s, answer, err);
	if (st == OK)
		st = staged_finish(*out, &got, err);
	if (st == OK && memcmp(got.blake2b_256, copy->blake2b_256, 32) != 0)
		return err_set(err, INVALID, "the bytes of %.*s on the other "
		    "machine are not those of its digest",
		    STR_ARG(copy->filename));
	return st;
}

enum status
copy_fetch(struct index *ix, struct arena *a, const struct copy *copy,
    bool replace, struct peer_answer *answer, struct err *err)
{
	struct staged *staged;
	struct str metadata;
	int64_t mtime_s;
	enum status st;

	*answer = (struct peer_answer){ .end = PEER_FAILED };
	st = fetch_bytes(ix, a, copy, &staged, &mtime_s, answer, err);
	if (st == OK)
		st = fetch_metadata(ix, a, copy, &metadata, answer, err);
	if (st != OK)
		return st;
	FAULT_POINT("C-fetched");
	st = (replace ? store_replace : store_keep)(ix->store, staged,
	    copy->filename, metadata, mtime_s, err);
	FAULT_POINT("C-kept");
	return st;
}

/* ---- the runner's chore ---------------------------------------------- */

/* A row that was claimed. */
struct claim {
	struct copy copy;
	int64_t attempts;
};

static enum status
claim_one(struct index *ix, struct arena *a, struct claim *out,
    struct err *err)
{
	struct db_rows rows;
	struct str digest;
	enum status st;

	st = db_run(ix->db, a, SQL_COPY_CLAIM, DB_ARGS(
	    db_text(str_c(ix->config->node)), db_int(LEASE_S)), &rows, err);
	if (st != OK)
		return st;
	digest = db_bytes_at(&rows, 0, COPY_CLAIM_BLAKE2B_256);
	*out = (struct claim){
		.copy.filename = db_str(&rows, 0, COPY_CLAIM_FILENAME),
		.copy.size = db_int64(&rows, 0, COPY_CLAIM_SIZE),
		.copy.metadata_sha256 = db_bytes_at(&rows, 0,
		    COPY_CLAIM_METADATA_SHA256),
		.attempts = db_int64(&rows, 0, COPY_CLAIM_ATTEMPTS),
	};
	if (digest.n == sizeof(out->copy.blake2b_256))
		memcpy(out->copy.blake2b_256, digest.p, digest.n);
	return OK;
}

static bool
is_away(enum peer_end end)
{
	return end != PEER_ANSWERED && end != PEER_FAILED;
}

/* When to try again: twice as late each time, and not all at once. */
static int64_t
delay_ms(const struct claim *claim, enum peer_end end)
{
	int64_t ms = RETRY_FIRST_MS;
	unsigned char chance;

	if (is_away(end))
		ms = AWAY_MS;
	else
		for (int64_t i = 1; i < claim->attempts && ms < RETRY_MAX_MS;
		    i++)
			ms *= 2;
	random_bytes(&chance, 1);
	return ms / 2 + ms * chance / 256;
}

static enum status
put_off(struct index *ix, struct arena *a, const struct claim *claim,
    enum peer_end end, const struct err *why, struct err *err)
{
	return db_run(ix->db, a, SQL_COPY_PUT_OFF, DB_ARGS(
	    db_text(str_c(ix->config->node)),
	    db_bytes(claim->copy.blake2b_256,
	    sizeof(claim->copy.blake2b_256)),
	    db_text(claim->copy.filename), db_text(str_c(why->text)),
	    db_int(delay_ms(claim, end))), NULL, err);
}

/*
 * One row that was claimed.  The bytes first, then the row: killed between,
 * it is done again, and finds them here.  *goes_on is false when the other
 * machine is away, which is no news to anybody.
 */
static enum status
fetch_claimed(struct index *ix, struct arena *a, const struct claim *claim,
    int64_t *done, bool *goes_on, struct err *err)
{
	struct peer_answer answer = { .end = PEER_FAILED };
	struct err why = { .text = "" };
	bool is_here;
	enum status st;

	FAULT_POINT("C-claimed");
	st = copy_is_here(ix, a, &claim->copy, &is_here, &why);
	if (st == OK && !is_here)
		st = copy_fetch(ix, a, &claim->copy, true, &answer, &why);
	*goes_on = st == OK;
	if (st != OK) {
		st = put_off(ix, a, claim, answer.end, &why, err);
		if (st == OK && !is_away(answer.end))
			st = err_set(err, UNAVAILABLE, "%s", why.text);
		return st;
	}
	st = db_run(ix->db, a, SQL_COPY_FORGET_MISSING, DB_ARGS(
	    db_text(str_c(ix->config->node)),
	    db_bytes(claim->copy.blake2b_256,
	    sizeof(claim->copy.blake2b_256)),
	    db_text(claim->copy.filename)), NULL, err);
	*done += st == OK;
	return st;
}

enum status
copy_fetch_due(struct index *ix, struct arena *a, int64_t *done,
    struct err *err)
{
	int64_t end_us = clock_mono_us() + ROUND_US;
	struct arena *scratch;
	struct claim claim;
	bool goes_on = true;
	enum status st;

	*done = 0;
	if (!ix->peer)
		return OK;
	st = db_run(ix->db, a, SQL_COPY_FORGET_GONE, DB_ARGS(
	    db_text(str_c(ix->config->node))), NULL, err);
	scratch = arena_new(FETCH_BYTES);
	while (st == OK && goes_on && clock_mono_us() < end_us) {
		arena_reset(scratch);
		st = claim_one(ix, scratch, &claim, err);
		if (st == OK)
			st = fetch_claimed(ix, scratch, &claim, done,
			    &goes_on, err);
	}
	arena_free(scratch);
	return st == NOT_FOUND ? OK : st;
}
