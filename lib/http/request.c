#include "http/request.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/escape.h"

/* What stands behind "NAME=", or NULL if the entry is of another name. */
static const char *
value_of(const char *entry, const char *name)
{
	while (*name && *entry == *name) {
		entry++;
		name++;
	}
	return *name == '\0' && *entry == '=' ? entry + 1 : NULL;
}

/* A parameter of the array, or an empty view. */
static struct str
param(const char *const *env, const char *name)
{
	for (; *env; env++) {
		const char *value = value_of(*env, name);

		if (value)
			return str_c(value);
	}
	return STR("");
}

static enum method
method_of(struct str name)
{
	if (str_eq(name, STR("GET")))
		return METHOD_GET;
	if (str_eq(name, STR("HEAD")))
		return METHOD_HEAD;
	if (str_eq(name, STR("POST")))
		return METHOD_POST;
	if (str_eq(name, STR("PUT")))
		return METHOD_PUT;
	if (str_eq(name, STR("DELETE")))
		return METHOD_DELETE;
	if (str_eq(name, STR("OPTIONS")))
		return METHOD_OPTIONS;
	return METHOD_OTHER;
}

/* The header fields that we read, each with its place in the request. */
static enum status
read_fields(struct request *rq, const char *const *env, struct err *err)
{
	const struct {
		const char *name;
		struct str *into;
	} fields[] = {
		{ "REQUEST_ID", &rq->id },
		{ "HTTP_ACCEPT", &rq->accept },
		{ "CONTENT_TYPE", &rq->content_type },
		{ "HTTP_ACCEPT_ENCODING", &rq->accept_encoding },
		{ "HTTP_AUTHORIZATION", &rq->authorization },
		{ "HTTP_IF_NONE_MATCH", &rq->if_none_match },
		{ "HTTP_USER_AGENT", &rq->user_agent },
		{ "REMOTE_ADDR", &rq->remote_addr },
		{ "HTTP_HOST", &rq->host },
		{ "REQUEST_SCHEME", &rq->scheme },
	};
	enum status st = OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct str value = param(env, fields[i].name);

		if (value.n > REQUEST_HEADER_MAX)
			st = err_set(err, INVALID, "%s is over %d bytes",
			    fields[i].name, REQUEST_HEADER_MAX);
		else
			*fields[i].into = value;
	}
	return st;
}

static bool
has_dot_segment(struct str path)
{
	struct str segment;

	while (path.n) {
		str_cut(path, '/', &segment, &path);
		if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
			return true;
	}
	return false;
}

static enum status
read_path(struct request *rq, struct str uri, struct err *err)
{
	struct str path;

	if (uri.n > REQUEST_URI_MAX)
		return err_set(err, INVALID, "URL is over %d bytes",
		    REQUEST_URI_MAX);
	str_cut(uri, '?', &path, &rq->query);
	if (path.n == 0 || path.p[0] != '/')
		return err_set(err, INVALID, "URL has no path");
	if (!escape_is_valid(path))
		return err_set(err, INVALID, "broken %% escape in the URL");
	rq->raw_path = path;
	path = escape_undo(rq->arena, path, false);
	if (memchr(path.p, '\0', path.n) || !utf8_is_valid(path))
		return err_set(err, INVALID, "URL is not UTF-8 text");
	/* nginx resolved them to choose the location, we did not. */
	if (has_dot_segment(path))
		return err_set(err, INVALID, "\".\" or \"..\" in the URL");
	rq->path = path;
	return OK;
}

enum status
request_init(struct request *rq, struct arena *arena, const char *const *env,
    struct err *err)
{
	struct str method = param(env, "REQUEST_METHOD");
	struct str length = param(env, "CONTENT_LENGTH");
	enum status st;

	*rq = (struct request){ .arena = arena, .content_length = -1 };
	rq->method = method_of(method);
	st = read_fields(rq, env, err);
	if (st != OK)
		return st;
	if (method.n == 0)
		return err_set(err, INVALID, "request without a method");
	if (length.n && str_int64(length, 0, INT64_MAX,
	    &rq->content_length) != OK)
		return err_set(err, INVALID, "Content-Length is no number");
	return read_path(rq, param(env, "REQUEST_URI"), err);
}

/* The first value of a parameter as sent; false when there is none. */
static bool
find_query(const struct request *rq, struct str name, struct str *value)
{
	struct str rest = rq->query;

	while (rest.n) {
		struct str pair, key;

		str_cut(rest, '&', &pair, &rest);
		str_cut(pair, '=', &key, value);
		if (str_eq(escape_undo(rq->arena, key, true), name))
			return true;
	}
	return false;
}

static struct str
query_text(const struct request *rq, struct str name, bool plus_is_space)
{
	struct str value;

	if (!find_query(rq, name, &value))
		return STR("");
	value = escape_undo(rq->arena, value, plus_is_space);
	if (str_find(value, '\0', 0) < value.n || !utf8_is_valid(value))
		return STR("");
	return value;
}

struct str
request_query(const struct request *rq, struct str name)
{
	return query_text(rq, name, true);
}

struct str
request_query_plus(const struct request *rq, struct str name)
{
	return query_text(rq, name, false);
}

long
request_body_read(struct request *rq, void *into, size_t n)
{
	int64_t length = rq->content_length;
	ssize_t got;

	if (length >= 0 && (uint64_t)(length - rq->body_got) < n)
		n = (size_t)(length - rq->body_got);
	if (n == 0)
		return 0;
	got = rq->body_read ? rq->body_read(rq->body_source, into, n) : 0;
	if (got < 0 || (size_t)got > n)
		return -1;
	if (got == 0)
		return length >= 0 ? -1 : 0;
	rq->body_got += got;
	return got;
}
