/* mark: the mark (rule F2) that this machine keeps for the other. */
#ifndef PEER_MARK_H
#define PEER_MARK_H

#include "base/status.h"

struct request;
struct response;

/* GET /-/peer/mark: its text; nothing, when there is none. */
enum status peer_mark_get(void *app, struct request *rq, struct response *rs,
    struct err *err);

/*
 * PUT: keep the mark that is the body; answered when it is on our disk for
 * good.  CONFLICT, when it is the other machine that must not go on alone
 * (index/mark_place).
 */
enum status peer_mark_put(void *app, struct request *rq, struct response *rs,
    struct err *err);

/*
 * DELETE, with ?id= of the mark: this machine lacks nothing any more.  Without
 * an id, of a damaged one.  CONFLICT when another is there.
 */
enum status peer_mark_delete(void *app, struct request *rq,
    struct response *rs, struct err *err);

#endif
