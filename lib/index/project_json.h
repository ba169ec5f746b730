/*
 * project_json: /pypi/<project>/json and /pypi/<project>/<version>/json.
 *
 * The "JSON API" of pypi.org, which bandersnatch and Poetry read; the fields
 * that pypi.org stopped filling (downloads, bugtrack_url, ...) are there with
 * the values that it gives them.
 */
#ifndef INDEX_PROJECT_JSON_H
#define INDEX_PROJECT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct index;

/*
 * Write the page of one release, or of the newest and with all releases when
 * canonical is empty.  Reads all from one snapshot of the database.
 * NOT_FOUND: no such project or release.  *is_held: see page/project.sql.
 */
MUST_USE enum status project_json(struct index *ix, struct arena *a,
    struct str project, struct str canonical, struct buf *out,
    int64_t *serial, bool *is_held, struct err *err);

#endif
