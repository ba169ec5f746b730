#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Make text one printable line of whole UTF-8 characters. */
static void
tidy(char *text)
{
	size_t n = strlen(text);
	size_t tail = n;

	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	if (n < ERR_TEXT_BYTES - 1)
		return;
	while (tail > 0 && ((unsigned char)text[tail - 1] & 0xc0) == 0x80)
		tail--;
	if (tail > 0 && (unsigned char)text[tail - 1] >= 0xc0)
		text[tail - 1] = '\0';
}

enum status
err_set(struct err *err, enum status code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	tidy(err->text);
	return code;
}

enum status
err_errno(struct err *err, const char *fmt, ...)
{
	char what[ERR_TEXT_BYTES];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, UNAVAILABLE, "%s: %s", what, strerror(saved));
}

const char *
status_name(enum status code)
{
	static const char *const names[] = {
		[OK] = "OK", [NOT_FOUND] = "NOT_FOUND", [INVALID] = "INVALID",
		[UNKNOWN_CALLER] = "UNKNOWN_CALLER", [DENIED] = "DENIED",
		[CONFLICT] = "CONFLICT", [TOO_LARGE] = "TOO_LARGE",
		[GONE] = "GONE", [UNAVAILABLE] = "UNAVAILABLE",
	};

	return names[code];
}
