/*
 * panic: the end of a process that found a bug of ours in itself.
 *
 * No input from outside, however odd, may lead here.  PostgreSQL rolls back
 * what was open, the supervisor starts another process.
 */
#ifndef BASE_PANIC_H
#define BASE_PANIC_H

#include "base/status.h"

/* Say what happened on standard error, then abort(). */
_Noreturn void panic(const char *fmt, ...) PRINTF(1, 2);

#endif
