/*
 * buf: an append-only byte buffer in an arena.
 *
 * Every page and every JSON document we send is built in one of these.
 * Appending cannot fail, so callers write what they mean and check nothing:
 *
 *	struct buf page = buf_new(rq->arena);
 *	buf_put(&page, STR("<td>"));
 *	buf_html(&page, file.name);
 *	buf_put(&page, STR("</td>"));
 *
 * One appender per output language: text that came from outside goes in
 * through the one that matches its surroundings, and through no other.
 * (JSON has base/json, which writes through this.)
 *
 * Ownership: the arena owns the bytes.  A view is good until the next append
 * to the same buffer or until the arena is reset, whichever comes first.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

struct buf {
	struct arena *arena;
	char *bytes;	/* NULL while cap is 0 */
	size_t len;	/* bytes written, not counting the closing NUL */
	size_t cap;	/* bytes allocated; 0, or greater than len */
};

/* An empty buffer.  Takes no memory before the first append. */
struct buf buf_new(struct arena *arena);

/* Append bytes as they are: our own words, or text already escaped. */
void buf_put(struct buf *b, struct str bytes);

/* Append one byte. */
void buf_byte(struct buf *b, char c);

/* Append a number in decimal. */
void buf_int(struct buf *b, int64_t value);

/* Append bytes in lower-case hexadecimal. */
void buf_hex(struct buf *b, const void *bytes, size_t n);

/*
 * Append text as HTML: element content, or an attribute value in quotes.
 * Escapes & < > " and '.  Not for <script>, <style> or unquoted attributes.
 * Source: HTML Living Standard, "Escaping a string"; the ' is our addition.
 */
void buf_html(struct buf *b, struct str text);

/*
 * Append text as XML 1.0: element content, or an attribute value in quotes.
 * Escapes as buf_html() does, writes CR as &#13;, and leaves out what XML 1.0
 * cannot hold in any form: the other control characters, surrogates, U+FFFE
 * and U+FFFF, and bytes that are not UTF-8 (production [2] Char).
 */
void buf_xml(struct buf *b, struct str text);

/*
 * Append one path segment of a URL; a '/' in it comes out as %2F.
 * Keeps the unreserved set of RFC 3986 section 2.3 and encodes every other
 * byte, so the result needs no further escaping inside HTML or JSON.
 */
void buf_url(struct buf *b, struct str segment);

/* Room for n more bytes, to be written at the returned place by the caller;
 * buf_wrote() then says how many of them were.  For read() and compressors. */
char *buf_room(struct buf *b, size_t n);
void buf_wrote(struct buf *b, size_t n);

/* What was written so far, followed by a NUL that .n does not count. */
struct str buf_view(const struct buf *b);

#endif
