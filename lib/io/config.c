#include "io/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"
#include "base/utf8.h"

#define LIST_MAX	1000		/* words in a list */
#define TYPO_DISTANCE	3		/* edits that still look like a typo */
#define NAME_MAX_BYTES	40		/* longer than any setting's name */
#define HIDDEN		"(hidden)"

enum type {
	TEXT,		/* const char * */
	SECRET,		/* const char *; may hold a password */
	PASSWORD,	/* const char *; is one */
	PATH,		/* const char *, absolute */
	PATH_OR_NONE,	/* the same, or empty */
	URL,		/* const char *, http or https, or empty */
	COUNT,		/* int64_t */
	BYTES,		/* int64_t; units K M G T */
	SECONDS,	/* int64_t; units s m h d */
	MILLISECONDS,	/* int64_t; units ms s m h */
	BOOL,		/* bool */
	WORD,		/* an enum: the position in words */
	LIST,		/* struct str_list */
};

struct row {
	const char *name;	/* of the setting, and of the field */
	enum type type;
	size_t offset;		/* of the field in struct config */
	const char *normal;	/* its default, as it is written */
	int64_t min, max;	/* of numbers */
	const char *words;	/* of a WORD, with spaces between */
	const char *help;	/* lines of at most 70 characters */
};

#define KB	((int64_t)1 << 10)
#define MB	((int64_t)1 << 20)
#define GB	((int64_t)1 << 30)
#define ROW(field)	.name = #field, .offset = offsetof(struct config, field)

