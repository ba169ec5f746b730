#include "index/mark_place.h"

#include "base/arena.h"
#include "base/buf.h"
#include "index/mark.h"
#include "index/pair.h"
#include "io/config.h"
#include "io/peer.h"
#include "io/run.h"

#define COMMAND_MS	10000	/* for mark_command */
#define COMMAND_NO	3	/* its exit status: another mark is there */

bool
mark_place_exists(const struct pair *p, enum mark_place place)
{
	switch (place) {
	case MARK_PEER:	 return p->peer != NULL;
	case MARK_THIRD: return *p->config->mark_command != '\0';
	default:	 return true;
	}
}

struct str
mark_place_name(const struct pair *p, enum mark_place place)
{
	switch (place) {
	case MARK_OWN:	return p->node;
	case MARK_PEER:	return p->peer_node;
	default:	return STR("the third place");
	}
}

/* mark_command VERB [NODE], with a text to read. */
static enum status
command(struct pair *p, struct arena *a, const char *verb, struct str node,
    struct str text, struct str *output, struct err *err)
{
	struct str_list args = { .at = NULL };
	struct run_result result;
	enum status st;

	str_list_add(a, &args, str_c(verb));
	if (node.n)
		str_list_add(a, &args, node);
	st = run_program(a, p->config->mark_command, &args, text, COMMAND_MS,
	    &result, err);
	if (st != OK)
		return err ? err_set(err, UNAVAILABLE, "mark_command: %s",
		    str_z(a, str_c(err->text))) : UNAVAILABLE;
	if (result.exit_status == COMMAND_NO)
		return err_set(err, CONFLICT, "another mark is in the third "
		    "place");
	if (result.exit_status != 0)
		return err_set(err, UNAVAILABLE, "mark_command %s ends with "
		    "status %d", verb, result.exit_status);
	if (output)
		*output = result.output;
	return OK;
}

/* tilsit-peer's answer: only "there is no mark" is no failure. */
static enum status
ask_peer(struct pair *p, struct arena *a, const char *method,
    struct str query, struct str text, struct str *answer, struct err *err)
{
	struct peer_answer got;
	enum status st;

	st = peer_request(p->peer, a, method, str_fmt(a, "%s%.*s", MARK_PATH,
	    STR_ARG(query)), text, &PEER_SMALL, &got, err);
	if (st == OK || st == CONFLICT) {
		*answer = got.body;
		return st;
	}
	return st == UNAVAILABLE ? st : err_set(err, UNAVAILABLE,
	    "%.*s answers %d", STR_ARG(p->peer_node), got.code);
}

enum status
mark_place_get(struct pair *p, struct arena *a, enum mark_place place,
    struct mark *out, struct err *err)
{
	struct str text = STR("");
	struct err why;
	enum status st;

	if (place == MARK_OWN) {
		mark_read(a, p->config->mark_path, out, &why);
		return OK;
	}
	st = place == MARK_PEER ?
	    ask_peer(p, a, "GET", STR(""), STR(""), &text, err) :
	    command(p, a, "get", STR(""), STR(""), &text, err);
	if (st == OK)
		mark_parse(a, text, out);
	return st;
}

enum status
mark_place_set(struct pair *p, struct arena *a, enum mark_place place,
    const struct mark *m, struct err *err)
{
	struct buf text = buf_new(a);
	struct str answer;

	mark_put(&text, m);
	switch (place) {
	case MARK_OWN:
		return mark_write(a, p->config->mark_path, m, false, err);
	case MARK_PEER:
		return ask_peer(p, a, "PUT", STR(""), buf_view(&text),
		    &answer, err);
	default:
		return command(p, a, "set", m->lacks, buf_view(&text), NULL,
		    err);
	}
}

enum status
mark_place_clear(struct pair *p, struct arena *a, enum mark_place place,
    const struct mark *m, struct err *err)
{
	struct buf query = buf_new(a);
	struct str answer;

	switch (place) {
	case MARK_OWN:
		return mark_clear(a, p->config->mark_path, m, err);
	case MARK_PEER:
		buf_put(&query, STR("?id="));
		buf_url(&query, m->id);
		return ask_peer(p, a, "DELETE", buf_view(&query), STR(""),
		    &answer, err);
	default:
		return command(p, a, "clear", m->is_damaged ? p->peer_node :
		    m->lacks, STR(""), NULL, err);
	}
}

enum status
mark_place_take(struct pair *p, struct arena *a, struct str text,
    struct err *err)
{
	struct server own;
	struct err why;
	struct mark m;

	mark_parse(a, text, &m);
	if (!m.is_set || m.is_damaged || !str_eq(m.lacks, p->node))
		return err_set(err, INVALID, "that is no mark that %.*s lacks "
		    "changes", STR_ARG(p->node));
	/* A server that is down may well be one that lacks changes. */
	if (server_look(p->own, a, &own, &why) == OK && !own.in_recovery)
		return err_set(err, CONFLICT, "%.*s is a primary itself",
		    STR_ARG(p->node));
	return mark_write(a, p->config->mark_path, &m, false, err);
}
