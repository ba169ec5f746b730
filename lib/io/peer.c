#include "io/peer.h"

#include <curl/curl.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/panic.h"
#include "base/version.h"
#include "io/config.h"
#include "io/digest.h"
#include "io/store.h"

#define MS_US		((int64_t)1000)
#define TICK_MS		((int64_t)100)	/* between two looks at the socket */
#define PIECE_BYTES	(256L << 10)	/* read or sent at a time */

/* What a slow disk flushes and reads: 16 MB a second. */
#define DISK_BYTES_PER_MS	((int64_t)16 << 10)

/*
 * The rest after a failure begins at half the time that one costs and doubles
 * up to five times it: a dead peer takes a sixth of a worker's time at most.
 */
#define REST_MAX_TIMEOUTS	5

struct peer {
	const struct config *config;
	CURLM *multi;			/* keeps the connection */
	int fd;				/* its socket; -1: there is none */
	int64_t rest_us;		/* the last one; 0: all is well */
	int64_t rest_until_us;		/* monotonic */
};

/* One request under way. */
struct exchange {
	struct peer *peer;
	struct arena *arena;
	struct err *err;
	const struct peer_limits *limits;
	CURL *easy;
	struct curl_slist *fields;

	/* What goes out: a file, if any, and then a text. */
	int fd;
	int64_t file_bytes;
	struct str text;
	int64_t given;			/* to curl, so far */

	/* What comes in: a file, or else a text. */
	struct staged *into;
	int64_t into_limit_bytes;
	struct buf answer;
	int64_t got;

	enum status own;		/* OK, or how our half of it failed */
	bool is_dead;			/* it stood still */
	bool took_too_long;
};

/* One for each status that tilsit-peer gives; http/respond has them too. */
static const struct {
	long code;
	enum status st;
} meanings[] = {
	{ 200, OK }, { 201, OK }, { 204, OK }, { 400, INVALID },
	{ 403, DENIED }, { 404, NOT_FOUND }, { 409, CONFLICT }, { 410, GONE },
	{ 413, TOO_LARGE },
};

const char *
peer_end_name(enum peer_end end)
{
	switch (end) {
	case PEER_NONE:		return "no peer";
	case PEER_RESTING:	return "resting";
	case PEER_REFUSED:	return "refused";
	case PEER_TIMED_OUT:	return "timed out";
	case PEER_BROKEN:	return "broken off";
	case PEER_FAILED:	return "failed";
	case PEER_ANSWERED:	return "answered";
	}
	panic("peer end %d", (int)end);
}

struct peer *
peer_new(const struct config *config)
{
	struct peer *p;

	if (!*config->peer_node || !*config->peer_url)
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		panic("libcurl cannot begin");
	p = calloc(1, sizeof(*p));
	if (!p)
		panic("no memory");
	p->config = config;
	p->fd = -1;
	p->multi = curl_multi_init();
	if (!p->multi)
		panic("no memory");
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, 1L);
	return p;
}

void
peer_free(struct peer *p)
{
	if (!p)
		return;
	curl_multi_cleanup(p->multi);
	curl_global_cleanup();
	free(p);
}

/* ---- what libcurl calls ---------------------------------------------- */

/* It tells nobody which socket it uses before a request is over. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct peer *p = arg;

	(void)purpose;
	p->fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	return p->fd;
}

static int
close_socket(void *arg, curl_socket_t fd)
{
	struct peer *p = arg;

	if (p->fd == fd)
		p->fd = -1;
	return close(fd);
}

static size_t
give_file(struct exchange *x, char *to, size_t n)
{
	ssize_t got;

	if ((int64_t)n > x->file_bytes - x->given)
		n = (size_t)(x->file_bytes - x->given);
	do
		got = pread(x->fd, to, n, (off_t)x->given);
	while (got == -1 && errno == EINTR);
	if (got > 0)
		return (size_t)got;
	if (got == 0)
		errno = EIO;	/* it became shorter */
	x->own = err_errno(x->err, "cannot read the file to be sent");
	return CURL_READFUNC_ABORT;
}

