/*
 * form: an upload's multipart body, taken in as it arrives.
 *
 * Text fields go to upload_field(), the content part to the store's staging
 * folder.  Memory stays within the limits below whatever the body's size.
 */
#ifndef UPLOAD_FORM_H
#define UPLOAD_FORM_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "index/upload.h"

struct findings;
struct index;
struct request;

struct form {
	struct str action;		/* ":action" */
	struct upload upload;
	struct findings *found;		/* what is wrong with it */

	/* The part that is under way. */
	struct index *ix;
	struct request *rq;
	enum { PART_FIELD, PART_CONTENT, PART_IGNORED } part;
	struct str name;
	struct buf value;
	int64_t content_bytes;		/* of the file, so far */
};

/*
 * Read all of rq's body into *out.  Troubles with single fields are added to
 * found; INVALID and TOO_LARGE are for a body that is not a form or too much,
 * UNAVAILABLE for a store that cannot take it.
 */
MUST_USE enum status form_read(struct index *ix, struct request *rq,
    struct form *out, struct findings *found, struct err *err);

#endif
