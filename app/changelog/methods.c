#include "changelog/methods.h"

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/response.h"
#include "http/respond.h"
#include "http/xmlrpc.h"
#include "index/index.h"
#include "index/journal.h"
#include "index/link.h"
#include "index/project.h"
#include "index/release.h"
#include "index/role.h"
#include "index/serial.h"
#include "io/config.h"
#include "pkg/name.h"

static struct buf *
out(struct rpc *rpc)
{
	return &rpc->rs->body;
}

/* Send what there is so far, if it is much: answers may be long. */
static enum status
spill(struct rpc *rpc)
{
	return response_spill(rpc->rs, rpc->err);
}

static struct str
name_arg(const struct rpc *rpc, size_t i)
{
	struct str name = rpc->arg[i].text;

	return name_is_valid(name) ? name_normalize(rpc->arena, name) :
	    STR("");
}

static int64_t
limit_of(const struct rpc *rpc)
{
	return rpc->ix->config->changelog_limit;
}

/* A value that may be empty, as Python's None. */
static void
put_str_or_nil(struct buf *b, struct str value)
{
	if (value.n)
		xmlrpc_str(b, value);
	else
		xmlrpc_nil(b);
}

static enum status
changelog_last_serial(struct rpc *rpc, struct err *err)
{
	int64_t serial;
	enum status st = serial_newest(rpc->ix, rpc->arena, &serial, err);

	if (st == OK)
		xmlrpc_int(out(rpc), serial);
	return st;
}

/* [name, version or nil, seconds, action, serial] */
static enum status
put_event(struct rpc *rpc, const struct event *event, bool with_serial)
{
	struct buf *b = out(rpc);

	xmlrpc_array(b);
	xmlrpc_str(b, event->project);
	put_str_or_nil(b, event->version);
	xmlrpc_int(b, event->at_us / 1000000);
	xmlrpc_str(b, event->action);
	if (with_serial)
		xmlrpc_int(b, event->serial);
	xmlrpc_array_end(b);
	return spill(rpc);
}

static enum status
event_with_serial(void *arg, const struct event *event)
{
	return put_event(arg, event, true);
}

static enum status
event_without_serial(void *arg, const struct event *event)
{
	return put_event(arg, event, false);
}

static enum status
changelog_since_serial(struct rpc *rpc, struct err *err)
{
	enum status st;

	xmlrpc_array(out(rpc));
	st = journal_since_serial(rpc->ix, rpc->arena, rpc->arg[0].integer,
	    limit_of(rpc), event_with_serial, rpc, err);
	xmlrpc_array_end(out(rpc));
	return st;
}

static enum status
changelog(struct rpc *rpc, struct err *err)
{
	bool with_serial = rpc->n_args > 1 && rpc->arg[1].integer;
	enum status st;

	xmlrpc_array(out(rpc));
	st = journal_since_time(rpc->ix, rpc->arena, rpc->arg[0].integer,
	    limit_of(rpc), with_serial ? event_with_serial :
	    event_without_serial, rpc, err);
	xmlrpc_array_end(out(rpc));
	return st;
}

static enum status
put_release_pair(void *arg, const struct event *event)
{
	struct rpc *rpc = arg;

	xmlrpc_array(out(rpc));
	xmlrpc_str(out(rpc), event->project);
	xmlrpc_str(out(rpc), event->version);
	xmlrpc_array_end(out(rpc));
	return spill(rpc);
}

static enum status
updated_releases(struct rpc *rpc, struct err *err)
{
	enum status st;

	xmlrpc_array(out(rpc));
	st = journal_updated_releases(rpc->ix, rpc->arena,
	    rpc->arg[0].integer, limit_of(rpc), put_release_pair, rpc, err);
	xmlrpc_array_end(out(rpc));
	return st;
}

static enum status
put_project_of_event(void *arg, const struct event *event)
{
	struct rpc *rpc = arg;

	xmlrpc_str(out(rpc), event->project);
	return spill(rpc);
}

static enum status
changed_packages(struct rpc *rpc, struct err *err)
{
	enum status st;

	xmlrpc_array(out(rpc));
	st = journal_changed_projects(rpc->ix, rpc->arena,
	    rpc->arg[0].integer, limit_of(rpc), put_project_of_event, rpc,
	    err);
	xmlrpc_array_end(out(rpc));
	return st;
}

