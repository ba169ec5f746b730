/* handlers: what the other machine of a pair asks of this one. */
#ifndef PEER_HANDLERS_H
#define PEER_HANDLERS_H

#include "base/status.h"

struct request;
struct response;

/*
 * Ahead of every route: only who knows peer_secret is let in (DENIED), and
 * is then told why a service failed.
 */
enum status peer_admit(void *app, const struct request *rq,
    struct response *rs, struct err *err);

/* GET /-/peer/: who we are, as lines of "name value". */
enum status peer_hello(void *app, struct request *rq, struct response *rs,
    struct err *err);

/*
 * GET /-/peer/packages/ab/cd/<60 more>/<filename>: what the store has of a
 * file, as lines: size (bytes), mtime (seconds since 1970), metadata (its
 * SHA-256, if there is any), and with ?read=1 also "is whole" or "is damaged".
 */
enum status peer_file_get(void *app, struct request *rq, struct response *rs,
    struct err *err);

/*
 * PUT of the same path, with ?size= and ?mtime=: the body is the file, of so
 * many bytes, and behind it its metadata, if any.  201 when it is on our disk
 * for good, 200 when it was before; its bytes must hash to its path
 * (INVALID).  replace=1: what is there is damaged, whatever its size.
 */
enum status peer_file_put(void *app, struct request *rq, struct response *rs,
    struct err *err);

#endif
