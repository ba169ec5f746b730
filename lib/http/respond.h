/*
 * respond: turns the outcome of a request into HTTP.
 *
 * Numbers and reason phrases of HTTP, and the bodies of error answers, exist
 * in respond.c and nowhere else.
 *
 *	NOT_FOUND 404		INVALID 400	UNKNOWN_CALLER 401
 *	DENIED 403		GONE 410	TOO_LARGE 413
 *	CONFLICT 409 or 400	UNAVAILABLE 503
 *
 * 401 comes with `WWW-Authenticate: Basic realm="pypi"`: old distutils has
 * this realm built in and sends no password to another.  503 comes with
 * Retry-After.
 *
 * CONFLICT is 409, but 400 where rs->conflict_is_400 is set, as an upload
 * sets it.  `twine upload --skip-existing` of every version takes 400 with
 * "File already exists" in reason or body for "already there"; 409 is known
 * to twine 6.2 and later only, and what is worse, twine, poetry and pdm take
 * *any* 409 for "already there" and would pass over another conflict (a name
 * too close to another's) in silence.
 */
#ifndef HTTP_RESPOND_H
#define HTTP_RESPOND_H

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct findings;
struct request;
struct response;

#define RESPOND_REASON_MAX	200	/* bytes of a reason phrase */
#define RESPOND_CORS_S		"86400"	/* a preflight's answer is kept so long */
#define RESPOND_RETRY_S		"5"	/* Retry-After; pip and poetry wait it */

/*
 * Answer with an error, in place of whatever rs holds by now (header fields
 * stay, but for ETag and Cache-Control).
 *
 * The text is that of the findings; or err's, where there are none or st is
 * not INVALID.  The reason phrase is the first of them: one line of at most
 * RESPOND_REASON_MAX bytes, anything but printable ASCII replaced.  twine,
 * distutils and poetry show nothing else.
 *
 * The body depends on Accept: application/problem+json (RFC 9457; detail is
 * all findings, errors is an array of {source, message}); application/json
 * with Warehouse's message, code and title, where code is "400 text", which
 * uv prints; else text/plain with one finding a line.
 *
 * Of UNAVAILABLE the client learns only that and the request's id: err may
 * name hosts and files (unless rs->is_for_us).  found and err may be NULL.
 */
void respond_error(const struct request *rq, struct response *rs,
    enum status st, const struct err *err, const struct findings *found);

/* 405; methods is a set of ROUTE_... bits for the Allow field. */
void respond_method_not_allowed(const struct request *rq,
    struct response *rs, unsigned methods);

/* 406; the text says which types there are. */
void respond_not_acceptable(const struct request *rq, struct response *rs,
    struct str text);

/*
 * 204 with Allow: the answer to OPTIONS.  What can only be read may be read
 * by scripts of any origin: then it is the answer to their preflight as well.
 */
void respond_options(struct response *rs, unsigned methods);

/* 201: there was none, now there is; type and body stay. */
void respond_created(struct response *rs);

/* 204: done, nothing to say. */
void respond_no_content(struct response *rs);

/*
 * 301.  location is a path of ours, or a whole URL, built with buf_url();
 * it must not begin with two slashes, for that is another host.
 */
void respond_redirect(struct response *rs, struct str location);

/* 304: keeps the header fields, drops type and body (RFC 9110 15.4.5). */
void respond_not_modified(struct response *rs);

/*
 * respond_not_modified() if the client has what rs's ETag names already; says
 * whether it did.
 */
bool respond_conditional(const struct request *rq, struct response *rs);

/* The number that rs answers with: 200 unless something set another. */
int response_code(const struct response *rs);

/*
 * For answers that do not fit in memory: when rs->body is over
 * RESPONSE_SPILL, send it, after the head if that has not gone yet, and empty
 * it.  From then on the answer can no longer become an error.  UNAVAILABLE
 * when the client is gone: stop.
 */
MUST_USE enum status response_spill(struct response *rs, struct err *err);

/*
 * The header block as CGI has it (RFC 3875 section 6): "Status: 200 OK" and
 * the fields, each with CRLF, and an empty line.  Always with
 * Content-Length, except in a 204 and a 304 and before a spilled body: without
 * it nginx chunks, which costs a quarter of the speed.  What follows is
 * rs->body, unless the method was HEAD.
 */
struct str response_head(const struct response *rs, struct arena *arena);

#endif