static const struct row rows[] = {
	{ ROW(database), .type = SECRET, .normal = "dbname=tilsit",
	    .help = "This machine's PostgreSQL server, as libpq's connection "
	    "string or URI." },
	{ ROW(memcached), .type = TEXT,
	    .normal = "unix:/run/memcached/memcached.sock",
	    .help = "The page cache: unix: and memcached's socket, or host:port. "
	    "Empty:\nevery page is made from the database. Two machines: "
	    "both, with a comma\nbetween, in the same order on either." },
	{ ROW(node), .type = TEXT, .normal = "one",
	    .help = "What this machine is called; another name on each." },
	{ ROW(peer_node), .type = TEXT, .normal = "",
	    .help = "What the other machine is called. Empty: there is none, "
	    "and nothing\nthat begins with peer_ matters." },
	{ ROW(peer_database), .type = SECRET, .normal = "",
	    .help = "The other machine's PostgreSQL server: address, not a "
	    "name." },
	{ ROW(peer_memcached), .type = TEXT, .normal = "",
	    .help = "Which one of memcached's addresses is on the other "
	    "machine." },
	{ ROW(peer_url), .type = URL, .normal = "",
	    .help = "Where the other machine's nginx listens for this one: "
	    "address, not a\nname (http://10.0.0.2:8081)." },
	{ ROW(peer_secret), .type = PASSWORD, .normal = "",
	    .help = "What the two machines show each other; the same on both, "
	    "known to\nnobody else (openssl rand -hex 32)." },
	{ ROW(peer_timeout_ms), .type = MILLISECONDS, .normal = "2s",
	    .min = 100, .max = 60000,
	    .help = "How long the other machine may stand still before this "
	    "one goes on\nwithout it." },
	{ ROW(replica_timeout_s), .type = SECONDS, .normal = "10s",
	    .min = 0, .max = 3600,
	    .help = "How long changes wait for a replica that is away, before "
	    "the primary\ngoes on alone, if that can be marked where failover "
	    "looks. 0: until\n`tilsit replica leave`." },
	{ ROW(degraded_reads), .type = BOOL, .normal = "yes",
	    .help = "Show pages from the replica, marked as such, while there "
	    "is no primary." },
	{ ROW(upload_patience_s), .type = SECONDS, .normal = "20s",
	    .min = 0, .max = 200,
	    .help = "How long an upload waits for a primary before it is "
	    "answered with 503.\n(twine asks again at once, five times.)" },
	{ ROW(serial_jump), .type = COUNT, .normal = "1000000",
	    .min = 1, .max = 1000000000,
	    .help = "How far the serials go ahead at a failover, so that none "
	    "names two\nevents." },
	{ ROW(mark_path), .type = PATH, .normal = "/var/lib/tilsit/mark",
	    .help = "The file that says that a replica lacks changes." },
	{ ROW(mark_command), .type = TEXT, .normal = "",
	    .help = "A program that keeps such marks in a third place: called "
	    "with get, set\nor clear (tilsit(8), FAILOVER)." },
	{ ROW(fence_command), .type = TEXT, .normal = "",
	    .help = "A program that acts on the other machine: called with its "
	    "name, and off,\nstop, rejoin or switch (tilsit(8), FAILOVER). Its "
	    "exit status is 0 only if\nthat is done for sure." },
	{ ROW(server_command), .type = TEXT,
	    .normal = "/usr/local/share/tilsit/failover/postgresql",
	    .help = "A program that stops, starts and rebuilds this machine's "
	    "PostgreSQL for\n`tilsit rejoin` (tilsit(8), FAILOVER)." },
	{ ROW(store_path), .type = PATH, .normal = "/var/lib/tilsit",
	    .help = "Folder of the package files. Holds staging/ and "
	    "packages/, which\nmust be on one file system." },
	{ ROW(snapshot_path), .type = PATH_OR_NONE, .normal = "",
	    .help = "Folder of the pages that nginx serves while all else is "
	    "down. Empty:\nnone are kept." },
	{ ROW(external_url), .type = URL, .normal = "",
	    .help = "How clients reach this index, without a slash at the "
	    "end: for links in\n/pypi/<project>/json, XML-RPC and feeds. "
	    "Empty: they are paths, which\nbandersnatch cannot follow." },
	{ ROW(upload_limit_bytes), .type = BYTES, .normal = "1G",
	    .min = MB, .max = 1024 * GB,
	    .help = "Largest file that may be uploaded. nginx's "
	    "client_max_body_size must\nbe a little higher." },
	{ ROW(metadata_limit_bytes), .type = BYTES, .normal = "4M",
	    .min = 64 * KB, .max = 4 * MB,
	    .help = "Largest METADATA or PKG-INFO in an uploaded file." },
	{ ROW(request_memory_bytes), .type = BYTES, .normal = "256M",
	    .min = 16 * MB, .max = 16 * GB,
	    .help = "Memory that one request may take. A worker that needs "
	    "more ends, and\nanother takes its place." },
	{ ROW(fence_ttl_s), .type = SECONDS, .normal = "60s",
	    .min = 1, .max = 3600,
	    .help = "Life of a page's fence in memcached. If memcached "
	    "cannot be reached,\nchanges wait for twice this time. The same on "
	    "every machine; restart\nmemcached after it was made shorter." },
	{ ROW(page_ttl_s), .type = SECONDS, .normal = "60s",
	    .min = 1, .max = 3600,
	    .help = "Life of a page in memcached. Not above fence_ttl_s." },
	{ ROW(memcached_timeout_ms), .type = MILLISECONDS, .normal = "200ms",
	    .min = 10, .max = 10000,
	    .help = "How long to wait for memcached." },
	{ ROW(lock_timeout_ms), .type = MILLISECONDS, .normal = "5s",
	    .min = 100, .max = 600000,
	    .help = "How long a change waits for another of the same "
	    "project." },
	{ ROW(statement_timeout_ms), .type = MILLISECONDS, .normal = "30s",
	    .min = 100, .max = 3600000,
	    .help = "How long one SQL statement may take." },
	{ ROW(max_requests), .type = COUNT, .normal = "1000000",
	    .min = 0, .max = 1000000000,
	    .help = "Requests after which a worker is replaced. 0: never." },
	{ ROW(max_connections), .type = COUNT, .normal = "512",
	    .min = 1, .max = 65536,
	    .help = "Connections from nginx that one worker keeps open." },
	{ ROW(changelog_limit), .type = COUNT, .normal = "50000",
	    .min = 100, .max = 1000000,
	    .help = "Most events in one answer of the changelog." },
	{ ROW(registration), .type = WORD, .normal = "any",
	    .words = "any operator",
	    .help = "Who may create a project by uploading its first file: "
	    "any user, or\nthe operator only (tilsit project create)." },
	{ ROW(reserved_names), .type = LIST, .normal = "",
	    .help = "Names of projects that only the operator may create." },
	{ ROW(allow_private_classifiers), .type = BOOL, .normal = "yes",
	    .help = "Accept classifiers that begin with \"Private ::\". "
	    "Public indexes refuse\nthem, which keeps private packages from "
	    "leaking there." },
	{ ROW(allow_local_versions), .type = BOOL, .normal = "yes",
	    .help = "Accept versions like 1.0+company.3. Public indexes "
	    "refuse them: such\na version is a private patch of somebody "
	    "else's release (PEP 440)." },
	{ ROW(require_modern_sdist_names), .type = BOOL, .normal = "no",
	    .help = "Refuse sdists whose file names are older than PEP "
	    "625." },
	{ ROW(log_level), .type = WORD, .normal = "info",
	    .words = "error warning info debug",
	    .help = "How much is logged: errors, also warnings, also a line "
	    "for each\nrequest, also details." },
};

