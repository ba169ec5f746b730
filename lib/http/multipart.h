/*
 * multipart: reads a multipart/form-data body as it arrives.
 *
 * One pass, one buffer of 64 KB, whatever the size.  What is found goes to a
 * sink, in this order for each part: begin, data (any number of times, pieces
 * of any size, none empty), end.
 *
 *	static const struct multipart_sink sink = {
 *		.begin = form_begin, .data = form_data, .end = form_end,
 *	};
 *	st = multipart_read(rq, &limits, &sink, &form, err);
 *
 * RFC 7578 and RFC 2046, and what 20 years of upload clients made of them:
 * lines end with CRLF or LF, also mixed; text before the first delimiter and
 * behind the last is passed over; spaces may follow a boundary.  A line that
 * merely begins like a delimiter is content.  filename*=utf-8''... (RFC 8187)
 * is understood and beats filename.  Where Python's cgi.FieldStorage accepts
 * a form, this finds the same in it.
 *
 * Refused: a body that ends before the last delimiter, nested multiparts,
 * part headers that are folded, malformed, not UTF-8 or too long, a
 * transfer encoding, parameters given twice, a missing name, a boundary of
 * over 70 bytes or of bytes that RFC 2046 does not allow.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct request;

#define MULTIPART_BUFFER	((size_t)64 << 10)	/* bytes */
#define MULTIPART_HEADER_MAX	((size_t)16 << 10)	/* bytes */

struct multipart_limits {
	size_t fields;		/* parts, files included */
	size_t field_bytes;	/* of one value that is not a file */
	size_t form_bytes;	/* of all values that are not files */
	size_t header_bytes;	/* of one part's header; at most
				 * MULTIPART_HEADER_MAX */
	int64_t total_bytes;	/* of the whole body */
};

/* Views are good until end() returns. */
struct multipart_part {
	struct str name;	/* UTF-8, no control characters, not empty */
	bool is_file;		/* it has a file name, if maybe an empty one */
	struct str filename;	/* as sent: may hold a path; like name */
	struct str type;	/* Content-Type as sent, or empty */
};

/* Whatever is not OK ends multipart_read() with the same status and err. */
struct multipart_sink {
	enum status (*begin)(void *arg, const struct multipart_part *part,
	    struct err *err);
	enum status (*data)(void *arg, struct str bytes, struct err *err);
	enum status (*end)(void *arg, struct err *err);
};

/*
 * The boundary that a Content-Type of multipart/form-data names; in the arena.
 * INVALID for any other type and without a good boundary.
 */
MUST_USE enum status multipart_boundary(struct arena *arena,
    struct str content_type, struct str *boundary, struct err *err);

/*
 * Read rq's body to its end.  INVALID for what is no well-formed form,
 * TOO_LARGE over a limit (over total_bytes by Content-Length: before anything
 * is read), else what the sink said.  After a failure the sink's last part may
 * lack its end(), and part of the body may be unread.
 */
MUST_USE enum status multipart_read(struct request *rq,
    const struct multipart_limits *limits, const struct multipart_sink *sink,
    void *arg, struct err *err);

#endif
