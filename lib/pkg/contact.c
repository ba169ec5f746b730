#include "pkg/contact.h"

#include <string.h>

#include "base/utf8.h"

#define LOCAL_MAX	64	/* bytes, RFC 5321 section 4.5.3.1.1 */
#define DOMAIN_MAX	253	/* bytes, RFC 1035 with the dots written */
#define LABEL_MAX	63	/* bytes, RFC 1035 section 2.3.4 */

static bool
is_beyond_ascii(char c)
{
	return (unsigned char)c >= 0x80;
}

/* The position behind a quoted string that begins at i. */
static size_t
skip_quoted(struct str s, size_t i)
{
	for (i++; i < s.n && s.p[i] != '"'; i++)
		if (s.p[i] == '\\')
			i++;
	return i < s.n ? i + 1 : s.n;
}

struct str
contact_first_email(struct str list)
{
	size_t i = 0;

	while (i < list.n && list.p[i] != ',') {
		if (list.p[i] == '"') {
			i = skip_quoted(list, i);
			continue;
		}
		if (list.p[i] == '<')
			return str_trim(str_sub(list, i + 1,
			    str_find(list, '>', i)));
		i++;
	}
	return str_trim(str_sub(list, 0, i));
}

/* RFC 5322 section 3.2.3, atext; RFC 6531 adds what is beyond ASCII. */
static bool
is_local_part(struct str s)
{
	if (s.n == 0 || s.n > LOCAL_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.') {
			if (i == 0 || i + 1 == s.n || s.p[i - 1] == '.')
				return false;
		} else if (!is_alnum(c) && !is_beyond_ascii(c) &&
		    !(c && strchr("!#$%&'*+-/=?^_`{|}~", c))) {
			return false;
		}
	}
	return true;
}

static bool
is_label(struct str s)
{
	if (s.n == 0 || s.n > LABEL_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !is_beyond_ascii(s.p[i]) &&
		    !(s.p[i] == '-' && i > 0 && i + 1 < s.n))
			return false;
	return true;
}

static bool
is_domain(struct str s)
{
	size_t labels = 0;
	bool more = s.n > 0;

	if (s.n > DOMAIN_MAX)
		return false;
	while (more) {
		struct str label;

		more = str_cut(s, '.', &label, &s);
		if (!is_label(label))
			return false;
		labels++;
	}
	return labels >= 2;
}

bool
contact_email_is_valid(struct str address)
{
	size_t at = str_rfind(address, '@');

	return at < address.n && utf8_is_valid(address) &&
	    is_local_part(str_sub(address, 0, at)) &&
	    is_domain(str_sub(address, at + 1, address.n));
}

static bool
is_url_byte(char c)
{
	return is_beyond_ascii(c) || (c > ' ' && c != 0x7f &&
	    !strchr("\"<>\\", c));
}

/* A name, an IPv4 address, or an IPv6 address in brackets. */
static bool
is_host(struct str s)
{
	bool bracketed = s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']';

	if (bracketed)
		s = str_sub(s, 1, s.n - 1);
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !is_beyond_ascii(s.p[i]) &&
		    !(s.p[i] && strchr(bracketed ? ".:" : ".-_", s.p[i])))
			return false;
	return s.n > 0;
}

static bool
is_port(struct str s)
{
	int64_t port;

	return s.n == 0 || str_int64(s, 0, 65535, &port) == OK;
}

/* [user@]host[:port] */
static bool
is_authority(struct str s)
{
	size_t at = str_rfind(s, '@');
	size_t colon;

	if (at < s.n)
		s = str_sub(s, at + 1, s.n);
	colon = str_find(s, ':', s.n && s.p[0] == '[' ? str_find(s, ']', 0) : 0);
	return is_host(str_sub(s, 0, colon)) &&
	    is_port(str_sub(s, colon + 1, s.n));
}

bool
contact_url_is_web(struct str url)
{
	size_t end, colon = str_find(url, ':', 0);
	struct str scheme = str_sub(url, 0, colon);
	struct str rest = str_sub(url, colon, url.n);

	if (url.n > CONTACT_URL_MAX_BYTES || !utf8_is_valid(url))
		return false;
	if (!str_eq_nocase(scheme, STR("http")) &&
	    !str_eq_nocase(scheme, STR("https")))
		return false;
	if (!str_starts(rest, STR("://")))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (!is_url_byte(url.p[i]))
			return false;
	rest = str_sub(rest, 3, rest.n);
	for (end = 0; end < rest.n; end++)
		if (strchr("/?#", rest.p[end]))
			break;
	return is_authority(str_sub(rest, 0, end));
}
