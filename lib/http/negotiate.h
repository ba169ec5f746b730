/*
 * negotiate: which form of an answer does this client want?
 *
 * RFC 9110 section 12.5, PEP 691.  The arguments are header fields as
 * received, of any bytes; an empty one counts as absent.
 */
#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum simple_format {
	SIMPLE_HTML,	/* text/html */
	SIMPLE_V1_HTML,	/* application/vnd.pypi.simple.v1+html */
	SIMPLE_V1_JSON,	/* application/vnd.pypi.simple.v1+json */
};

/*
 * Choose among types for an Accept field.  The highest q wins, the earlier
 * type on a tie; a type's q is that of the most specific range naming it, and
 * 0 excludes it (RFC 9110 section 12.5.1).  Parameters other than q are
 * passed over, and so are members of the list that cannot be read.  *chosen
 * is an index into types.
 *
 * Without a field, or with one of which nothing can be read, the first type.
 * INVALID, and *chosen untouched, when the client accepts none of them.
 */
MUST_USE enum status negotiate_type(struct str accept,
    const struct str *types, size_t n, size_t *chosen);

/*
 * Choose the form of a page of the simple API.  format_param is the query
 * parameter `format`, as request_query_plus() gives it, or empty: if it is one
 * of our types it beats Accept, else it is ignored.  "latest" for "v1" is
 * understood in both.  Ties go to text/html, then to v1+html.
 *
 * No Accept, or one that cannot be read, gets text/html.  INVALID stands for
 * 406: a well-formed Accept of which none fits, as PEP 691 recommends.  None
 * of the known installers and mirrors sends such a one.
 */
MUST_USE enum status negotiate_simple(struct str accept,
    struct str format_param, enum simple_format *chosen);

/* The Content-Type to answer with. */
struct str simple_format_type(enum simple_format format);

/*
 * May and should the answer be gzipped?  Not without Accept-Encoding, not
 * with gzip;q=0, and not when identity is named with a higher q.  A "*"
 * stands for gzip where gzip is not named (RFC 9110 section 12.5.3).
 */
bool negotiate_gzip(struct str accept_encoding);

/*
 * Does If-None-Match name this entity tag?  Weak comparison (RFC 9110 section
 * 13.1.2); "*" matches any.  etag is as in an ETag field, quotes included;
 * an empty one matches nothing.
 */
bool etag_matches(struct str if_none_match, struct str etag);

#endif
