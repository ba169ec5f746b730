/*
 * classifier: the trove, "Programming Language :: Python :: 3".
 *
 * The list is that of pkg/data/classifiers.c.
 */
#ifndef PKG_CLASSIFIER_H
#define PKG_CLASSIFIER_H

#include <stddef.h>

#include "base/str.h"

enum classifier_state {
	CLASSIFIER_KNOWN,
	CLASSIFIER_UNKNOWN,
	CLASSIFIER_DEPRECATED,	/* was known; *instead says what to use */
	CLASSIFIER_PRIVATE,	/* "Private :: ...": for closed indexes */
};

/*
 * Look one up, by its exact text.  *instead (may be NULL) becomes the
 * successor of a deprecated one, or empty when it has none or for every other
 * state; it lives for ever.
 */
enum classifier_state classifier_find(struct str text, struct str *instead);

/* How many classifiers an upload may choose from. */
size_t classifier_count(void);

/* The i-th of them, in byte order; i is below classifier_count(). */
struct str classifier_at(size_t i);

#endif
