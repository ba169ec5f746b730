/*
 * response: what a handler fills in, and the request loop sends.
 *
 *	rs->type = STR("text/html; charset=utf-8");
 *	header_put(rs, STR("Vary"), STR("Accept, Accept-Encoding"));
 *	page_simple_project(&rs->body, &project, &files);
 *	response_etag(rs);
 *	respond_conditional(rq, rs);
 *	return OK;
 *
 * A handler that does nothing else answers 200.  Any other number comes from
 * one of the functions of http/respond.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct findings;

#define RESPONSE_HEADERS	24	/* fields; our longest answer has 12 */

struct header {
	struct str name;
	struct str value;
};

struct response {
	struct arena *arena;
	int code;		/* set by http/respond; 0 means success */
	struct str reason;	/* empty: the usual words for the code */
	struct str type;	/* Content-Type; empty: none is sent */
	struct buf body;
	struct header header[RESPONSE_HEADERS];
	size_t headers;

	/* What is wrong with the input, for respond_error(); or NULL. */
	const struct findings *findings;

	/*
	 * Answer CONFLICT with 400 instead of 409.  For the legacy upload
	 * protocol, see http/respond.h.
	 */
	bool conflict_is_400;

	/* Who asks is a machine of ours: it may know why a service failed. */
	bool is_for_us;

	/* For the request loop's log line; handlers fill in what they know. */
	struct {
		struct str user;
		struct str project;
		struct str method;	/* of XML-RPC */
		const char *cache;	/* "hit", "miss", "replica" or NULL */
		struct str peer;	/* the other machine's copy */
		int64_t serial;		/* revealed or made; 0: none */
	} note;

	/* How the request loop sends; see response_spill(). */
	enum status (*send)(void *to, struct str bytes);
	void *send_to;
	bool head_sent;
	bool is_length_unknown;	/* to HEAD, where the body was not made */
	int64_t sent_bytes;	/* of the body, so far */
};

#define RESPONSE_SPILL	((size_t)64 << 10)	/* bytes kept in memory */

/* An empty answer.  Its texts and its body will lie in arena. */
void response_init(struct response *rs, struct arena *arena);

/*
 * Set a header field; one of the same name (any case) is replaced.  Control
 * bytes, CR LF and NUL among them, are left out of the value, so that it
 * cannot begin another field (RFC 9110 section 5.5).  name is ours; a name
 * that is no token is a bug of ours.  Copies the value.  Content-Type and
 * Content-Length are not set with this.
 */
void header_put(struct response *rs, struct str name, struct str value);

/* Take a header field away, if it was set. */
void header_drop(struct response *rs, struct str name);

/* The value of a header field that was set, or empty. */
struct str header_get(const struct response *rs, struct str name);

/*
 * Set a strong ETag that depends on type and body as they are now: 128 bits
 * of BLAKE2b in hex.  A gzipped body therefore has a tag of its own.
 */
void response_etag(struct response *rs);

/*
 * Set a strong ETag known from elsewhere (stored with a page): the text
 * between the quotes.  Bytes that an opaque-tag cannot hold (RFC 9110 section
 * 8.8.3) are left out.
 */
void response_etag_put(struct response *rs, struct str tag);

#endif
