/*
 * log: lines on standard error, for journald or the local instance.
 *
 *	struct log log = log_new(STR("simple"), config.log_level);
 *	log_say(&log, LEVEL_INFO, "serving with %d workers", n);
 *
 *	struct log_line line = log_line(&log, LEVEL_INFO);
 *	log_str(&line, "project", project.name);
 *	log_int(&line, "files", files.n);
 *	log_end(&log, &line);
 *
 * A line is key=value pairs with spaces between them, program and level
 * first, and goes out in one write:
 *
 *	program=simple level=info id=5f2c method=GET route=simple_project
 *	path=/simple/pip/ status=200 ms=0.312 rows=- cache=hit user=- ...
 *
 * Values cannot forge a field or a line: anything but letters, digits and
 * plain punctuation puts the value into double quotes, in which \" and \\ are
 * those characters and \xNN is a byte: of control characters (also C1, line
 * separators and those that change the direction of text) and of what is not
 * UTF-8.  An absent value is a bare -.
 *
 * Callers see to it that no secret comes here: no Authorization, no body, no
 * query string.  lib/ has no other place that logs; only main programs and
 * the request loop call this.
 */
#ifndef IO_LOG_H
#define IO_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "io/config.h"

#define LOG_LINE_BYTES	4096	/* PIPE_BUF: writes of up to this size are
				 * whole, whoever else writes */
#define LOG_VALUE_BYTES	400	/* of one value; the rest becomes "..." */

struct log {
	struct str program;
	enum config_log_level level;	/* what is less urgent is left out */
	int fd;
};

/* A line under way.  What does not fit is left out. */
struct log_line {
	char text[LOG_LINE_BYTES];
	size_t n;
	bool is_silent;		/* below the log's level */
};

/* What there is to say about one request. */
struct log_request {
	struct str id;		/* nginx's $request_id */
	struct str method;
	struct str route;	/* name of the handler */
	struct str path;	/* without query */
	int status;		/* of HTTP */
	int64_t us;		/* from the first parameter to the last byte */
	int64_t rows;		/* from the database; -1: not asked */
	struct str cache;	/* "hit", "miss" or empty */
	struct str user;
	struct str project;
	int64_t serial;		/* that was revealed or made; 0: none */
	int64_t bytes;		/* of the answer's body */
	struct str err;		/* why it failed, empty if it did not */
	struct str peer;	/* "ok", or "missing: " and why; empty where
				 * there is no other machine: no such pair */
};

/* A log on standard error. */
struct log log_new(struct str program, enum config_log_level level);

/* Begin a line, add pairs to it, send it.  Keys are our own plain words. */
struct log_line log_line(const struct log *log, enum config_log_level level);
void log_str(struct log_line *line, const char *key, struct str value);
void log_int(struct log_line *line, const char *key, int64_t value);
void log_end(const struct log *log, struct log_line *line);

/* One line with a text as msg="...", for starts, ends and failures. */
void log_say(const struct log *log, enum config_log_level level,
    const char *fmt, ...) PRINTF(3, 4);

/*
 * The line of one request: LEVEL_ERROR from status 500 upwards except 503,
 * which is LEVEL_WARNING, else LEVEL_INFO.
 */
void log_request(const struct log *log, const struct log_request *request);

#endif
