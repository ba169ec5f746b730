/*
 * tap: unit tests that speak the Test Anything Protocol.
 *
 *	static void
 *	test_trim_keeps_inner_space(struct arena *a)
 *	{
 *		is_str(str_trim(STR(" a b ")), STR("a b"));
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		RUN(test_trim_keeps_inner_space);
 *		return tap_done();
 *	}
 *
 * Each test gets a fresh arena of TAP_ARENA_BYTES.  A crash ends the program
 * with the sanitizer's own report; prove sees that the plan is missing.
 */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

#define TAP_ARENA_BYTES	((size_t)256 << 20)

static int tap_count, tap_failed;
static const char *tap_test = "";

static inline bool
tap_result(bool passed, const char *what, const char *file, int line)
{
	printf("%sok %d - %s: %s\n", passed ? "" : "not ", ++tap_count,
	    tap_test, what);
	if (!passed) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	return passed;
}

static inline void
tap_is_str(struct str got, struct str want, const char *what,
    const char *file, int line)
{
	if (tap_result(str_eq(got, want), what, file, line))
		return;
	printf("#  got: %.*s\n# want: %.*s\n", STR_ARG(got), STR_ARG(want));
}

static inline void
tap_is_int(long long got, long long want, const char *what,
    const char *file, int line)
{
	if (!tap_result(got == want, what, file, line))
		printf("#  got: %lld\n# want: %lld\n", got, want);
}

#define ok(cond)		tap_result((cond), #cond, __FILE__, __LINE__)
#define is_str(got, want)	tap_is_str((got), (want), #got, __FILE__, __LINE__)
#define is_int(got, want)	tap_is_int((long long)(got), (long long)(want), \
				    #got, __FILE__, __LINE__)

#define RUN(test) do {					\
	struct arena *tap_a = arena_new(TAP_ARENA_BYTES);	\
							\
	tap_test = #test;				\
	test(tap_a);					\
	arena_free(tap_a);				\
} while (0)

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