static enum status
put_project_name(void *arg, const struct project_summary *project)
{
	struct rpc *rpc = arg;

	xmlrpc_str(out(rpc), project->name);
	return spill(rpc);
}

static enum status
list_packages(struct rpc *rpc, struct err *err)
{
	enum status st;

	xmlrpc_array(out(rpc));
	st = project_each_shown(rpc->ix, rpc->arena, put_project_name, rpc,
	    err);
	xmlrpc_array_end(out(rpc));
	return st;
}

static enum status
put_project_serial(void *arg, const struct project_summary *project)
{
	struct rpc *rpc = arg;

	xmlrpc_member(out(rpc), project->name);
	xmlrpc_int(out(rpc), project->last_serial);
	xmlrpc_member_end(out(rpc));
	return spill(rpc);
}

static enum status
list_packages_with_serial(struct rpc *rpc, struct err *err)
{
	enum status st;

	xmlrpc_struct(out(rpc));
	st = project_each_shown(rpc->ix, rpc->arena, put_project_serial, rpc,
	    err);
	xmlrpc_struct_end(out(rpc));
	return st;
}

/* Newest first; yanked ones only when asked for. */
static enum status
package_releases(struct rpc *rpc, struct err *err)
{
	bool show_hidden = rpc->n_args > 1 && rpc->arg[1].integer;
	struct release_list releases;
	enum status st;

	st = release_list(rpc->ix, rpc->arena, name_arg(rpc, 0), &releases,
	    err);
	if (st != OK)
		return st;
	xmlrpc_array(out(rpc));
	for (size_t i = releases.n; i > 0; i--)
		if (show_hidden || !releases.at[i - 1].is_yanked)
			xmlrpc_str(out(rpc), releases.at[i - 1].version);
	xmlrpc_array_end(out(rpc));
	return OK;
}

static void
member_str(struct buf *b, struct str name, struct str value)
{
	xmlrpc_member(b, name);
	xmlrpc_str(b, value);
	xmlrpc_member_end(b);
}

static void
member_int(struct buf *b, struct str name, int64_t value)
{
	xmlrpc_member(b, name);
	xmlrpc_int(b, value);
	xmlrpc_member_end(b);
}

static void
member_bool(struct buf *b, struct str name, bool value)
{
	xmlrpc_member(b, name);
	xmlrpc_bool(b, value);
	xmlrpc_member_end(b);
}

static void
member_nil(struct buf *b, struct str name)
{
	xmlrpc_member(b, name);
	xmlrpc_nil(b);
	xmlrpc_member_end(b);
}

static void
put_release_file(struct rpc *rpc, const struct release_file *file)
{
	struct str base = str_c(rpc->ix->config->external_url);
	struct str path = link_file(rpc->arena, STR(""), file->blake2b_256,
	    file->filename);
	struct buf *b = out(rpc);

	xmlrpc_struct(b);
	member_str(b, STR("packagetype"), file->packagetype);
	member_str(b, STR("python_version"), file->python_version);
	member_str(b, STR("comment_text"), file->comment_text);
	member_str(b, STR("filename"), file->filename);
	member_str(b, STR("md5_digest"), file->md5);
	member_str(b, STR("sha256_digest"), file->sha256);
	xmlrpc_member(b, STR("digests"));
	xmlrpc_struct(b);
	member_str(b, STR("md5"), file->md5);
	member_str(b, STR("sha256"), file->sha256);
	member_str(b, STR("blake2b_256"), file->blake2b_256);
	xmlrpc_struct_end(b);
	xmlrpc_member_end(b);
	member_int(b, STR("size"), file->size);
	member_bool(b, STR("has_sig"), false);
	member_int(b, STR("downloads"), -1);
	xmlrpc_member(b, STR("upload_time"));
	xmlrpc_datetime(b, file->uploaded_at_us);
	xmlrpc_member_end(b);
	member_str(b, STR("path"), str_sub(path, STR("/packages/").n,
	    path.n));
	member_str(b, STR("url"), str_fmt(rpc->arena, "%.*s%.*s",
	    STR_ARG(base), STR_ARG(path)));
	xmlrpc_struct_end(b);
}

