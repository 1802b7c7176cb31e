/* topics_acl.h - what each program must be allowed in Kafka. Pure: `bigfusion topics acl` prints it. */
#ifndef INSPECTOR_TOPICS_ACL_H
#define INSPECTOR_TOPICS_ACL_H

#include "base/error.h"
#include "base/mem.h"
#include "settings/config.h"

/* {program} stands for poller, filter, mapper, pusher, console, operator or setup. */
#define ACL_PRINCIPAL "User:bigfusion-{program}"

/**
 * @brief Appends a shell script: one call of the command kafka-acls for each kind of access that a program
 * needs. No program gets more than it uses, and no name is a pattern.
 * @param principal  the name of each program's login, with {program} in it; without {program} all
 * programs have the same login
 * @returns 0; -1 with a permanent error where a principal is not of the form TYPE:NAME or has
 * characters that a shell would not leave as they are
 */
int topics_acl_write(const struct config *config, const char *principal, struct buffer *target,
                     struct error *err);

#endif
