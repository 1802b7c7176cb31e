/* trace.h - the header `traceparent` of a record: W3C Trace Context, one trace for each version of
 * an order, from the poll to the call. Pure.
 *
 *     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *        trace id: the same everywhere    span id: who wrote it
 *
 * The ids are digests and no random numbers. So whoever does a record again writes the same header
 * again, and an order that is published twice in one version has one trace. Source:
 * https://www.w3.org/TR/trace-context/ */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include "base/mem.h"

enum { TRACE_BYTES = 56, TRACE_LENGTH = 55, TRACE_ID_LENGTH = 32, TRACE_SPAN_LENGTH = 16 };

/**
 * @brief The trace id of a header that anybody may have written.
 * @returns 32 hex digits, borrowed from it; {NULL, 0}: it is no traceparent, so it is not to be used
 */
struct text trace_id(struct text traceparent);

/** @brief Begins a trace. parts: what names the thing that is traced; the same parts give the same
 * trace. */
void trace_begin(char target[TRACE_BYTES], const struct text *parts, int count);

/**
 * @brief The same trace with a span id of one's own. It is made of the span id before and of who.
 * @param who  the service, or the number of the call
 * @returns 0; -1: parent is no traceparent, and target is left as it was
 */
int trace_continue(char target[TRACE_BYTES], struct text parent, struct text who);

#endif
