/*
 * view: what the pages show, in the words of the pages.
 *
 * Plain values that lib/index fills in from the database and that the
 * templates of www/page and the JSON renderers read.  No page asks for more
 * than stands here, and none computes.
 *
 * Ownership: everything lives in the request's arena.  Texts are UTF-8 and
 * not escaped, unless it says so.
 */
#ifndef INDEX_VIEW_H
#define INDEX_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* One file of a project's page (PEP 503, 592, 658, 700). */
struct simple_file {
	struct str filename;
	struct str url;			/* of our own making: an absolute path
					 * or URL, its segments URL-escaped */
	struct str sha256;		/* 64 lower-case hex digits */
	struct str requires_python;	/* empty: none */
	struct str metadata_sha256;	/* hex; empty: no .metadata file */
	struct str yanked_reason;	/* empty: none was given */
	bool is_yanked;
	int64_t size;			/* bytes */
	int64_t upload_time_us;		/* since 1970 */
};

struct simple_files {
	struct simple_file *at;
	size_t n;
};

/* /simple/<project>/; files are sorted by version, then by name. */
struct simple_project {
	struct str name;		/* normalised, PEP 503 */
	struct str display_name;	/* as its owner spells it */
	struct str status;		/* "active", "archived", "deprecated",
					 * "quarantined" (PEP 792) */
	struct str status_reason;	/* empty: none */
	int64_t last_serial;
	struct simple_files files;
	struct str_list versions;	/* sorted; only those with files */
};

/* One project of /simple/. */
struct simple_root_entry {
	struct str name;		/* as its owner spells it */
	struct str normalized_name;
	int64_t last_serial;
};

/* /simple/; sorted by normalised name. */
struct simple_root {
	struct simple_root_entry *at;
	size_t n;
	int64_t last_serial;		/* of the whole index */
};

/* One item of a feed. */
struct rss_item {
	struct str title;
	struct str link;		/* absolute, of our own making */
	struct str description;
	struct str author;		/* empty: none known */
	struct str date;		/* RFC 822, as clock_http() writes it */
};

/* An RSS 2.0 channel; newest item first. */
struct rss_channel {
	struct str title;
	struct str link;		/* absolute, of our own making */
	struct str description;
	struct rss_item *at;
	size_t n;
};

#endif
