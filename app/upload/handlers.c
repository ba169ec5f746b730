#include "upload/handlers.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/findings.h"
#include "http/credential.h"
#include "http/request.h"
#include "http/response.h"
#include "index/account.h"
#include "index/index.h"
#include "index/primary.h"
#include "index/upload.h"
#include "pkg/classifier.h"
#include "upload/form.h"

/* Everything that one action needs. */
struct action {
	struct index *ix;
	struct request *rq;
	struct response *rs;
	struct caller caller;
	struct form form;
	struct findings *found;
};

/* The answer to a change: old clients read 200 and "OK", nothing else. */
static void
put_done(struct response *rs, int64_t serial)
{
	struct buf text = buf_new(rs->arena);

	rs->type = STR("text/plain; charset=utf-8");
	buf_put(&rs->body, STR("OK\n"));
	if (serial == 0)
		return;
	buf_int(&text, serial);
	header_put(rs, STR("X-PyPI-Last-Serial"), buf_view(&text));
	rs->note.serial = serial;
}

static enum status
file_upload(struct action *act, struct err *err)
{
	struct arena *a = act->rq->arena;
	struct upload *up = &act->form.upload;
	int64_t serial;
	enum status st;

	st = upload_check(act->ix, a, up, act->found, err);
	if (st == OK)
		st = findings_status(act->found, err);
	if (st == OK)
		st = upload_publish(act->ix, a, &act->caller, up, &serial,
		    err);
	act->rs->note.peer = up->peer;
	if (st == OK)
		put_done(act->rs, serial);
	return st;
}

/* `setup.py register`: keeps the name for whoever registers it. */
static enum status
submit(struct action *act, struct err *err)
{
	struct arena *a = act->rq->arena;
	struct upload *up = &act->form.upload;
	int64_t serial;
	enum status st;

	upload_check_form(act->ix, a, up, act->found);
	st = findings_status(act->found, err);
	if (st == OK)
		st = upload_register(act->ix, a, &act->caller, up, &serial,
		    err);
	if (st == OK)
		put_done(act->rs, serial);
	return st;
}

/* `setup.py check` against the server: says what is wrong, changes nothing. */
static enum status
verify(struct action *act, struct err *err)
{
	enum status st;

	upload_check_form(act->ix, act->rq->arena, &act->form.upload,
	    act->found);
	st = findings_status(act->found, err);
	if (st != OK)
		return st;
	act->rs->type = STR("text/plain; charset=utf-8");
	buf_put(&act->rs->body, STR("Validated OK\n"));
	return OK;
}

static enum status
doc_upload(struct action *act, struct err *err)
{
	(void)act;
	return err_set(err, GONE, "Uploading documentation is not supported: "
	    "publish it where it can be found, and name that place in "
	    "Project-URL");
}

static const struct {
	struct str name;
	enum status (*run)(struct action *act, struct err *err);
} actions[] = {
	{ STR_INIT("file_upload"), file_upload },
	{ STR_INIT("submit"), submit },
	{ STR_INIT("submit_pkg_info"), submit },
	{ STR_INIT("verify"), verify },
	{ STR_INIT("doc_upload"), doc_upload },
};

static enum status
run_action(struct action *act, struct err *err)
{
	struct str name = act->form.action;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (str_eq(actions[i].name, name))
			return actions[i].run(act, err);
	if (name.n == 0)
		return err_set(err, INVALID, "The form has no ':action'; to "
		    "upload a file, send file_upload");
	return err_set(err, INVALID, "This index does not know the :action "
	    "'%.*s'; it knows file_upload, submit and verify",
	    STR_ARG(name));
}

/* Who it is comes first: a stranger's body is not worth reading. */
static enum status
identify(struct action *act, struct err *err)
{
	struct credential credential;
	enum status st;

	st = credential_parse(act->rq->arena, act->rq->authorization,
	    &credential, err);
	if (st == OK)
		st = account_identify(act->ix, act->rq->arena, &credential,
		    &act->caller, err);
	if (st == OK)
		act->rs->note.user = act->caller.name;
	return st;
}

enum status
upload_post(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	struct action act = {
		.ix = app, .rq = rq, .rs = rs,
		.found = arena_alloc(rq->arena, sizeof(struct findings)),
	};
	enum status st;

	*act.found = findings_new(rq->arena);
	rs->findings = act.found;
	rs->conflict_is_400 = true;
	primary_be_patient(act.ix);
	do
		st = identify(&act, err);
	while (primary_try_again(act.ix, st));
	if (st == OK)
		st = form_read(act.ix, rq, &act.form, act.found, err);
	if (st == OK)
		st = run_action(&act, err);
	rs->note.project = act.form.upload.project;
	return st;
}

enum status
upload_get(void *app, struct request *rq, struct response *rs,
    struct err *err)
{
	struct str action = request_query(rq, STR(":action"));

	(void)app;
	if (!str_eq(action, STR("list_classifiers")))
		return err_set(err, NOT_FOUND, "This is where packages are "
		    "uploaded to, by POST (twine, uv publish); to look at "
		    "them, see /simple/");
	rs->type = STR("text/plain; charset=utf-8");
	for (size_t i = 0; i < classifier_count(); i++) {
		buf_put(&rs->body, classifier_at(i));
		buf_byte(&rs->body, '\n');
	}
	return OK;
}