static enum status
release_urls(struct rpc *rpc, struct err *err)
{
	struct release_file_list files;
	enum status st;

	st = release_files(rpc->ix, rpc->arena, name_arg(rpc, 0),
	    rpc->arg[1].text, &files, err);
	if (st != OK)
		return st;
	xmlrpc_array(out(rpc));
	for (size_t i = 0; i < files.n; i++)
		put_release_file(rpc, &files.at[i]);
	xmlrpc_array_end(out(rpc));
	return OK;
}

static void
put_metadata(struct buf *b, const struct metadata *metadata)
{
	for (int field = 0; field < METADATA_FIELDS; field++) {
		const struct metadata_rule *rule =
		    metadata_rule((enum metadata_field)field);
		const struct str_list *values = &metadata->values[field];

		if (field == METADATA_NAME || field == METADATA_VERSION ||
		    field == METADATA_KEYWORDS || field == METADATA_PLATFORM)
			continue;	/* written by the caller */
		if (!rule->is_list) {
			member_str(b, rule->form, metadata_get(metadata,
			    (enum metadata_field)field));
			continue;
		}
		xmlrpc_member(b, rule->form);
		xmlrpc_array(b);
		for (size_t i = 0; i < values->n; i++)
			xmlrpc_str(b, values->at[i]);
		xmlrpc_array_end(b);
		xmlrpc_member_end(b);
	}
}

static void
put_no_downloads(struct buf *b)
{
	xmlrpc_member(b, STR("downloads"));
	xmlrpc_struct(b);
	member_int(b, STR("last_day"), -1);
	member_int(b, STR("last_week"), -1);
	member_int(b, STR("last_month"), -1);
	xmlrpc_struct_end(b);
	xmlrpc_member_end(b);
}

