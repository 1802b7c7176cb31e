/* payload.h - a record of the payloads topic, of a retry topic or of a waiting topic is read here
 * and nowhere else. */
#ifndef PUSHER_PAYLOAD_H
#define PUSHER_PAYLOAD_H

#include <yyjson.h>

#include "base/error.h"
#include "base/mem.h"
#include "record/event.h"
#include "delivery.h"
#include "job.h"

/**
 * @brief Parses the record and reads as much as is needed to hand it to the right worker: account,
 * e-mail address and the hash of both. Nothing is checked yet. job->doc is new, the texts are
 * borrowed from it.
 */
void payload_open(struct job *job, const struct event *event);

/**
 * @brief Checks the whole record of the job and fills in what the delivery needs of it. The values
 * are borrowed from the job's document.
 * @returns 0; -1 when it is not a payload: err says why
 */
int payload_read(struct delivery *d, struct error *err);

/** @brief A member's text, or its number as it is written; empty when it is absent. Borrowed. */
struct text payload_member(yyjson_val *object, const char *name);

#endif
