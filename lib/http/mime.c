#include "http/mime.h"

#include <string.h>

#include "http/escape.h"

struct str
mime_main(struct str *field)
{
	size_t end = str_find(*field, ';', 0);
	struct str head = str_trim(str_sub(*field, 0, end));

	*field = str_sub(*field, end, field->n);
	return head;
}

static struct str
skip_space(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_sub(s, 1, s.n);
	return s;
}

/* The position of the quote that ends a quoted string, or s.n. */
static size_t
closing_quote(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			return i;
		if (s.p[i] == '\\' && i + 1 < s.n &&
		    (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			i++;
	}
	return s.n;
}

/* Take the value off field, up to the next ';' or the end. */
static enum status
take_value(struct str *field, struct mime_param *out)
{
	size_t end;

	out->quoted = field->n && field->p[0] == '"';
	if (!out->quoted) {
		end = str_find(*field, ';', 0);
		out->value = str_trim(str_sub(*field, 0, end));
		*field = str_sub(*field, end, field->n);
		return memchr(out->value.p, '"', out->value.n) ? INVALID : OK;
	}
	*field = str_sub(*field, 1, field->n);
	end = closing_quote(*field);
	if (end == field->n)
		return INVALID;
	out->value = str_sub(*field, 0, end);
	*field = skip_space(str_sub(*field, end + 1, field->n));
	return field->n == 0 || field->p[0] == ';' ? OK : INVALID;
}

static bool
is_param_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' &&
		    s.p[i] != '*')
			return false;
	return s.n > 0;
}

enum status
mime_next(struct str *field, struct mime_param *out)
{
	size_t equals;

	*field = skip_space(*field);
	while (field->n && field->p[0] == ';')
		*field = skip_space(str_sub(*field, 1, field->n));
	if (field->n == 0)
		return NOT_FOUND;
	equals = str_find(*field, '=', 0);
	out->name = str_trim(str_sub(*field, 0, equals));
	if (equals == field->n || !is_param_name(out->name))
		return INVALID;
	*field = skip_space(str_sub(*field, equals + 1, field->n));
	return take_value(field, out);
}

struct str
mime_text(const struct mime_param *param, char *into)
{
	struct str raw = param->value;
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		if (param->quoted && raw.p[i] == '\\' && i + 1 < raw.n &&
		    (raw.p[i + 1] == '"' || raw.p[i + 1] == '\\'))
			i++;
		into[n++] = raw.p[i];
	}
	return (struct str){ into, n };
}

enum status
mime_extended(const struct mime_param *param, char *into, struct str *out)
{
	struct str charset, language, text;

	if (!str_cut(param->value, '\'', &charset, &text) ||
	    !str_cut(text, '\'', &language, &text) ||
	    !str_eq_nocase(charset, STR("utf-8")) || !escape_is_valid(text))
		return INVALID;
	*out = (struct str){ into, escape_undo_into(into, text, false) };
	return OK;
}