static size_t
give(char *to, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = size * count;

	if (x->given < x->file_bytes) {
		n = give_file(x, to, n);
	} else {
		struct str rest = str_sub(x->text,
		    (size_t)(x->given - x->file_bytes), x->text.n);

		n = n < rest.n ? n : rest.n;
		if (n)
			memcpy(to, rest.p, n);
	}
	if (n != CURL_READFUNC_ABORT)
		x->given += (int64_t)n;
	return n;
}

/* A kept connection was closed over there as we began: from the start. */
static int
give_again(void *arg, curl_off_t offset, int origin)
{
	struct exchange *x = arg;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_FAIL;
	x->given = offset;
	return CURL_SEEKFUNC_OK;
}

static long
code_of(const struct exchange *x)
{
	long code = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

static enum status
take_file(struct exchange *x, const char *bytes, size_t n)
{
	if (x->got > x->into_limit_bytes)
		return err_set(x->err, TOO_LARGE, "the other machine sends "
		    "over %lld bytes", (long long)x->into_limit_bytes);
	return staged_write(x->into, bytes, n, x->err);
}

static size_t
take(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t n = size * count;

	x->got += (int64_t)n;
	if (x->into && code_of(x) == 200) {
		x->own = take_file(x, bytes, n);
		return x->own == OK ? n : 0;
	}
	if (n > x->limits->answer_bytes - x->answer.len)
		return 0;
	buf_put(&x->answer, (struct str){ bytes, n });
	return n;
}

/* ---- one request ----------------------------------------------------- */

static void
add_field(struct exchange *x, struct str line)
{
	struct curl_slist *more = curl_slist_append(x->fields, line.p);

	if (!more)
		panic("no memory");
	x->fields = more;
}

static void
set_fields(struct exchange *x)
{
	const struct config *config = x->peer->config;

	add_field(x, str_fmt(x->arena, "Authorization: Bearer %s",
	    config->peer_secret));
	add_field(x, str_fmt(x->arena, "User-Agent: tilsit/%s (%s)",
	    TILSIT_VERSION, config->node));
	add_field(x, STR("Accept: text/plain"));
	/* nginx would agree to anything, and we would have waited for it. */
	add_field(x, STR("Expect:"));
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->fields);
}

static void
set_method(struct exchange *x, const char *method)
{
	if (strcmp(method, "PUT") == 0) {
		curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)(x->file_bytes + (int64_t)x->text.n));
	} else if (strcmp(method, "GET") != 0) {
		curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, method);
	}
}

/* Nothing of the environment counts: no proxy, no .netrc, no redirection. */
static void
set_up(struct exchange *x, const char *method, struct str path)
{
	struct str url = str_fmt(x->arena, "%s%s", x->peer->config->peer_url,
	    str_z(x->arena, path));

	curl_easy_setopt(x->easy, CURLOPT_URL, url.p);
	curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(x->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(x->easy, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)x->peer->config->peer_timeout_ms);
	curl_easy_setopt(x->easy, CURLOPT_BUFFERSIZE, PIECE_BYTES);
	curl_easy_setopt(x->easy, CURLOPT_UPLOAD_BUFFERSIZE, PIECE_BYTES);
	curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, give_again);
	curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_FILETIME, 1L);
	curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETDATA, x->peer);
	curl_easy_setopt(x->easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(x->easy, CURLOPT_CLOSESOCKETDATA, x->peer);
	set_method(x, method);
	set_fields(x);
}

/* Bytes that have crossed: what the kernel still holds has not. */
static int64_t
moved(const struct exchange *x)
{
	int fd = x->peer->fd;
	int waiting = 0;

	if (fd != -1 && ioctl(fd, SIOCOUTQ, &waiting) == -1)
		waiting = 0;
	return x->given - waiting + x->got;
}

