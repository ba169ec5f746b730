/*
 * upload: a distribution file on its way into the index.
 *
 * The form arrives part by part (upload_field(), and the bytes through
 * upload->staged); then
 *
 *	upload_check()		everything that can be said without the
 *				database: form, names, digests, the archive
 *				itself; all findings at once
 *	upload_publish()	rights, names in use; makes the file durable and
 *				publishes it
 *
 * What counts is what the file says: METADATA or PKG-INFO is read from it,
 * and the form must not contradict it.
 * Sources: the legacy upload API (PyPA specification "Legacy API for
 * uploading files"), PEP 427, 440, 503, 566, 625, 639, 643, 685.
 */
#ifndef INDEX_UPLOAD_H
#define INDEX_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "io/digest.h"
#include "pkg/filename.h"
#include "pkg/metadata.h"
#include "pkg/version.h"

struct arena;
struct caller;
struct findings;
struct index;
struct staged;

#define UPLOAD_COMMENT_BYTES	512
#define UPLOAD_PYVERSION_BYTES	240	/* as long as a file name */

struct upload {
	/* What the client says. */
	struct metadata form;
	struct str protocol_version;
	struct str filetype;
	struct str pyversion;
	struct str comment;
	struct str md5_digest;
	struct str sha256_digest;
	struct str blake2_256_digest;
	struct str filename;		/* of the content part */
	struct staged *staged;		/* its bytes; NULL: no content part */
	struct digests digests;		/* of its bytes */

	/* What upload_check() finds. */
	struct str project;		/* PEP 503 name */
	struct version version;
	enum packagetype packagetype;
	struct metadata metadata;	/* of the file itself */
	struct str metadata_bytes;	/* METADATA as it is in a wheel */

	/* What upload_publish() says of the other machine, for the log. */
	struct str peer;
};

/*
 * Take one text field of the form.  Unknown fields are ignored, as pypi.org
 * does; one of our own fields that comes twice or has a NUL, and any text that
 * is not UTF-8, is a finding.  Metadata is checked by upload_check_form().
 */
void upload_field(struct arena *a, struct upload *up, struct str name,
    struct str value, struct findings *found);

/*
 * Check what the form says, and set project and version by it.  This is all
 * for a form without a file: `setup.py register`, and `:action=verify`.
 */
void upload_check_form(struct index *ix, struct arena *a, struct upload *up,
    struct findings *found);

/*
 * Check the form and the file.  OK also when there are findings; UNAVAILABLE
 * when the file could not be read.
 */
MUST_USE enum status upload_check(struct index *ix, struct arena *a,
    struct upload *up, struct findings *found, struct err *err);

/*
 * Publish a checked upload.  *serial is its serial, or 0 when the index has
 * this very file already (which is a success and changes nothing).
 * DENIED, CONFLICT ("File already exists ..."), UNAVAILABLE.
 */
MUST_USE enum status upload_publish(struct index *ix, struct arena *a,
    const struct caller *caller, struct upload *up, int64_t *serial,
    struct err *err);

/*
 * `setup.py register`: reserve a project's name for the caller, who becomes
 * its owner.  *serial is 0 when the project was there and is the caller's.
 */
MUST_USE enum status upload_register(struct index *ix, struct arena *a,
    const struct caller *caller, struct upload *up, int64_t *serial,
    struct err *err);

#endif
