/*
 * become: root runs `tilsit` as the user whose index it is.
 *
 * What a command makes in the store must belong to the programs' user, and
 * PostgreSQL knows that one by its name.  On call, nobody should have to think
 * of that.
 */
#ifndef CLI_BECOME_H
#define CLI_BECOME_H

#include "base/status.h"

/*
 * If this process is root's and the store is another user's: be that user from
 * here on.  config_path is --config's argument or NULL.  Settings that cannot
 * be read change nothing: the command itself will say so.  UNAVAILABLE when
 * the system does not let us.
 */
MUST_USE enum status become_owner(const char *config_path, struct err *err);

#endif
