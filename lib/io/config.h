/*
 * config: the settings of one instance.
 *
 *	struct config config;
 *	st = config_load(arena, config_path(argument), &config, &err);
 *	if (st != OK)
 *		... err says file, line and what is wrong; do not start
 *
 * The file has one setting a line:
 *
 *	# a comment, also behind a value
 *	upload_limit_bytes = 2G
 *	external_url = "https://packages.example.org"
 *	include = secrets.conf
 *
 * A value may stand in double quotes, within which \" and \\ are those
 * characters; it must, if it contains # or begins or ends in white space.
 * Numbers may have a unit: K M G T for bytes (of 1024), ms s m h d for times.
 * `include` reads another file at that place, relative to this one's folder;
 * an included file includes none.  What holds a password must be in a file
 * that not everybody may read.
 *
 * Each setting is one row of a table in config.c; the parser, the example
 * file, the manual page and --show-config all come from it.  Unknown names,
 * bad values, and a name that is set twice stop the start.
 */
#ifndef IO_CONFIG_H
#define IO_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;

#define CONFIG_PATH		"/etc/tilsit/tilsit.conf"
#define CONFIG_VARIABLE		"TILSIT_CONFIG"	/* names another file */
#define CONFIG_FILE_BYTES	65536		/* a larger file is a mistake */

/* Who may create a project by uploading its first file. */
enum config_registration {
	REGISTRATION_ANY,	/* every user */
	REGISTRATION_OPERATOR,	/* tilsit project create */
};

/* How much goes to the log; each includes those before it. */
enum config_log_level {
	LEVEL_ERROR,	/* what an operator must look at */
	LEVEL_WARNING,
	LEVEL_INFO,	/* one line a request */
	LEVEL_DEBUG,
};

/* Strings are NUL-terminated and live in the arena given to config_load(). */
struct config {
	const char *database;		/* libpq connection string or URI */
	const char *memcached;		/* unix:/path, host:port, or "" */
	const char *node;		/* this machine's name */
	const char *peer_node;		/* the other's; "": there is none */
	const char *peer_database;
	const char *peer_memcached;	/* one of those in memcached, or "" */
	const char *peer_url;		/* without '/' at its end, or "" */
	const char *peer_secret;
	int64_t peer_timeout_ms;
	int64_t replica_timeout_s;	/* 0: never go on alone by itself */
	bool degraded_reads;		/* from the replica */
	int64_t upload_patience_s;
	int64_t serial_jump;
	const char *mark_path;
	const char *mark_command;	/* or "" */
	const char *fence_command;	/* or "" */
	const char *server_command;
	const char *store_path;		/* holds staging/ and packages/ */
	const char *snapshot_path;	/* "": no snapshots */
	const char *external_url;	/* without '/' at its end; "": links
					 * are relative */
	int64_t upload_limit_bytes;	/* one file */
	int64_t metadata_limit_bytes;	/* one METADATA or PKG-INFO */
	int64_t request_memory_bytes;	/* a worker that needs more ends */
	int64_t fence_ttl_s;
	int64_t page_ttl_s;		/* not above fence_ttl_s */
	int64_t memcached_timeout_ms;
	int64_t lock_timeout_ms;
	int64_t statement_timeout_ms;
	int64_t max_requests;		/* of one worker; 0: no limit */
	int64_t max_connections;	/* kept open by one worker */
	int64_t changelog_limit;	/* events in one answer */
	enum config_registration registration;
	struct str_list reserved_names;	/* projects only the operator may
					 * create */
	bool allow_private_classifiers;
	bool allow_local_versions;	/* 1.0+company.3 */
	bool require_modern_sdist_names;
	enum config_log_level log_level;
};

/* Which file to read: the argument of --config, or if that is NULL what
 * TILSIT_CONFIG says, or CONFIG_PATH. */
const char *config_path(const char *argument);

/*
 * Read the settings in path; what it does not set has its default.  INVALID
 * with "FILE:LINE: what is wrong" in err for mistakes in it, UNAVAILABLE if it
 * cannot be read.
 */
MUST_USE enum status config_load(struct arena *a, const char *path,
    struct config *out, struct err *err);

/*
 * The same for the text of a file, whose name is used in messages and to find
 * what it includes.  is_public: may everybody read it?
 */
MUST_USE enum status config_parse(struct arena *a, struct str text,
    const char *path, bool is_public, struct config *out, struct err *err);

/* Append an example file: all settings, explained, at their defaults. */
void config_put_example(struct buf *b);

/* Append the list of settings for a manual page, in mdoc(7). */
void config_put_man(struct buf *b);

/* Append all settings as they are, as a file that config_load() would read;
 * passwords are not shown. */
void config_put_shown(struct buf *b, const struct config *config);

#endif
