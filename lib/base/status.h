/*
 * status: how a function that can fail says so.
 *
 * What can fail returns `enum status`, is MUST_USE, and explains itself in a
 * `struct err` that the caller owns.  err_set() and its kin return the status
 * they were given, so that an error is one line:
 *
 *	if (size > limit)
 *		return err_set(err, TOO_LARGE, "file is over %lld bytes", limit);
 *
 * The text is for people: one line, printable, says how to mend it.  It may
 * quote what a client sent; err_set() replaces control bytes, so that it can
 * go into a log line or a reason phrase as it is.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define MUST_USE	__attribute__((warn_unused_result))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

/* What a caller can act on.  http/respond maps each to one HTTP status. */
enum status {
	OK = 0,
	NOT_FOUND,	/* no such thing */
	INVALID,	/* the input is wrong; err says how */
	UNKNOWN_CALLER,	/* no credentials, or wrong ones */
	DENIED,		/* known caller, missing right */
	CONFLICT,	/* the index already holds something against it */
	TOO_LARGE,	/* over a limit that err names */
	GONE,		/* was supported once, or is deleted for good */
	UNAVAILABLE,	/* a service failed; asking again may help */
};

#define ERR_TEXT_BYTES	512

struct err {
	char text[ERR_TEXT_BYTES];	/* one printable line, NUL-terminated */
	enum status code;		/* the status that goes with it */
};

/*
 * Explain a failure; returns code.  err may be NULL where nobody will read
 * it.  Longer texts are cut at ERR_TEXT_BYTES - 1 bytes, between characters.
 */
enum status err_set(struct err *err, enum status code, const char *fmt, ...)
    PRINTF(3, 4);

/* err_set(err, UNAVAILABLE, ...) with ": " and the text of errno added. */
enum status err_errno(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Name of a status, for logs and test output: "OK", "NOT_FOUND", ... */
const char *status_name(enum status code);

#endif
