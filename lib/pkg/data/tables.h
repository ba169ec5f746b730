/*
 * tables: lists that other people keep, as lib/pkg/data/update wrote them.
 * Each one's source file says where it comes from and of which version it is.
 */
#ifndef PKG_DATA_TABLES_H
#define PKG_DATA_TABLES_H

#include <stddef.h>

#include "base/str.h"

struct classifier_row {
	struct str text;
	struct str instead;	/* of a deprecated one; empty if none */
};

/* Classifiers that may be used, and those that may no more: in byte order. */
extern const struct str classifier_known[];
extern const size_t classifier_known_count;
extern const struct classifier_row classifier_deprecated[];
extern const size_t classifier_deprecated_count;

/* SPDX identifiers in their registered case, in the byte order of their
 * lower-case form. */
extern const struct str spdx_license[];
extern const size_t spdx_license_count;
extern const struct str spdx_exception[];
extern const size_t spdx_exception_count;

#endif