/* May it go on?  Given how long ago a byte last moved, and when it began. */
static bool
has_time(struct exchange *x, int64_t still_us, int64_t all_us)
{
	bool all_given = x->given == x->file_bytes + (int64_t)x->text.n;
	int64_t limit_ms = x->peer->config->peer_timeout_ms +
	    (all_given ? x->limits->think_ms : 0);

	x->is_dead = still_us > limit_ms * MS_US;
	x->took_too_long = x->limits->total_ms != 0 &&
	    all_us > x->limits->total_ms * MS_US;
	return !x->is_dead && !x->took_too_long;
}

/* How the transfer ended, for libcurl. */
static CURLcode
result_of(struct peer *p)
{
	CURLcode result = CURLE_OK;
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(p->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			result = message->data.result;
	return result;
}

/* Run it to its end, or until its time is over. */
static CURLcode
carry_out(struct exchange *x)
{
	struct peer *p = x->peer;
	int64_t began_us = clock_mono_us();
	int64_t moved_us = began_us;
	int64_t last = 0;
	int running = 1;
	CURLcode result;

	if (curl_multi_add_handle(p->multi, x->easy) != CURLM_OK)
		panic("libcurl refuses a request");
	while (curl_multi_perform(p->multi, &running) == CURLM_OK && running) {
		int64_t now_us = clock_mono_us(), now = moved(x);

		if (now != last)
			moved_us = now_us;
		last = now;
		if (!has_time(x, now_us - moved_us, now_us - began_us))
			break;
		if (curl_multi_poll(p->multi, NULL, 0, (int)TICK_MS,
		    NULL) != CURLM_OK)
			break;
	}
	result = running ? CURLE_OPERATION_TIMEDOUT : result_of(p);
	curl_multi_remove_handle(p->multi, x->easy);
	return result;
}

static enum peer_end
end_of(const struct exchange *x, CURLcode result)
{
	long error = 0;

	if (x->own != OK)
		return PEER_FAILED;
	switch (result) {
	case CURLE_OK:
		return PEER_ANSWERED;
	case CURLE_OPERATION_TIMEDOUT:
		return PEER_TIMED_OUT;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &error);
		return error == ETIMEDOUT ? PEER_TIMED_OUT : PEER_REFUSED;
	default:
		return PEER_BROKEN;
	}
}

/* Leave it alone for a while, or no longer. */
static void
note_end(struct exchange *x, enum peer_end end)
{
	int64_t timeout_us = x->peer->config->peer_timeout_ms * MS_US;
	int64_t rest_us = x->peer->rest_us ? 2 * x->peer->rest_us :
	    timeout_us / 2;

	if (end == PEER_ANSWERED || end == PEER_FAILED || x->took_too_long) {
		x->peer->rest_us = 0;
		return;
	}
	if (rest_us > REST_MAX_TIMEOUTS * timeout_us)
		rest_us = REST_MAX_TIMEOUTS * timeout_us;
	x->peer->rest_us = rest_us;
	x->peer->rest_until_us = clock_mono_us() + rest_us;
}

static enum status
answer_status(const struct exchange *x, struct peer_answer *out)
{
	struct str line, rest;

	out->code = (int)code_of(x);
	out->body = buf_view(&x->answer);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].code != out->code)
			continue;
		if (meanings[i].st == OK)
			return OK;
		str_cut(out->body, '\n', &line, &rest);
		out->body = line;
		return err_set(x->err, meanings[i].st, "the other machine: "
		    "%.*s", STR_ARG(line));
	}
	str_cut(out->body, '\n', &line, &rest);
	out->body = line;
	return err_set(x->err, UNAVAILABLE, "the other machine answers %d: "
	    "%.*s", out->code, STR_ARG(line));
}

