/*
 * Fuzz http/credential and base64.  The input is an Authorization field; it is
 * tried as it is, and in base64 behind "Basic".
 *
 * Laws: results are text without control characters and within their bounds;
 * what base64 accepts is the one spelling of its bytes; encoded credentials
 * come back as they were.
 */
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "http/base64.h"
#include "http/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool law, const char *what)
{
	if (!law)
		panic("broken law: %s", what);
}

static struct str
encode(struct arena *a, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf out = buf_new(a);

	for (size_t i = 0; i < s.n; i += 3) {
		unsigned three = 0;

		for (size_t k = 0; k < 3; k++)
			three = three << 8 | (i + k < s.n ?
			    (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_byte(&out, k <= s.n - i ?
			    digits[three >> (18 - 6 * k) & 63] : '=');
	}
	return buf_view(&out);
}

static void
check_text(struct str s, size_t max)
{
	must(utf8_is_valid(s), "UTF-8");
	/* ISO-8859-1 may have doubled it */
	must(s.n <= max, "bounds");
	for (size_t i = 0; i < s.n; i++)
		must((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f,
		    "no control characters");
}

static enum status
check_field(struct arena *a, struct str field, struct credential *c)
{
	struct err err = { .code = OK };
	enum status st = credential_parse(a, field, c, &err);

	must(st == OK || (st == UNKNOWN_CALLER && err.text[0]), "status");
	if (st != OK)
		return st;
	check_text(c->user, CREDENTIAL_USER_MAX);
	check_text(c->secret, CREDENTIAL_SECRET_MAX);
	must((c->kind == CREDENTIAL_PASSWORD) == (c->user.n > 0), "a user");
	must(c->kind != CREDENTIAL_TOKEN || c->secret.n > 0, "a token");
	return OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)16 << 20);
	struct str text = { (const char *)data, size }, user, secret, out;
	struct str encoded = encode(a, text);
	struct credential c;
	struct buf field = buf_new(a);

	(void)!check_field(a, text, &c);
	if (base64_decode(a, text, &out) == OK)
		must(str_eq(encode(a, out), text), "one spelling");
	must(base64_decode(a, encoded, &out) == OK && str_eq(out, text),
	    "decode after encode");
	buf_put(&field, STR("Basic "));
	buf_put(&field, encoded);
	if (check_field(a, buf_view(&field), &c) == OK &&
	    c.kind == CREDENTIAL_PASSWORD && utf8_is_valid(text)) {
		str_cut(text, ':', &user, &secret);
		must(str_eq(c.user, user) && str_eq(c.secret, secret),
		    "credentials come back");
	}
	arena_free(a);
	return 0;
}
