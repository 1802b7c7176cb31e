#include "decide.h"

#include "base/json.h"
#include "base/retry.h"
#include "base/text.h"

enum decision decide_failure(const struct failure *failure, int *topic)
{
    *topic = retry_delay_index(failure->attempt);
    if (failure->attempt < failure->max_attempts || failure->doubt)
        return DECISION_RETRY;
    return failure->is_made ? DECISION_INCOMPLETE : DECISION_GIVE_UP;
}

enum achieved decide_achieved(yyjson_val *root)
{
    yyjson_val *results = yyjson_obj_get(root, "results"), *one;
    yyjson_arr_iter iter;

    if (!yyjson_is_arr(results))
        return ACHIEVED_UNKNOWN;
    yyjson_arr_iter_init(results, &iter);
    while ((one = yyjson_arr_iter_next(&iter)) != NULL)
        if (yyjson_is_true(yyjson_obj_get(one, "success")))
            return ACHIEVED_YES;
    return ACHIEVED_NO;
}

enum applied decide_applied(yyjson_val *root, const char *contact_id)
{
    yyjson_val *result = yyjson_obj_get(yyjson_obj_get(root, "results"), contact_id);

    if (!yyjson_is_str(result))
        return APPLIED_UNKNOWN;
    return text_equal_nocase(json_text(result), text_of("SUCCESS")) ||
                   text_equal_nocase(json_text(result), text_of("DUPLICATE"))
               ? APPLIED_YES
               : APPLIED_OTHER;
}

struct lookup decide_lookup(struct text wanted)
{
    struct lookup lookup = {wanted, 0};

    for (size_t i = 0; i < wanted.length; i++) {
        char c = wanted.data[i];

        if (c == ';' || c == ',' || c == '*') {
            lookup.value.length = i;
            lookup.prefix = 1;
            break;
        }
    }
    return lookup;
}
