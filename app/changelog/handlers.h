/* handlers: XML-RPC, as mirrors speak it to POST /pypi and /RPC2. */
#ifndef CHANGELOG_HANDLERS_H
#define CHANGELOG_HANDLERS_H

#include "base/status.h"

struct request;
struct response;

/* One XML-RPC call.  Faults are answered with 200, as its clients need. */
enum status rpc_post(void *app, struct request *rq, struct response *rs,
    struct err *err);

#endif
