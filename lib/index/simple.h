/*
 * simple: the pages that installers read, /simple/ and /simple/<project>/.
 *
 * HTML as frozen by PEP 833; JSON as PEP 691 with 700 (size, upload-time,
 * versions), 714 (core-metadata) and 792 (project-status), API version 1.4.
 */
#ifndef INDEX_SIMPLE_H
#define INDEX_SIMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct db_rows;
struct simple_project;
struct simple_root;

/* From the rows of page/simple_project.sql; there is at least one. */
void simple_project_from_rows(struct arena *a, struct str normalized_name,
    const struct db_rows *rows, struct simple_project *out);

/* From the rows of root/projects.sql. */
void simple_root_from_rows(struct arena *a, const struct db_rows *rows,
    struct simple_root *out);

void simple_project_json(struct buf *out, const struct simple_project *p);
/*
 * The root list as JSON, in parts: begin, some projects any number of times,
 * end.  follows: other projects stand before these.
 */
void simple_root_json_begin(struct buf *out, int64_t serial);
void simple_root_json(struct buf *out, const struct simple_root *root,
    bool follows);
void simple_root_json_end(struct buf *out);

#endif