/* set_word() and put_value() know an enum by its size only. */
_Static_assert(sizeof(enum config_registration) == sizeof(unsigned) &&
    sizeof(enum config_log_level) == sizeof(unsigned), "size of an enum");

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

/* Where an assignment stands, and what was set so far. */
struct reader {
	struct arena *arena;
	struct config *out;
	struct err *err;
	const char *file;
	int line;
	bool is_public;		/* everybody may read the file */
	bool is_included;
	const char *set_in[ROWS];	/* NULL: not set */
	int set_on[ROWS];		/* line */
};

static enum status wrong(struct reader *r, const char *fmt, ...) PRINTF(2, 3);

static enum status
wrong(struct reader *r, const char *fmt, ...)
{
	char text[ERR_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(r->err, INVALID, "%s:%d: %s", r->file, r->line, text);
}

/* Units */

struct unit {
	const char *suffix;
	int64_t factor;
};

/* Largest first; the last one is what a number without a suffix means. */
static const struct unit byte_units[] = {
	{ "T", 1024 * GB }, { "G", GB }, { "M", MB }, { "K", KB }, { "", 1 },
};
static const struct unit second_units[] = {
	{ "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 }, { "", 1 },
};
static const struct unit millisecond_units[] = {
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
	{ "", 1 },
};
static const struct unit no_units[] = { { "", 1 } };

static const struct unit *
units_of(enum type type)
{
	switch (type) {
	case BYTES:		return byte_units;
	case SECONDS:		return second_units;
	case MILLISECONDS:	return millisecond_units;
	default:		return no_units;
	}
}

/* The largest unit of which value is a whole number. */
static const struct unit *
unit_for(enum type type, int64_t value)
{
	const struct unit *u = units_of(type);

	while (value == 0 ? u->suffix[0] != '\0' : value % u->factor != 0)
		u++;
	return u;
}

static void
put_number(struct buf *b, enum type type, int64_t value)
{
	const struct unit *u = unit_for(type, value);

	buf_int(b, value / u->factor);
	buf_put(b, str_c(u->suffix));
}

static enum status
parse_number(enum type type, struct str text, int64_t *out)
{
	size_t digits = 0;
	int64_t value;

	while (digits < text.n && is_digit(text.p[digits]))
		digits++;
	if (str_int64(str_sub(text, 0, digits), 0, INT64_MAX, &value) != OK)
		return INVALID;
	text = str_trim(str_sub(text, digits, text.n));
	for (const struct unit *u = units_of(type); ; u++) {
		if (str_eq(text, str_c(u->suffix)))
			return __builtin_mul_overflow(value, u->factor, out) ?
			    INVALID : OK;
		if (u->suffix[0] == '\0')
			return INVALID;
	}
}

/* Fields */

static void *
field(struct config *config, const struct row *row)
{
	return (char *)config + row->offset;
}

static const void *
field_const(const struct config *config, const struct row *row)
{
	return (const char *)config + row->offset;
}

static bool
has_password(struct str value)
{
	return str_find_str(value, STR("password"), 0) < value.n ||
	    (str_find_str(value, STR("://"), 0) < value.n &&
	    str_find(value, '@', 0) < value.n);
}

static bool
is_secret(const struct row *row, struct str value)
{
	return (row->type == SECRET && has_password(value)) ||
	    (row->type == PASSWORD && value.n > 0);
}

static bool
is_url(struct str value)
{
	struct str https = STR("https://"), http = STR("http://");
	size_t scheme = str_starts(value, https) ? https.n : http.n;

	if (value.n == 0)
		return true;
	if (!str_starts(value, https) && !str_starts(value, http))
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f ||
		    strchr("\"'<>\\^`{|}?#", value.p[i]))
			return false;
	return value.n > scheme && value.p[scheme] != '/' &&
	    !str_ends(value, STR("/"));
}

static enum status
set_text(struct reader *r, const struct row *row, struct str value)
{
	if ((row->type == PATH || (row->type == PATH_OR_NONE && value.n)) &&
	    !str_starts(value, STR("/")))
		return wrong(r, "%s must be a path that begins with /",
		    row->name);
	if (row->type == URL && !is_url(value))
		return wrong(r, "%s must begin with http:// or https:// and "
		    "have no / at the end", row->name);
	if (r->is_public && is_secret(row, value))
		return wrong(r, "%s holds a password, but everybody may read "
		    "this file: chmod o-r it, or put the line into a file of "
		    "its own and include that", row->name);
	*(const char **)field(r->out, row) = str_z(r->arena, value);
	return OK;
}

static enum status
set_number(struct reader *r, const struct row *row, struct str value)
{
	struct arena *a = r->arena;
	struct buf low = buf_new(a), high = buf_new(a);
	int64_t number;

	if (parse_number(row->type, value, &number) != OK)
		number = -1;
	if (number >= row->min && number <= row->max) {
		*(int64_t *)field(r->out, row) = number;
		return OK;
	}
	put_number(&low, row->type, row->min);
	put_number(&high, row->type, row->max);
	return wrong(r, "%s must be a number from %.*s to %.*s, not '%.*s'",
	    row->name, STR_ARG(buf_view(&low)), STR_ARG(buf_view(&high)),
	    STR_ARG(str_sub(value, 0, 60)));
}

static enum status
set_bool(struct reader *r, const struct row *row, struct str value)
{
	bool *out = field(r->out, row);

	if (str_eq(value, STR("yes")) || str_eq(value, STR("true")) ||
	    str_eq(value, STR("on")))
		*out = true;
	else if (str_eq(value, STR("no")) || str_eq(value, STR("false")) ||
	    str_eq(value, STR("off")))
		*out = false;
	else
		return wrong(r, "%s must be yes or no, not '%.*s'", row->name,
		    STR_ARG(str_sub(value, 0, 60)));
	return OK;
}

static enum status
set_word(struct reader *r, const struct row *row, struct str value)
{
	struct str word, rest = str_c(row->words);

	for (unsigned i = 0; rest.n > 0; i++) {
		str_cut(rest, ' ', &word, &rest);
		if (str_eq(word, value)) {
			memcpy(field(r->out, row), &i, sizeof(i));
			return OK;
		}
	}
	return wrong(r, "%s must be one of: %s; not '%.*s'", row->name,
	    row->words, STR_ARG(str_sub(value, 0, 60)));
}

/* Words with commas or spaces between them. */
static enum status
set_list(struct reader *r, const struct row *row, struct str value)
{
	struct str_list list = { 0 };
	size_t from = 0;

	for (size_t i = 0; i <= value.n; i++) {
		if (i < value.n && value.p[i] != ',' && !is_space(value.p[i]))
			continue;
		if (list.n == LIST_MAX)
			return wrong(r, "%s has more than %d words", row->name,
			    LIST_MAX);
		if (i > from)
			str_list_add(r->arena, &list, str_dup(r->arena,
			    str_sub(value, from, i)));
		from = i + 1;
	}
	*(struct str_list *)field(r->out, row) = list;
	return OK;
}

static enum status
set_field(struct reader *r, const struct row *row, struct str value)
{
	switch (row->type) {
	case BOOL:
		return set_bool(r, row, value);
	case WORD:
		return set_word(r, row, value);
	case LIST:
		return set_list(r, row, value);
	case COUNT:
	case BYTES:
	case SECONDS:
	case MILLISECONDS:
		return set_number(r, row, value);
	default:
		return set_text(r, row, value);
	}
}

/* Names */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to add, drop or change: Levenshtein's distance. */
static size_t
distance(struct str a, struct str b)
{
	size_t row[NAME_MAX_BYTES + 1];

	if (a.n > NAME_MAX_BYTES || b.n > NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t changed = corner + (a.p[i - 1] != b.p[j - 1]);

			corner = row[j];
			row[j] = least(least(row[j], row[j - 1]) + 1, changed);
		}
	}
	return row[b.n];
}

