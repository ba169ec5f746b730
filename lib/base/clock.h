/* clock: what time it is, and how each protocol writes it.  UTC throughout. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct buf;

/* Microseconds that only ever grow, for durations. */
int64_t clock_mono_us(void);

/* Microseconds since 1970-01-01T00:00:00Z, for time stamps. */
int64_t clock_wall_us(void);

/*
 * Append a time given in microseconds since 1970, for years 0 to 9999:
 *	clock_iso	2026-11-21T12:00:05.123456Z  (PEP 700; fraction only
 *			if it is not 0)
 *	clock_iso_local	2026-11-21T12:00:05  (legacy JSON's upload_time)
 *	clock_http	Sat, 21 Nov 2026 12:00:05 GMT  (RFC 9110 5.6.7, and RSS)
 *	clock_xmlrpc	20261121T12:00:05  (XML-RPC dateTime.iso8601)
 */
void clock_iso(struct buf *b, int64_t wall_us);
void clock_iso_local(struct buf *b, int64_t wall_us);
void clock_http(struct buf *b, int64_t wall_us);
void clock_xmlrpc(struct buf *b, int64_t wall_us);

#endif
