#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/buf.h"

#define SECOND_US	1000000

static int64_t
read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* Broken-down UTC and the microseconds, which are never negative. */
static struct tm
split(int64_t wall_us, int *fraction)
{
	time_t seconds = (time_t)(wall_us / SECOND_US);
	struct tm tm = { 0 };

	*fraction = (int)(wall_us % SECOND_US);
	if (*fraction < 0) {
		*fraction += SECOND_US;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	return tm;
}

/* strftime() for formats without names, which would ask the locale. */
static void
put_time(struct buf *b, const struct tm *tm, const char *fmt)
{
	char text[64];
	size_t n = strftime(text, sizeof(text), fmt, tm);

	buf_put(b, (struct str){ text, n });
}

void
clock_iso_local(struct buf *b, int64_t wall_us)
{
	int fraction;
	struct tm tm = split(wall_us, &fraction);

	put_time(b, &tm, "%Y-%m-%dT%H:%M:%S");
}

void
clock_iso(struct buf *b, int64_t wall_us)
{
	char text[16];
	int fraction;
	struct tm tm = split(wall_us, &fraction);

	put_time(b, &tm, "%Y-%m-%dT%H:%M:%S");
	if (fraction) {
		snprintf(text, sizeof(text), ".%06d", fraction);
		buf_put(b, str_c(text));
	}
	buf_byte(b, 'Z');
}

void
clock_http(struct buf *b, int64_t wall_us)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int fraction;
	struct tm tm = split(wall_us, &fraction);

	buf_put(b, (struct str){ days + 3 * tm.tm_wday, 3 });
	put_time(b, &tm, ", %d ");
	buf_put(b, (struct str){ months + 3 * tm.tm_mon, 3 });
	put_time(b, &tm, " %Y %H:%M:%S GMT");
}

void
clock_xmlrpc(struct buf *b, int64_t wall_us)
{
	int fraction;
	struct tm tm = split(wall_us, &fraction);

	put_time(b, &tm, "%Y%m%dT%H:%M:%S");
}
