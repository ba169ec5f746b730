/*
 * mime: parameters of a header field, `form-data; name="content"; ...`.
 *
 * RFC 2045 section 5.1 and RFC 9110 section 5.6.6, read as strictly as real
 * upload clients allow.
 */
#ifndef HTTP_MIME_H
#define HTTP_MIME_H

#include <stdbool.h>

#include "base/str.h"

struct mime_param {
	struct str name;	/* "filename", or "filename*" */
	struct str value;	/* as sent; without its quotes */
	bool quoted;
};

/* Take what stands before the first ';' off a field value; trimmed. */
struct str mime_main(struct str *field);

/*
 * Take the next parameter off what mime_main() left.  NOT_FOUND at the end,
 * INVALID for what is no parameter.  Empty ones (";;") are passed over.
 */
MUST_USE enum status mime_next(struct str *field, struct mime_param *out);

/*
 * A parameter's text, written into memory of value.n bytes.  In quotes, \" is
 * a quote and \\ a backslash; another backslash stays, because browsers never
 * escaped it (and Python's cgi.parse_header agrees).
 */
struct str mime_text(const struct mime_param *param, char *into);

/*
 * The text of a parameter whose name ends in '*' (RFC 8187), alike.  INVALID
 * unless its charset is UTF-8 and its escapes are whole.
 */
MUST_USE enum status mime_extended(const struct mime_param *param,
    char *into, struct str *out);

#endif
