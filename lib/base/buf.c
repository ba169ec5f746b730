#include "base/buf.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/panic.h"
#include "base/utf8.h"

#define BUF_FIRST	((size_t)128)		/* bytes; a URL fits */
#define BUF_MAX		((size_t)1 << 30)	/* bytes; larger is a bug */

static const char lower_hex[] = "0123456789abcdef";
static const char upper_hex[] = "0123456789ABCDEF";

struct buf
buf_new(struct arena *arena)
{
	return (struct buf){ .arena = arena };
}

/* Leave room for n more bytes and the NUL. */
static void
make_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;

	if (n < b->cap - b->len)
		return;
	if (n > BUF_MAX - b->len)
		panic("%zu more bytes on top of %zu", n, b->len);
	while (cap <= b->len + n)
		cap *= 2;
	b->bytes = arena_grow(b->arena, b->bytes, b->cap, cap);
	b->cap = cap;
}

void
buf_put(struct buf *b, struct str bytes)
{
	if (bytes.n == 0)
		return;
	make_room(b, bytes.n);
	memcpy(b->bytes + b->len, bytes.p, bytes.n);
	b->len += bytes.n;
	b->bytes[b->len] = '\0';
}

void
buf_byte(struct buf *b, char c)
{
	buf_put(b, (struct str){ &c, 1 });
}

void
buf_int(struct buf *b, int64_t value)
{
	char digits[20];	/* 19 for INT64_MIN, and its sign */
	size_t at = sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		digits[--at] = '-';
	buf_put(b, (struct str){ digits + at, sizeof(digits) - at });
}

void
buf_hex(struct buf *b, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		buf_byte(b, lower_hex[p[i] >> 4]);
		buf_byte(b, lower_hex[p[i] & 15]);
	}
}

static const char *
html_entity(char c)
{
	switch (c) {
	case '&':  return "&amp;";
	case '<':  return "&lt;";
	case '>':  return "&gt;";
	case '"':  return "&quot;";
	case '\'': return "&#39;";
	default:   return NULL;
	}
}

/* How many bytes from i on need no escaping. */
static size_t
html_plain(struct str text, size_t i)
{
	static const bool special[256] = {
		['&'] = true, ['<'] = true, ['>'] = true, ['"'] = true,
		['\''] = true,
	};
	size_t end = i;

	while (end < text.n && !special[(unsigned char)text.p[end]])
		end++;
	return end - i;
}

void
buf_html(struct buf *b, struct str text)
{
	size_t i = 0;

	for (;;) {
		size_t n = html_plain(text, i);

		buf_put(b, str_sub(text, i, i + n));
		i += n;
		if (i == text.n)
			return;
		buf_put(b, str_c(html_entity(text.p[i++])));
	}
}

/* XML 1.0 production [2], less what needs an entity. */
static bool
is_xml_char(uint32_t c)
{
	return c == '\t' || c == '\n' || (c >= 0x20 && c < 0xfffe) ||
	    c > 0xffff;
}

void
buf_xml(struct buf *b, struct str text)
{
	size_t start = 0;	/* of the stretch that needs no escaping */
	size_t i = 0;

	while (i < text.n) {
		const char *entity = html_entity(text.p[i]);
		uint32_t c;
		size_t n = utf8_next(str_sub(text, i, text.n), &c);

		if (c == '\r')
			entity = "&#13;";
		if (n == 0 || entity || !is_xml_char(c)) {
			buf_put(b, str_sub(text, start, i));
			if (n && entity)
				buf_put(b, str_c(entity));
			start = i + (n ? n : 1);
		}
		i += n ? n : 1;
	}
	buf_put(b, str_sub(text, start, text.n));
}

/* RFC 3986 section 2.3.  isalnum() would ask the locale. */
static bool
is_unreserved(char c)
{
	return is_alnum(c) || (c && strchr("-._~", c));
}

void
buf_url(struct buf *b, struct str segment)
{
	for (size_t i = 0; i < segment.n; i++) {
		unsigned char c = (unsigned char)segment.p[i];
		char code[3] = { '%', upper_hex[c >> 4], upper_hex[c & 15] };

		if (is_unreserved(segment.p[i]))
			buf_put(b, str_sub(segment, i, i + 1));
		else
			buf_put(b, (struct str){ code, sizeof(code) });
	}
}

char *
buf_room(struct buf *b, size_t n)
{
	make_room(b, n);
	return b->bytes + b->len;
}

void
buf_wrote(struct buf *b, size_t n)
{
	if (n >= b->cap - b->len)
		panic("%zu bytes written into room for %zu", n,
		    b->cap - b->len);
	b->len += n;
	b->bytes[b->len] = '\0';
}

struct str
buf_view(const struct buf *b)
{
	return b->len ? (struct str){ b->bytes, b->len } : STR("");
}
