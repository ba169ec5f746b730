/*
 * member: the names of archive members, and what they may be.
 *
 * A name is a path of components, separated by '/'.  Empty components and
 * "." mean nothing: "./a//b/" and "a/b" are the same name and have the same
 * hash.
 */
#ifndef PKG_MEMBER_H
#define PKG_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define MEMBER_NAME_BYTES	((size_t)4096)	/* PATH_MAX of Linux */
#define MEMBER_HASH_NONE	((uint64_t)0xcbf29ce484222325)	/* no component */

/* Take the next component off the front of rest.  False: there is none. */
bool member_component(struct str *rest, struct str *out);

/*
 * The hash of "a/b" is member_hash(member_hash(MEMBER_HASH_NONE, a), b).
 * 64 bits of FNV-1a: names meet by chance in one of 10^9 archives, and who
 * makes them meet on purpose has only a false duplicate in his own archive.
 */
uint64_t member_hash(uint64_t before, struct str name);

/*
 * INVALID, with err, when unpacking could put this name outside of the folder
 * that one unpacks in: an absolute path, a drive letter, a ".." between '/'
 * or '\'.  And when it is empty, over MEMBER_NAME_BYTES, or holds a control
 * character.
 */
MUST_USE enum status member_check(struct str name, struct err *err);

/*
 * The same for zip archives, whose every reader must see the same name: UTF-8
 * only, no '\', and neither empty nor "." components (a '/' may end it, which
 * makes it a folder).
 */
MUST_USE enum status member_check_strict(struct str name, struct err *err);

/* The folder that the name is in or names; empty when it is in none. */
struct str member_top(struct str name, bool is_dir);

#endif
