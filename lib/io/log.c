#include "io/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

#define TAIL_BYTES	8	/* kept free for ..." and the line's end */

struct log
log_new(struct str program, enum config_log_level level)
{
	return (struct log){ program, level, STDERR_FILENO };
}

/* Append all of it or nothing. */
static bool
put(struct log_line *line, struct str bytes)
{
	if (bytes.n > sizeof(line->text) - TAIL_BYTES - line->n)
		return false;
	memcpy(line->text + line->n, bytes.p, bytes.n);
	line->n += bytes.n;
	return true;
}

static bool
is_plain(char c)
{
	return is_alnum(c) || (c && strchr("/._:+@%~,;()[]*!?&|^$<>{}#'-", c));
}

/* Characters that move the cursor, end a line, or turn text around. */
static bool
is_deceptive(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static bool
put_bytes_escaped(struct log_line *line, struct str bytes)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		char code[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

		if (!put(line, (struct str){ code, sizeof(code) }))
			return false;
	}
	return true;
}

/* The first character of text; *n is how many bytes it took. */
static bool
put_char(struct log_line *line, struct str text, size_t *n)
{
	uint32_t c;

	*n = utf8_next(text, &c);
	if (*n == 0) {
		*n = 1;
		return put_bytes_escaped(line, str_sub(text, 0, 1));
	}
	if (c == '"' || c == '\\') {
		char code[2] = { '\\', (char)c };

		return put(line, (struct str){ code, sizeof(code) });
	}
	if (is_deceptive(c))
		return put_bytes_escaped(line, str_sub(text, 0, *n));
	return put(line, str_sub(text, 0, *n));
}

static void
put_quoted(struct log_line *line, struct str value)
{
	size_t i = 0, n;

	if (!put(line, STR("\"")))
		return;
	while (i < value.n && i < LOG_VALUE_BYTES &&
	    put_char(line, str_sub(value, i, value.n), &n))
		i += n;
	/* TAIL_BYTES has room for these. */
	if (i < value.n) {
		memcpy(line->text + line->n, "...", 3);
		line->n += 3;
	}
	line->text[line->n++] = '"';
}

static void
put_value(struct log_line *line, struct str value)
{
	bool plain = value.n <= LOG_VALUE_BYTES && !str_eq(value, STR("-"));

	for (size_t i = 0; i < value.n && plain; i++)
		plain = is_plain(value.p[i]);
	if (value.n == 0)
		put(line, STR("-"));
	else if (!plain || !put(line, value))
		put_quoted(line, value);
}

struct log_line
log_line(const struct log *log, enum config_log_level level)
{
	static const char *const names[] = {
		[LEVEL_ERROR] = "error", [LEVEL_WARNING] = "warning",
		[LEVEL_INFO] = "info", [LEVEL_DEBUG] = "debug",
	};
	struct log_line line;

	line.n = 0;
	line.is_silent = level > log->level;
	put(&line, STR("program="));
	put_value(&line, log->program);
	log_str(&line, "level", str_c(names[level]));
	return line;
}

/*
 * " key=" and room for a value, or nothing: a full line must not end in
 * half a pair.
 */
static bool
put_key(struct log_line *line, const char *key)
{
	size_t before = line->n;

	if (line->is_silent)
		return false;
	if (put(line, STR(" ")) && put(line, str_c(key)) &&
	    put(line, STR("=")) &&
	    line->n + 32 < sizeof(line->text) - TAIL_BYTES)
		return true;
	line->n = before;
	return false;
}

void
log_str(struct log_line *line, const char *key, struct str value)
{
	if (put_key(line, key))
		put_value(line, value);
}

void
log_int(struct log_line *line, const char *key, int64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%lld", (long long)value);

	if (put_key(line, key))
		put(line, (struct str){ digits, (size_t)n });
}

void
log_end(const struct log *log, struct log_line *line)
{
	if (line->is_silent)
		return;
	line->text[line->n++] = '\n';
	/* Whoever should hear of a failure to log reads this log. */
	if (write(log->fd, line->text, line->n) == -1)
		return;
}

void
log_say(const struct log *log, enum config_log_level level, const char *fmt,
    ...)
{
	struct log_line line = log_line(log, level);
	char text[ERR_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_str(&line, "msg", str_c(text));
	log_end(log, &line);
}

static void
log_ms(struct log_line *line, const char *key, int64_t us)
{
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%lld.%03d",
	    (long long)(us / 1000), (int)(us % 1000));

	log_str(line, key, (struct str){ digits, (size_t)n });
}

/* A number, or - where it means none. */
static void
log_int_unless(struct log_line *line, const char *key, int64_t value,
    int64_t none)
{
	if (value == none)
		log_str(line, key, STR(""));
	else
		log_int(line, key, value);
}

static enum config_log_level
level_of(int status)
{
	if (status == 503)
		return LEVEL_WARNING;
	return status >= 500 ? LEVEL_ERROR : LEVEL_INFO;
}

void
log_request(const struct log *log, const struct log_request *request)
{
	struct log_line line = log_line(log, level_of(request->status));

	log_str(&line, "id", request->id);
	log_str(&line, "method", request->method);
	log_str(&line, "route", request->route);
	log_str(&line, "path", request->path);
	log_int(&line, "status", request->status);
	log_ms(&line, "ms", request->us < 0 ? 0 : request->us);
	log_int_unless(&line, "rows", request->rows, -1);
	log_str(&line, "cache", request->cache);
	log_str(&line, "user", request->user);
	log_str(&line, "project", request->project);
	log_int_unless(&line, "serial", request->serial, 0);
	log_int(&line, "bytes", request->bytes);
	log_str(&line, "err", request->err);
	if (request->peer.n)
		log_str(&line, "peer", request->peer);
	log_end(log, &line);
}