static enum status
unknown_name(struct reader *r, struct str name)
{
	size_t best = TYPO_DISTANCE + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < ROWS; i++) {
		size_t d = distance(name, str_c(rows[i].name));

		if (d < best) {
			best = d;
			nearest = rows[i].name;
		}
	}
	name = str_sub(name, 0, 60);
	if (nearest)
		return wrong(r, "there is no setting '%.*s'; did you mean "
		    "'%s'?", STR_ARG(name), nearest);
	return wrong(r, "there is no setting '%.*s'", STR_ARG(name));
}

static enum status
assign(struct reader *r, struct str name, struct str value)
{
	size_t i = 0;

	while (i < ROWS && !str_eq(name, str_c(rows[i].name)))
		i++;
	if (i == ROWS)
		return unknown_name(r, name);
	if (r->set_in[i])
		return wrong(r, "%s was set already, in %s:%d", rows[i].name,
		    r->set_in[i], r->set_on[i]);
	r->set_in[i] = r->file;
	r->set_on[i] = r->line;
	return set_field(r, &rows[i], value);
}

/* Lines and files */

/* Take the value out of its quotes.  rest is what stands behind it. */
static enum status
unquote(struct reader *r, struct str text, struct buf *out, struct str *rest)
{
	size_t i;

	for (i = 1; i < text.n && text.p[i] != '"'; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n &&
		    (text.p[i + 1] == '"' || text.p[i + 1] == '\\'))
			i++;
		buf_byte(out, text.p[i]);
	}
	if (i >= text.n)
		return wrong(r, "the closing \" is missing");
	*rest = str_trim(str_sub(text, i + 1, text.n));
	return OK;
}

