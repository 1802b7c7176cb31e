#include "history/fate_version.h"

#include <jansson.h>

/* As far as a header can tell one, see EVENT_NUMBER_DIGITS_MAX. */
#define VERSION_MAX INT64_C(999999999999999)

int64_t fate_version(const struct event *event)
{
    int64_t version = event_header_int(event, HEADER_MODIFIED_AT, -1);
    json_t *value;

    if (version >= 0 || event->value.data == NULL)
        return version;
    value = json_loadb(event->value.data, event->value.length, 0, NULL);
    if (json_is_integer(json_object_get(value, "modified_at")))
        version = json_integer_value(json_object_get(value, "modified_at"));
    json_decref(value);
    return version >= 0 && version <= VERSION_MAX ? version : -1;
}
