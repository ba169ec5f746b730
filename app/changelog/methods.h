/*
 * methods: what can be called by XML-RPC.
 *
 * A method writes one value into rpc->rs->body.  When it returns anything but
 * OK, err's text becomes a fault; NOT_FOUND is not one of them: what is not
 * there is an empty answer, as it always was on pypi.org.
 */
#ifndef CHANGELOG_METHODS_H
#define CHANGELOG_METHODS_H

#include <stddef.h>

#include "base/str.h"

struct arena;
struct index;
struct response;
struct xmlrpc_value;

struct rpc {
	struct index *ix;
	struct arena *arena;
	struct response *rs;
	const struct xmlrpc_value *arg;
	size_t n_args;
	struct err *err;		/* for callbacks that get none */
};

struct rpc_method {
	struct str name;
	const char *takes;	/* a letter an argument: 's' text, 'i' integer,
				   'b' boolean, 'l' array of texts, '*'
				   anything; behind '|' they are optional */
	enum status (*run)(struct rpc *rpc, struct err *err);
};

/* The method of this name, or NULL. */
const struct rpc_method *rpc_method_find(struct str name);

#endif
