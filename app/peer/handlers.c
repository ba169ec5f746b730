#include "peer/handlers.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/version.h"
#include "http/credential.h"
#include "http/request.h"
#include "http/respond.h"
#include "http/response.h"
#include "index/index.h"
#include "io/config.h"
#include "io/digest.h"
#include "io/secret.h"
#include "io/store.h"
#include "pkg/metadata.h"

/* A file on its way in. */
struct incoming {
	struct index *ix;
	struct request *rq;
	unsigned char digest[32];	/* that its path says */
	struct str filename;
	int64_t size;
	int64_t mtime_s;
	bool replace;
	struct staged *staged;
	struct str metadata;
};

/*
 * Both are digested first: so the time depends neither on where they differ
 * nor on how long ours is.
 */
static bool
is_our_secret(const struct config *config, struct str secret)
{
	unsigned char ours[32], theirs[32];

	digest_sha256(str_c(config->peer_secret), ours);
	digest_sha256(secret, theirs);
	return secret_eq(ours, theirs, sizeof(ours)) && *config->peer_secret;
}

enum status
peer_admit(void *app, const struct request *rq, struct response *rs,
    struct err *err)
{
	const struct index *ix = app;
	struct credential credential;

	if (credential_parse(rq->arena, rq->authorization, &credential,
	    NULL) != OK || credential.kind != CREDENTIAL_TOKEN ||
	    !is_our_secret(ix->config, credential.secret))
		return err_set(err, DENIED,
		    "this is for a machine that knows our peer_secret");
	rs->is_for_us = true;
	return OK;
}

enum status
peer_hello(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	const struct index *ix = app;

	(void)rq;
	(void)err;
	rs->type = STR("text/plain; charset=utf-8");
	buf_put(&rs->body, STR("node "));
	buf_put(&rs->body, str_c(ix->config->node));
	buf_put(&rs->body, STR("\nversion " TILSIT_VERSION "\n"));
	return OK;
}

/* The digest that the three folders of the path spell. */
static enum status
read_place(const struct request *rq, unsigned char digest[32],
    struct err *err)
{
	struct str hex = str_fmt(rq->arena, "%.*s%.*s%.*s",
	    STR_ARG(rq->arg[0]), STR_ARG(rq->arg[1]), STR_ARG(rq->arg[2]));

	if (rq->arg[0].n != 2 || rq->arg[1].n != 2 ||
	    !digest_read_hex(hex, digest, 32))
		return err_set(err, INVALID, "the path holds no BLAKE2b-256");
	return OK;
}

static void
put_line(struct buf *b, struct str name, struct str value)
{
	buf_put(b, name);
	buf_byte(b, ' ');
	buf_put(b, value);
	buf_byte(b, '\n');
}

static void
put_number(struct buf *b, struct str name, int64_t value)
{
	buf_put(b, name);
	buf_byte(b, ' ');
	buf_int(b, value);
	buf_byte(b, '\n');
}

/* The metadata beside a file, if it has any that can be read. */
static enum status
put_metadata(struct index *ix, struct request *rq, struct response *rs,
    const unsigned char digest[32], struct err *err)
{
	unsigned char sha256[32];
	struct str text;
	enum status st;

	st = store_metadata(ix->store, rq->arena, digest, rq->arg[3],
	    METADATA_MAX_BYTES, &text, err);
	if (st == UNAVAILABLE)
		return st;
	if (st == OK) {
		digest_sha256(text, sha256);
		put_line(&rs->body, STR("metadata"), digest_hex(rq->arena,
		    sha256, sizeof(sha256)));
	}
	return OK;
}

static enum status
put_soundness(struct index *ix, struct request *rq, struct response *rs,
    const unsigned char digest[32], struct err *err)
{
	struct digests got;
	enum status st;

	st = store_verify(ix->store, rq->arena, digest, rq->arg[3], &got,
	    err);
	if (st != OK && st != INVALID)
		return st;
	put_line(&rs->body, STR("is"), st == OK ? STR("whole") :
	    STR("damaged"));
	return OK;
}

enum status
peer_file_get(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	struct index *ix = app;
	unsigned char digest[32];
	struct stat sb;
	enum status st;
	int fd;

	st = read_place(rq, digest, err);
	if (st == OK)
		st = store_read(ix->store, rq->arena, digest, rq->arg[3],
		    &fd, err);
	if (st == OK && fstat(fd, &sb) == -1)
		st = err_errno(err, "cannot look at a kept file");
	if (st != OK)
		return st;
	rs->type = STR("text/plain; charset=utf-8");
	put_number(&rs->body, STR("size"), sb.st_size);
	put_number(&rs->body, STR("mtime"), sb.st_mtim.tv_sec);
	st = put_metadata(ix, rq, rs, digest, err);
	if (st == OK && request_query(rq, STR("read")).n)
		st = put_soundness(ix, rq, rs, digest, err);
	return st;
}