static enum status
explain(const struct exchange *x, CURLcode result, struct peer_answer *out)
{
	int64_t timeout_ms = x->peer->config->peer_timeout_ms;

	switch (out->end) {
	case PEER_ANSWERED:
		return answer_status(x, out);
	case PEER_FAILED:
		return x->own;
	case PEER_REFUSED:
		return err_set(x->err, UNAVAILABLE, "the other machine "
		    "refuses the connection");
	case PEER_TIMED_OUT:
		if (x->took_too_long)
			return err_set(x->err, UNAVAILABLE, "the other "
			    "machine took over %lld ms",
			    (long long)x->limits->total_ms);
		return err_set(x->err, UNAVAILABLE, "the other machine stood "
		    "still for %lld ms", (long long)timeout_ms);
	default:
		return err_set(x->err, UNAVAILABLE, "the other machine broke "
		    "off: %s", curl_easy_strerror(result));
	}
}

/* Fails at once where there is no peer, or none that may be asked now. */
static enum status
may_ask(const struct peer *p, struct peer_answer *out, struct err *err)
{
	*out = (struct peer_answer){ .end = PEER_NONE };
	if (!p)
		return err_set(err, UNAVAILABLE,
		    "there is no other machine (peer_node, peer_url)");
	out->end = PEER_RESTING;
	if (p->rest_us && clock_mono_us() < p->rest_until_us)
		return err_set(err, UNAVAILABLE, "the other machine did not "
		    "answer a moment ago");
	return OK;
}

/* x says what goes out and comes in; the rest is set here. */
static enum status
exchange(struct exchange *x, const char *method, struct str path,
    struct peer_answer *out)
{
	enum status st;
	CURLcode result;

	st = may_ask(x->peer, out, x->err);
	if (st != OK)
		return st;
	x->easy = curl_easy_init();
	if (!x->easy)
		panic("no memory");
	x->answer = buf_new(x->arena);
	set_up(x, method, path);
	result = carry_out(x);
	out->end = end_of(x, result);
	note_end(x, out->end);
	st = explain(x, result, out);
	curl_slist_free_all(x->fields);
	x->fields = NULL;
	return st;
}

/* What only exchange() could not release: the caller may still ask it. */
static void
finish(struct exchange *x)
{
	curl_easy_cleanup(x->easy);
}

enum status
peer_request(struct peer *p, struct arena *a, const char *method,
    struct str path, struct str body, const struct peer_limits *limits,
    struct peer_answer *out, struct err *err)
{
	struct exchange x = {
		.peer = p, .arena = a, .err = err, .limits = limits,
		.fd = -1, .text = body,
	};
	enum status st = exchange(&x, method, path, out);

	finish(&x);
	return st;
}

/* ---- files ----------------------------------------------------------- */

/* base, the file's folders, and its name, escaped. */
static struct str
file_path(struct arena *a, const char *base, const unsigned char digest[32],
    struct str filename)
{
	struct buf b = buf_new(a);

	buf_put(&b, str_c(base));
	buf_put(&b, store_path(a, digest, STR("")));
	buf_url(&b, filename);
	return buf_view(&b);
}

enum status
peer_put_file(struct peer *p, struct arena *a, const struct peer_put *put,
    struct peer_answer *out, struct err *err)
{
	struct peer_limits limits = {
		.answer_bytes = PEER_SMALL.answer_bytes,
		.total_ms = put->total_ms,
	};
	struct exchange x = {
		.peer = p, .arena = a, .err = err, .limits = &limits,
		.fd = put->fd, .text = put->metadata,
	};
	enum status st;
	struct stat sb;

	*out = (struct peer_answer){ .end = PEER_FAILED };
	if (fstat(put->fd, &sb) == -1)
		return err_errno(err, "cannot look at the file to be sent");
	x.file_bytes = sb.st_size;
	limits.think_ms = x.file_bytes / DISK_BYTES_PER_MS;
	st = exchange(&x, "PUT", str_fmt(a, "%s?size=%lld&mtime=%lld%s",
	    file_path(a, "/-/peer/packages/", put->blake2b_256,
	    put->filename).p, (long long)sb.st_size,
	    (long long)sb.st_mtim.tv_sec, put->replace ? "&replace=1" : ""),
	    out);
	finish(&x);
	return st;
}

