/* handlers: uploads, as twine, uv and `setup.py upload` send them. */
#ifndef UPLOAD_HANDLERS_H
#define UPLOAD_HANDLERS_H

#include "base/status.h"

struct request;
struct response;

/*
 * POST /legacy/, and /pypi as old clients have it: a form whose :action says
 * what to do: file_upload, verify, submit.  Source: PyPA specification
 * "Legacy API for uploading files".
 */
enum status upload_post(void *app, struct request *rq, struct response *rs,
    struct err *err);

/* GET with ?:action=list_classifiers; anything else gets an explanation. */
enum status upload_get(void *app, struct request *rq, struct response *rs,
    struct err *err);

#endif