/* What pypi.org once knew of a release, and answered as None ever since. */
static void
put_forgotten(struct buf *b)
{
	static const struct str names[] = {
		STR_INIT("bugtrack_url"), STR_INIT("docs_url"),
		STR_INIT("stable_version"),
		STR_INIT("cheesecake_code_kwalitee_id"),
		STR_INIT("cheesecake_documentation_id"),
		STR_INIT("cheesecake_installability_id"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		member_nil(b, names[i]);
}

/* A struct of everything; an empty one when there is no such release. */
static enum status
release_data(struct rpc *rpc, struct err *err)
{
	struct str name = name_arg(rpc, 0);
	struct buf *b = out(rpc);
	struct release_facts facts;
	struct str url;
	enum status st;

	st = release_facts(rpc->ix, rpc->arena, name, rpc->arg[1].text,
	    &facts, err);
	if (st != OK && st != NOT_FOUND)
		return st;
	xmlrpc_struct(b);
	if (st == OK) {
		url = link_project(rpc->arena,
		    str_c(rpc->ix->config->external_url), name);
		member_str(b, STR("name"), facts.name);
		member_str(b, STR("version"), facts.version);
		member_str(b, STR("keywords"),
		    metadata_keywords(rpc->arena, &facts.metadata));
		member_str(b, STR("platform"),
		    metadata_get(&facts.metadata, METADATA_PLATFORM));
		put_metadata(b, &facts.metadata);
		member_bool(b, STR("_pypi_hidden"), facts.is_yanked);
		put_forgotten(b);
		member_str(b, STR("package_url"), url);
		member_str(b, STR("release_url"), url);
		put_no_downloads(b);
	}
	xmlrpc_struct_end(b);
	return OK;
}

static void
put_roles(struct buf *b, const struct role_list *roles, bool of_project)
{
	xmlrpc_array(b);
	for (size_t i = 0; i < roles->n; i++) {
		xmlrpc_array(b);
		xmlrpc_str(b, roles->at[i].role);
		xmlrpc_str(b, of_project ? roles->at[i].account :
		    roles->at[i].project);
		xmlrpc_array_end(b);
	}
	xmlrpc_array_end(b);
}

static enum status
package_roles(struct rpc *rpc, struct err *err)
{
	struct role_list roles;
	enum status st = role_of_project(rpc->ix, rpc->arena,
	    name_arg(rpc, 0), &roles, err);

	if (st == OK)
		put_roles(out(rpc), &roles, true);
	return st;
}

static enum status
user_packages(struct rpc *rpc, struct err *err)
{
	struct role_list roles;
	enum status st = role_of_account(rpc->ix, rpc->arena,
	    rpc->arg[0].text, &roles, err);

	if (st == OK)
		put_roles(out(rpc), &roles, false);
	return st;
}

static enum status
browse(struct rpc *rpc, struct err *err)
{
	const struct xmlrpc_value *given = &rpc->arg[0];
	struct str_list classifiers = { .at = NULL };
	struct release_name_list found;
	enum status st;

	for (size_t i = 0; i < given->n; i++) {
		if (given->items[i].type != XMLRPC_STRING)
			return err_set(err, INVALID, "TypeError: classifiers "
			    "are strings");
		str_list_add(rpc->arena, &classifiers, given->items[i].text);
	}
	if (classifiers.n == 0)
		return err_set(err, INVALID, "ValueError: Must provide at "
		    "least one classifier");
	st = release_browse(rpc->ix, rpc->arena, &classifiers, limit_of(rpc),
	    &found, err);
	if (st != OK)
		return st;
	xmlrpc_array(out(rpc));
	for (size_t i = 0; i < found.n; i++) {
		xmlrpc_array(out(rpc));
		xmlrpc_str(out(rpc), found.at[i].project);
		xmlrpc_str(out(rpc), found.at[i].version);
		xmlrpc_array_end(out(rpc));
	}
	xmlrpc_array_end(out(rpc));
	return OK;
}

/* What pypi.org answers today, so that clients fall back as they do there. */
static enum status
search(struct rpc *rpc, struct err *err)
{
	(void)rpc;
	return err_set(err, GONE, "RuntimeError: This index does not support "
	    "'pip search' (or XML-RPC search). Please look at /simple/ "
	    "instead.");
}

static enum status
top_packages(struct rpc *rpc, struct err *err)
{
	(void)rpc;
	return err_set(err, GONE, "RuntimeError: This API has been removed: "
	    "this index does not count downloads.");
}

static enum status
multicall(struct rpc *rpc, struct err *err)
{
	(void)rpc;
	return err_set(err, GONE, "ValueError: MultiCall requests have been "
	    "deprecated, use individual requests instead.");
}

static enum status list_methods(struct rpc *rpc, struct err *err);

static const struct rpc_method methods[] = {
	{ STR_INIT("browse"), "l", browse },
	{ STR_INIT("changed_packages"), "i", changed_packages },
	{ STR_INIT("changelog"), "i|b", changelog },
	{ STR_INIT("changelog_last_serial"), "", changelog_last_serial },
	{ STR_INIT("changelog_since_serial"), "i", changelog_since_serial },
	{ STR_INIT("list_packages"), "", list_packages },
	{ STR_INIT("list_packages_with_serial"), "",
	    list_packages_with_serial },
	{ STR_INIT("package_data"), "ss", release_data },
	{ STR_INIT("package_releases"), "s|b", package_releases },
	{ STR_INIT("package_roles"), "s", package_roles },
	{ STR_INIT("package_urls"), "ss", release_urls },
	{ STR_INIT("release_data"), "ss", release_data },
	{ STR_INIT("release_urls"), "ss", release_urls },
	{ STR_INIT("search"), "*|s", search },
	{ STR_INIT("system.listMethods"), "", list_methods },
	{ STR_INIT("system.multicall"), "l", multicall },
	{ STR_INIT("top_packages"), "|i", top_packages },
	{ STR_INIT("updated_releases"), "i", updated_releases },
	{ STR_INIT("user_packages"), "s", user_packages },
};

static enum status
list_methods(struct rpc *rpc, struct err *err)
{
	(void)err;
	xmlrpc_array(out(rpc));
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		xmlrpc_str(out(rpc), methods[i].name);
	xmlrpc_array_end(out(rpc));
	return OK;
}

const struct rpc_method *
rpc_method_find(struct str name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (str_eq(methods[i].name, name))
			return &methods[i];
	return NULL;
}
