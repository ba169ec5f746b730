/*
 * request: one HTTP request, as the CGI parameters of nginx describe it.
 *
 *	struct request rq;
 *
 *	st = request_init(&rq, arena, env, &err);
 *	rq.body_source = source;
 *	rq.body_read = read_from_source;
 *
 * This floor does not know FastCGI: parameters come as an array of
 * "NAME=value" words and the body through a callback.  Parameters that are
 * read: REQUEST_METHOD, REQUEST_URI, REQUEST_SCHEME, REQUEST_ID, REMOTE_ADDR,
 * CONTENT_TYPE, CONTENT_LENGTH, HTTP_HOST, HTTP_ACCEPT,
 * HTTP_ACCEPT_ENCODING, HTTP_AUTHORIZATION, HTTP_IF_NONE_MATCH and
 * HTTP_USER_AGENT.  The query is taken from REQUEST_URI, which nobody has
 * decoded or rewritten on the way.
 *
 * Ownership: path, arg and what request_query() gives lie in the arena, all
 * other views in env, which must live as long as the request.
 *
 * Texts are as the client sent them, less nothing: only path is known to be
 * UTF-8.  Whoever logs or shows one escapes it there.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

struct arena;

#define REQUEST_URI_MAX		8192	/* bytes; nginx's own default */
#define REQUEST_HEADER_MAX	16384	/* bytes of one header field */
#define REQUEST_ARGS		4

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_OTHER,
};

struct request {
	struct arena *arena;
	enum method method;
	struct str path;	/* percent-decoded once; begins with '/' */
	struct str raw_path;	/* as sent, without the query */
	struct str query;	/* as sent, without '?' */
	struct str content_type;
	struct str accept;
	struct str accept_encoding;
	struct str authorization;
	struct str if_none_match;
	struct str user_agent;
	struct str id;		/* nginx's $request_id, for the log */
	struct str remote_addr;
	struct str host;	/* the Host field, maybe with a port */
	struct str scheme;	/* "http" or "https" */
	int64_t content_length;	/* bytes; -1 when the client gave none */

	/* Filled by route_find(). */
	const char *route;	/* the pattern that matched, or NULL */
	struct str arg[REQUEST_ARGS];	/* its <> and * parts, decoded */

	/*
	 * Where the body comes from: read up to n bytes; the count, 0 at the
	 * end, or -1 when there will be no more.  NULL means no body.
	 */
	void *body_source;
	ssize_t (*body_read)(void *source, void *into, size_t n);
	int64_t body_got;	/* bytes read so far */
};

/*
 * Fill rq from CGI parameters; env ends with NULL.  INVALID when there is no
 * method or no path, when the path is not UTF-8 after decoding, holds a NUL,
 * a broken escape or a "." or ".." segment, when Content-Length is not a
 * number, or when something is over the limits above.  An escaped slash
 * counts as a slash, as it does for nginx.  Source: RFC 3875, RFC 3986.
 * Also after a failure rq->arena, method, accept and id are set, so that
 * respond_error() can be called.
 */
MUST_USE enum status request_init(struct request *rq, struct arena *arena,
    const char *const *env, struct err *err);

/*
 * The first value of a query parameter, decoded as a form: %XX, and '+' for a
 * space.  Empty when absent, or when it is not UTF-8 or holds a NUL.
 */
struct str request_query(const struct request *rq, struct str name);

/*
 * The same with every '+' left alone.  For parameters whose values are media
 * types: clients send ?format=application/vnd.pypi.simple.v1+json with a bare
 * '+' (PEP 691).
 */
struct str request_query_plus(const struct request *rq, struct str name);

/*
 * Read more of the body: the count, 0 at the end, -1 when the client went
 * away or sent less than its Content-Length.  Never gives more than that.
 */
long request_body_read(struct request *rq, void *into, size_t n);

#endif