enum status
peer_get_file(struct peer *p, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    int64_t limit_bytes, struct staged *into, int64_t *mtime_s,
    struct peer_answer *out, struct err *err)
{
	const struct peer_limits limits = {
		.answer_bytes = PEER_SMALL.answer_bytes,
	};
	struct exchange x = {
		.peer = p, .arena = a, .err = err, .limits = &limits,
		.fd = -1, .into = into, .into_limit_bytes = limit_bytes,
	};
	curl_off_t mtime = -1;
	enum status st;

	st = exchange(&x, "GET", file_path(a, "/packages/", blake2b_256,
	    filename), out);
	if (st == OK) {
		curl_easy_getinfo(x.easy, CURLINFO_FILETIME_T, &mtime);
		*mtime_s = mtime >= 0 ? mtime : clock_wall_us() / 1000000;
	}
	finish(&x);
	return st;
}

enum status
peer_get_metadata(struct peer *p, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename,
    const struct peer_limits *limits, struct peer_answer *out,
    struct err *err)
{
	return peer_request(p, a, "GET", str_fmt(a, "%s.metadata",
	    file_path(a, "/packages/", blake2b_256, filename).p), STR(""),
	    limits, out, err);
}

/* ---- answers of "name value" lines ----------------------------------- */

/* The value on the line of this name; empty when there is none. */
static struct str
value_of(struct str answer, struct str name)
{
	struct str line, key, value;

	while (answer.n) {
		str_cut(answer, '\n', &line, &answer);
		str_cut(line, ' ', &key, &value);
		if (str_eq(key, name))
			return value;
	}
	return STR("");
}

static enum status
read_copy(struct str answer, struct peer_copy *out, struct err *err)
{
	struct str metadata = value_of(answer, STR("metadata"));

	*out = (struct peer_copy){
		.is_damaged = str_eq(value_of(answer, STR("is")),
		    STR("damaged")),
		.has_metadata = metadata.n > 0,
	};
	if (str_int64(value_of(answer, STR("size")), 0, INT64_MAX,
	    &out->size) != OK ||
	    str_int64(value_of(answer, STR("mtime")), INT64_MIN, INT64_MAX,
	    &out->mtime_s) != OK ||
	    (out->has_metadata &&
	    !digest_read_hex(metadata, out->metadata_sha256,
	    sizeof(out->metadata_sha256))))
		return err_set(err, UNAVAILABLE, "the other machine says "
		    "something else of a file than this version knows");
	return OK;
}

enum status
peer_look(struct peer *p, struct arena *a,
    const unsigned char blake2b_256[32], struct str filename, bool read_it,
    struct peer_copy *out, struct peer_answer *answer, struct err *err)
{
	struct peer_limits limits = PEER_SMALL;
	enum status st;

	if (p && read_it) {
		limits.think_ms = p->config->upload_limit_bytes /
		    DISK_BYTES_PER_MS;
		limits.total_ms = 0;
	}
	st = peer_request(p, a, "GET", str_fmt(a, "%s%s", file_path(a,
	    "/-/peer/packages/", blake2b_256, filename).p,
	    read_it ? "?read=1" : ""), STR(""), &limits, answer, err);
	return st == OK ? read_copy(answer->body, out, err) : st;
}

enum status
peer_ping(struct peer *p, struct arena *a, struct str *node,
    struct str *version, struct peer_answer *answer, struct err *err)
{
	const struct peer_limits limits = PEER_SMALL;
	enum status st;

	st = peer_request(p, a, "GET", STR("/-/peer/"), STR(""), &limits,
	    answer, err);
	if (st != OK)
		return st;
	*node = value_of(answer->body, STR("node"));
	*version = value_of(answer->body, STR("version"));
	return OK;
}
