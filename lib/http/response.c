#include "http/response.h"

#include <sodium.h>
#include <string.h>

#include "base/arena.h"
#include "base/panic.h"

#define ETAG_BYTES	16	/* of BLAKE2b: no accident makes two alike */

void
response_init(struct response *rs, struct arena *arena)
{
	*rs = (struct response){ .arena = arena, .body = buf_new(arena) };
}

/* RFC 9110 section 5.6.2. */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == '\0' ||
		    !strchr("!#$%&'*+-.^_`|~", s.p[i])))
			return false;
	return s.n > 0;
}

/* A copy without the bytes that keep() does not want. */
static struct str
only(struct arena *a, struct str s, bool (*keep)(char))
{
	char *copy = str_z(a, s);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (keep(s.p[i]))
			copy[n++] = s.p[i];
	return (struct str){ copy, n };
}

static bool
is_field_byte(char c)
{
	return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

static bool
is_tag_byte(char c)
{
	return c > ' ' && c < 0x7f && c != '"';
}

/* The field of this name, or the place behind the last. */
static struct header *
header_place(struct response *rs, struct str name)
{
	size_t i = 0;

	while (i < rs->headers && !str_eq_nocase(rs->header[i].name, name))
		i++;
	return &rs->header[i];
}

void
header_put(struct response *rs, struct str name, struct str value)
{
	struct header *place = header_place(rs, name);

	if (!is_token(name))
		panic("bad header name \"%.*s\"", STR_ARG(name));
	if (place == &rs->header[RESPONSE_HEADERS])
		panic("over %d header fields", RESPONSE_HEADERS);
	if (place == &rs->header[rs->headers])
		rs->headers++;
	place->name = str_dup(rs->arena, name);
	place->value = only(rs->arena, str_trim(value), is_field_byte);
}

void
header_drop(struct response *rs, struct str name)
{
	struct header *place = header_place(rs, name);

	if (place < &rs->header[rs->headers])
		*place = rs->header[--rs->headers];
}

struct str
header_get(const struct response *rs, struct str name)
{
	for (size_t i = 0; i < rs->headers; i++)
		if (str_eq_nocase(rs->header[i].name, name))
			return rs->header[i].value;
	return STR("");
}

void
response_etag(struct response *rs)
{
	struct buf hex = buf_new(rs->arena);
	unsigned char hash[ETAG_BYTES];
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	/* The closing NUL keeps type and body apart. */
	crypto_generichash_update(&state,
	    (const unsigned char *)str_z(rs->arena, rs->type), rs->type.n + 1);
	crypto_generichash_update(&state,
	    (const unsigned char *)buf_view(&rs->body).p, rs->body.len);
	crypto_generichash_final(&state, hash, sizeof(hash));
	buf_hex(&hex, hash, sizeof(hash));
	response_etag_put(rs, buf_view(&hex));
}

void
response_etag_put(struct response *rs, struct str tag)
{
	struct buf quoted = buf_new(rs->arena);

	buf_byte(&quoted, '"');
	buf_put(&quoted, only(rs->arena, tag, is_tag_byte));
	buf_byte(&quoted, '"');
	header_put(rs, STR("ETag"), buf_view(&quoted));
}