static enum status
read_value(struct reader *r, struct str text, struct str *value)
{
	struct buf b = buf_new(r->arena);
	struct str rest;
	enum status st;

	if (text.n == 0 || text.p[0] != '"') {
		*value = str_trim(str_sub(text, 0, str_find(text, '#', 0)));
		return OK;
	}
	st = unquote(r, text, &b, &rest);
	if (st != OK)
		return st;
	if (rest.n > 0 && rest.p[0] != '#')
		return wrong(r, "there is text behind the closing \"");
	*value = buf_view(&b);
	return OK;
}

static enum status read_file(struct reader *r, const char *path);

/* Read another file, then go on in this one. */
static enum status
include(struct reader *r, struct str name)
{
	struct reader here = *r;
	struct str folder = str_c(r->file);
	enum status st;

	if (r->is_included)
		return wrong(r, "an included file cannot include another");
	if (name.n == 0)
		return wrong(r, "include needs the name of a file");
	folder = str_sub(folder, 0, str_rfind(folder, '/') + 1);
	if (str_starts(name, STR("/")) || !str_ends(folder, STR("/")))
		folder = STR("");
	r->is_included = true;
	st = read_file(r, str_fmt(r->arena, "%.*s%.*s", STR_ARG(folder),
	    STR_ARG(name)).p);
	r->is_included = false;
	r->file = here.file;
	r->line = here.line;
	r->is_public = here.is_public;
	return st;
}

static enum status
read_line(struct reader *r, struct str line)
{
	struct str name, value;
	enum status st;

	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return OK;
	if (!str_cut(line, '=', &name, &value))
		return wrong(r, "a line must have the form: name = value");
	name = str_trim(name);
	st = read_value(r, str_trim(value), &value);
	if (st != OK)
		return st;
	if (str_eq(name, STR("include")))
		return include(r, value);
	return assign(r, name, value);
}

static enum status
read_text(struct reader *r, struct str text)
{
	enum status st = OK;
	struct str line;

	if (!utf8_is_valid(text) || str_find(text, '\0', 0) < text.n)
		return err_set(r->err, INVALID, "%s: not a text file in UTF-8",
		    r->file);
	for (r->line = 1; text.n > 0 && st == OK; r->line++) {
		str_cut(text, '\n', &line, &text);
		st = read_line(r, line);
	}
	return st;
}

