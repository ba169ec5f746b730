/* link: where things of this index are to be found, as URLs. */
#ifndef INDEX_LINK_H
#define INDEX_LINK_H

#include "base/str.h"

struct arena;

/*
 * base is the index's own address without a slash at its end
 * ("https://index.example.org"), or empty for a path that a client resolves
 * against the page it stands on.
 */

/* A package file: <base>/packages/ab/cd/<60 more>/<filename>. */
struct str link_file(struct arena *a, struct str base, struct str blake2b_hex,
    struct str filename);

/* The index's own front page: <base>/. */
struct str link_index(struct arena *a, struct str base);

/* What a person may open for a project, and for one of its releases. */
struct str link_project(struct arena *a, struct str base, struct str name);

/* A release's own address, which is that of its JSON page. */
struct str link_release(struct arena *a, struct str base, struct str name,
    struct str version);

#endif
