#include "base/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
panic(const char *fmt, ...)
{
	va_list ap;

	fputs("panic: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