/* The file's bytes, and whether everybody may read them. */
static enum status
slurp(struct reader *r, const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat sb;
	ssize_t n;

	if (fd == -1)
		return err_errno(r->err, "cannot read %s", path);
	r->is_public = fstat(fd, &sb) == -1 || (sb.st_mode & S_IROTH) != 0;
	do {
		n = read(fd, buf_room(out, 4096), 4096);
		if (n > 0)
			buf_wrote(out, (size_t)n);
	} while (n > 0 && out->len <= CONFIG_FILE_BYTES);
	if (n == -1) {
		err_errno(r->err, "cannot read %s", path);
		close(fd);
		return UNAVAILABLE;
	}
	close(fd);
	if (out->len > CONFIG_FILE_BYTES)
		return err_set(r->err, INVALID, "%s: over %d bytes, not a "
		    "configuration", path, CONFIG_FILE_BYTES);
	return OK;
}

static enum status
read_file(struct reader *r, const char *path)
{
	struct buf text = buf_new(r->arena);
	enum status st = slurp(r, path, &text);

	if (st != OK)
		return st;
	r->file = path;
	return read_text(r, buf_view(&text));
}

static void
set_defaults(struct arena *a, struct config *out)
{
	struct err err;
	struct reader r = { .arena = a, .out = out, .err = &err,
	    .file = "defaults" };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ROWS; i++)
		if (set_field(&r, &rows[i], str_c(rows[i].normal)) != OK)
			panic("%s", err.text);
}

/* What no single row can say. */
static enum status
check(const struct config *config, const char *path, struct err *err)
{
	if (config->page_ttl_s > config->fence_ttl_s)
		return err_set(err, INVALID, "%s: page_ttl_s must not be above "
		    "fence_ttl_s", path);
	if (config->metadata_limit_bytes * 4 > config->request_memory_bytes)
		return err_set(err, INVALID, "%s: request_memory_bytes must be "
		    "four times metadata_limit_bytes at least", path);
	return OK;
}

const char *
config_path(const char *argument)
{
	const char *named = getenv(CONFIG_VARIABLE);

	if (argument)
		return argument;
	return named && named[0] ? named : CONFIG_PATH;
}

enum status
config_parse(struct arena *a, struct str text, const char *path,
    bool is_public, struct config *out, struct err *err)
{
	struct config config;
	struct reader r = { .arena = a, .out = &config, .err = err,
	    .file = path, .is_public = is_public };
	enum status st;

	set_defaults(a, &config);
	st = read_text(&r, text);
	if (st == OK)
		st = check(&config, path, err);
	if (st == OK)
		*out = config;
	return st;
}

enum status
config_load(struct arena *a, const char *path, struct config *out,
    struct err *err)
{
	struct buf text = buf_new(a);
	struct reader r = { .arena = a, .err = err };
	enum status st = slurp(&r, path, &text);

	if (st != OK)
		return st;
	return config_parse(a, buf_view(&text), path, r.is_public, out, err);
}

/* Showing */

static void
put_quoted(struct buf *b, struct str value)
{
	bool plain = value.n > 0;

	for (size_t i = 0; i < value.n; i++)
		if (!is_alnum(value.p[i]) && !strchr("/._:-+@%=", value.p[i]))
			plain = false;
	if (plain) {
		buf_put(b, value);
		return;
	}
	buf_byte(b, '"');
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_byte(b, '\\');
		buf_byte(b, value.p[i]);
	}
	buf_byte(b, '"');
}

static struct str
nth_word(const char *words, unsigned n)
{
	struct str word, rest = str_c(words);

	do
		str_cut(rest, ' ', &word, &rest);
	while (n-- > 0);
	return word;
}

static void
put_list(struct buf *b, const struct str_list *list)
{
	struct buf words = buf_new(b->arena);

	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_byte(&words, ' ');
		buf_put(&words, list->at[i]);
	}
	put_quoted(b, buf_view(&words));
}

