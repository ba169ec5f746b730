/*
 * view: what pages show, in the form in which templates read it.
 *
 * A domain call fills one of these from rows; www/page/ and the JSON writers
 * turn it into bytes.  All text is as it came; escaping is the page's.
 */
#ifndef INDEX_VIEW_H
#define INDEX_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* One file on a project's simple page. */
struct simple_file {
	struct str filename;
	struct str url;			/* ready for an href: path, escaped */
	struct str version;		/* PEP 440 normal form */
	struct str sha256;		/* hexadecimal */
	struct str requires_python;	/* may be empty */
	struct str metadata_sha256;	/* hexadecimal; empty: no .metadata */
	struct str yanked_reason;	/* may be empty though yanked */
	bool is_yanked;
	int64_t size;			/* bytes */
	int64_t upload_time_us;		/* since 1970 */
};

struct simple_files {
	struct simple_file *at;
	size_t n;
};

/* /simple/<project>/ */
struct simple_project {
	struct str name;		/* normalized */
	struct str display_name;
	struct str status;		/* PEP 792: "active", ... */
	struct str status_reason;
	int64_t last_serial;
	struct simple_files files;	/* by version, then by name */
	struct str_list versions;	/* those that have files, in order */
};

/* One project of /simple/ */
struct simple_root_entry {
	struct str name;		/* as displayed */
	struct str normalized_name;
	int64_t last_serial;
};

/* Some projects of /simple/, or all. */
struct simple_root {
	struct simple_root_entry *at;	/* by normalized name */
	size_t n;
};

/* An RSS 2.0 feed. */
struct rss_item {
	struct str title;
	struct str link;		/* absolute URL */
	struct str guid;		/* a URL that no other item has */
	struct str description;
	struct str author;		/* e-mail address, or empty */
	struct str date;		/* RFC 822, as clock_http() writes it */
};

struct rss_channel {
	struct str title;
	struct str link;
	struct str description;
	struct rss_item *at;		/* newest first */
	size_t n;
};

#endif
