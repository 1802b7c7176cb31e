/* measure.h - what /metrics tells about the calls to an account: how long they take, and how far
 * its clock is from ours. Only infusionsoft.c uses it. */
#ifndef COMMON_INFUSIONSOFT_MEASURE_H
#define COMMON_INFUSIONSOFT_MEASURE_H

#include "net/http.h"

/** @brief The kind of thing that a path is about: "orders", "payments", "goals", ...; "other" for a
 * path that is not in the list, so that there are never more than a few. Static. */
const char *measure_object(const char *path);

/** @brief The class of a status for a label: "2xx", "4xx", "429", ...; "none": there was no answer.
 * Static. */
const char *measure_status(int status);

/** @brief Counts one call that was sent. answer: status 0 when none came */
void measure_call(const char *account, const char *method, const char *path,
                  const struct http_answer *answer);

#endif