static void
put_value(struct buf *b, const struct config *config, const struct row *row)
{
	const void *value = field_const(config, row);
	struct str text;
	unsigned word;

	switch (row->type) {
	case TEXT:
	case SECRET:
	case PASSWORD:
	case PATH:
	case PATH_OR_NONE:
	case URL:
		text = str_c(*(const char *const *)value);
		if (is_secret(row, text))
			text = STR(HIDDEN);
		put_quoted(b, text);
		return;
	case BOOL:
		buf_put(b, *(const bool *)value ? STR("yes") : STR("no"));
		return;
	case WORD:
		memcpy(&word, value, sizeof(word));
		buf_put(b, nth_word(row->words, word));
		return;
	case LIST:
		put_list(b, value);
		return;
	default:
		put_number(b, row->type, *(const int64_t *)value);
	}
}

void
config_put_shown(struct buf *b, const struct config *config)
{
	for (size_t i = 0; i < ROWS; i++) {
		buf_put(b, str_c(rows[i].name));
		buf_put(b, STR(" = "));
		put_value(b, config, &rows[i]);
		buf_byte(b, '\n');
	}
}

static bool
is_number(const struct row *row)
{
	return row->max > 0;
}

void
config_put_example(struct buf *b)
{
	struct config normal;

	set_defaults(b->arena, &normal);
	buf_put(b, STR("# Settings of a Tilsit index.  "
	    "What stands here are the defaults.\n"));
	for (size_t i = 0; i < ROWS; i++) {
		struct str line, help = str_c(rows[i].help);

		buf_byte(b, '\n');
		while (help.n > 0) {
			str_cut(help, '\n', &line, &help);
			buf_put(b, STR("# "));
			buf_put(b, line);
			buf_byte(b, '\n');
		}
		if (is_number(&rows[i])) {
			buf_put(b, STR("# From "));
			put_number(b, rows[i].type, rows[i].min);
			buf_put(b, STR(" to "));
			put_number(b, rows[i].type, rows[i].max);
			buf_put(b, STR(".\n"));
		}
		buf_byte(b, '#');
		buf_put(b, str_c(rows[i].name));
		buf_put(b, STR(" = "));
		put_value(b, &normal, &rows[i]);
		buf_byte(b, '\n');
	}
}

/* Text of a manual page: a backslash is \e, a sentence begins a line. */
static void
put_mdoc(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\\')
			buf_put(b, STR("\\e"));
		else if (text.p[i] == ' ' && i > 0 && text.p[i - 1] == '.')
			buf_byte(b, '\n');
		else
			buf_byte(b, text.p[i]);
	}
}

static const char *
kind_of(const struct row *row)
{
	switch (row->type) {
	case PATH:
	case PATH_OR_NONE:	return "path";
	case URL:	return "URL";
	case BOOL:	return "yes | no";
	case LIST:	return "words";
	default:	return is_number(row) ? "number" : "text";
	}
}

/* What may stand behind the "=". */
static void
put_kind(struct buf *b, const struct row *row)
{
	struct str word, rest = str_c(row->words);

	if (row->type != WORD) {
		buf_put(b, str_c(kind_of(row)));
		return;
	}
	while (str_cut(rest, ' ', &word, &rest)) {
		buf_put(b, word);
		buf_put(b, STR(" | "));
	}
	buf_put(b, word);
}

void
config_put_man(struct buf *b)
{
	struct config normal;

	set_defaults(b->arena, &normal);
	buf_put(b, STR(".Bl -tag -width Ds\n"));
	for (size_t i = 0; i < ROWS; i++) {
		struct buf value = buf_new(b->arena);

		buf_put(b, STR(".It Ic "));
		buf_put(b, str_c(rows[i].name));
		buf_put(b, STR(" = Ar "));
		put_kind(b, &rows[i]);
		buf_byte(b, '\n');
		put_mdoc(b, str_c(rows[i].help));
		buf_byte(b, '\n');
		if (is_number(&rows[i])) {
			buf_put(b, STR("From "));
			put_number(b, rows[i].type, rows[i].min);
			buf_put(b, STR(" to "));
			put_number(b, rows[i].type, rows[i].max);
			buf_put(b, STR(".\n"));
		}
		put_value(&value, &normal, &rows[i]);
		buf_put(b, STR("The default is\n.Ql "));
		put_mdoc(b, buf_view(&value));
		buf_put(b, STR(" .\n"));
	}
	buf_put(b, STR(".El\n"));
}
