#include "http/credential.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "http/base64.h"

/* Longest field that can be right: both parts, encoded, and the scheme. */
#define FIELD_MAX \
	((size_t)(CREDENTIAL_USER_MAX + CREDENTIAL_SECRET_MAX) * 4 / 3 + 32)

/* C0, DEL and, as RFC 7617 section 2 has it, nothing else. */
static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

/* UTF-8 as it is, anything else read as ISO-8859-1. */
static struct str
as_utf8(struct arena *a, struct str s)
{
	struct buf out = buf_new(a);

	if (utf8_is_valid(s))
		return s;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x80)
			buf_byte(&out, (char)(0xc0 | c >> 6));
		buf_byte(&out, (char)(c < 0x80 ? c : 0x80 | (c & 0x3f)));
	}
	return buf_view(&out);
}

static enum status
take_token(struct str text, struct credential *out, struct err *err)
{
	text = str_trim(text);
	if (text.n == 0)
		return err_set(err, UNKNOWN_CALLER, "the API token is empty");
	if (text.n > CREDENTIAL_SECRET_MAX)
		return err_set(err, UNKNOWN_CALLER, "the API token is over "
		    "%d bytes", CREDENTIAL_SECRET_MAX);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f)
			return err_set(err, UNKNOWN_CALLER, "the API token "
			    "has a character that no token has");
	*out = (struct credential){ .kind = CREDENTIAL_TOKEN, .secret = text };
	return OK;
}

static enum status
take_password(struct str user, struct str secret, struct credential *out,
    struct err *err)
{
	if (user.n == 0)
		return err_set(err, UNKNOWN_CALLER, "the user name is empty");
	if (user.n > CREDENTIAL_USER_MAX || secret.n > CREDENTIAL_SECRET_MAX)
		return err_set(err, UNKNOWN_CALLER, "user name or password "
		    "is too long");
	if (has_control(user) || has_control(secret))
		return err_set(err, UNKNOWN_CALLER, "user name or password "
		    "has a control character in it");
	*out = (struct credential){
		.kind = CREDENTIAL_PASSWORD, .user = user, .secret = secret,
	};
	return OK;
}

static enum status
parse_basic(struct arena *arena, struct str encoded, struct credential *out,
    struct err *err)
{
	struct str text, user, secret;

	if (base64_decode(arena, encoded, &text) != OK)
		return err_set(err, UNKNOWN_CALLER, "the Authorization "
		    "header is not well-formed base64");
	if (!str_cut(as_utf8(arena, text), ':', &user, &secret))
		return err_set(err, UNKNOWN_CALLER, "the Authorization "
		    "header has no password");
	if (str_eq(user, STR("__token__")))
		return take_token(secret, out, err);
	return take_password(user, secret, out, err);
}

enum status
credential_parse(struct arena *arena, struct str authorization,
    struct credential *out, struct err *err)
{
	struct str scheme, rest;

	authorization = str_trim(authorization);
	if (authorization.n == 0) {
		*out = (struct credential){ .kind = CREDENTIAL_NONE };
		return OK;
	}
	if (authorization.n > FIELD_MAX)
		return err_set(err, UNKNOWN_CALLER, "the Authorization "
		    "header is over %zu bytes", FIELD_MAX);
	str_cut(authorization, ' ', &scheme, &rest);
	rest = str_trim(rest);
	if (str_eq_nocase(scheme, STR("Basic")))
		return parse_basic(arena, rest, out, err);
	if (str_eq_nocase(scheme, STR("Bearer")) ||
	    str_eq_nocase(scheme, STR("token")))
		return take_token(rest, out, err);
	return err_set(err, UNKNOWN_CALLER, "only Basic and Bearer "
	    "authorization are understood");
}