/* What the request says of the file; all sizes are bounded here. */
static enum status
read_terms(struct incoming *in, struct err *err)
{
	const struct request *rq = in->rq;
	int64_t limit = in->ix->config->upload_limit_bytes;
	enum status st = read_place(rq, in->digest, err);

	if (st != OK)
		return st;
	if (str_int64(request_query(rq, STR("size")), 0, INT64_MAX,
	    &in->size) != OK || str_int64(request_query(rq, STR("mtime")),
	    INT64_MIN, INT64_MAX, &in->mtime_s) != OK)
		return err_set(err, INVALID, "size and mtime are missing");
	if (in->size > limit)
		return err_set(err, TOO_LARGE, "the file is over %lld bytes "
		    "(upload_limit_bytes)", (long long)limit);
	if (rq->content_length < in->size)
		return err_set(err, INVALID, "the body is shorter than the "
		    "file, or its length is missing");
	if (rq->content_length - in->size > (int64_t)METADATA_MAX_BYTES)
		return err_set(err, TOO_LARGE, "the metadata are over %zu "
		    "bytes", METADATA_MAX_BYTES);
	in->filename = rq->arg[3];
	in->replace = request_query(rq, STR("replace")).n > 0;
	return OK;
}

static enum status
cut_off(const struct incoming *in, struct err *err)
{
	return err_set(err, INVALID, "the body was cut off after %lld bytes",
	    (long long)in->rq->body_got);
}

static enum status
take_file(struct incoming *in, struct err *err)
{
	char *piece = arena_alloc(in->rq->arena, DIGEST_PIECE_BYTES);
	int64_t left = in->size;
	enum status st = OK;

	while (st == OK && left > 0) {
		size_t n = left < (int64_t)DIGEST_PIECE_BYTES ?
		    (size_t)left : DIGEST_PIECE_BYTES;
		long got = request_body_read(in->rq, piece, n);

		if (got <= 0)
			return cut_off(in, err);
		st = staged_write(in->staged, piece, (size_t)got, err);
		left -= got;
	}
	return st;
}

static enum status
take_metadata(struct incoming *in, struct err *err)
{
	size_t left = (size_t)(in->rq->content_length - in->size);
	struct buf text = buf_new(in->rq->arena);

	while (left > 0) {
		long got = request_body_read(in->rq, buf_room(&text, left),
		    left);

		if (got <= 0)
			return cut_off(in, err);
		buf_wrote(&text, (size_t)got);
		left -= (size_t)got;
	}
	in->metadata = buf_view(&text);
	return OK;
}

/* Into staging/, and are its bytes those of its name? */
static enum status
receive(struct incoming *in, struct err *err)
{
	struct digests got;
	enum status st;

	st = store_stage(in->ix->store, in->rq->arena, &in->staged, err);
	if (st == OK)
		st = take_file(in, err);
	if (st == OK)
		st = take_metadata(in, err);
	if (st == OK)
		st = staged_finish(in->staged, &got, err);
	if (st == OK && memcmp(got.blake2b_256, in->digest, 32) != 0)
		return err_set(err, INVALID, "the bytes of %.*s that arrived "
		    "are not those of its digest", STR_ARG(in->filename));
	return st;
}

/* Do we have all of it? */
static bool
is_kept(const struct incoming *in)
{
	struct stat sb;
	int fd;

	return store_read(in->ix->store, in->rq->arena, in->digest,
	    in->filename, &fd, NULL) == OK && fstat(fd, &sb) == 0 &&
	    sb.st_size == in->size;
}

enum status
peer_file_put(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	struct incoming in = { .ix = app, .rq = rq };
	enum status st;
	bool was_kept;

	st = read_terms(&in, err);
	if (st == OK)
		st = receive(&in, err);
	if (st != OK)
		return st;
	FAULT_POINT("P-received");
	was_kept = !in.replace && is_kept(&in);
	st = (in.replace ? store_replace : store_keep)(in.ix->store,
	    in.staged, in.filename, in.metadata, in.mtime_s, err);
	if (st != OK)
		return st;
	FAULT_POINT("P-kept");
	rs->type = STR("text/plain; charset=utf-8");
	buf_put(&rs->body, was_kept ? STR("is there\n") : STR("kept\n"));
	if (!was_kept)
		respond_created(rs);
	return OK;
}
