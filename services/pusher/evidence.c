#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void evidence_clear(struct evidence *evidence)
{
    for (int i = 0; i < evidence->incomplete_count; i++) {
        free(evidence->incomplete[i].step);
        free(evidence->incomplete[i].answer);
    }
    free(evidence->incomplete);
    for (int i = 0; i < evidence->left_out_count; i++)
        free(evidence->left_out[i]);
    free(evidence->left_out);
    *evidence = (struct evidence){0};
}

void evidence_add(struct evidence *evidence, const char *step, const char *answer)
{
    struct incomplete *one;

    for (int i = 0; i < evidence->incomplete_count; i++)
        if (strcmp(evidence->incomplete[i].step, step) == 0)
            return;
    if (evidence->incomplete_count == EVIDENCE_INCOMPLETE_MAX)
        return;
    evidence->incomplete =
        mem_realloc(evidence->incomplete, (size_t)(evidence->incomplete_count + 1) * sizeof(*one));
    one = &evidence->incomplete[evidence->incomplete_count++];
    one->step = mem_strdup(step);
    one->answer = mem_strdup(answer);
}

void evidence_leave_out(struct evidence *evidence, struct text what)
{
    for (int i = 0; i < evidence->left_out_count; i++)
        if (text_is(what, evidence->left_out[i]))
            return;
    if (what.length == 0 || evidence->left_out_count == EVIDENCE_LEFT_OUT_MAX)
        return;
    evidence->left_out = mem_realloc(evidence->left_out, (size_t)(evidence->left_out_count + 1) *
                                                             sizeof(*evidence->left_out));
    evidence->left_out[evidence->left_out_count++] = mem_strndup(what.data, what.length);
}

/* Counts and times in ms. A larger number is forged, and could overflow a sum. */
#define NUMBER_MAX INT64_C(1000000000000000)

static void read_int(yyjson_val *object, const char *name, int64_t *target)
{
    yyjson_val *value = yyjson_obj_get(object, name);
    int64_t number = -1;

    if (yyjson_is_raw(value))
        (void)text_to_int((struct text){yyjson_get_raw(value), yyjson_get_len(value)}, &number);
    else if (yyjson_is_int(value))
        number = yyjson_get_sint(value);
    if (number >= 0 && number <= NUMBER_MAX)
        *target = number;
}

void evidence_read(struct evidence *evidence, yyjson_val *root)
{
    yyjson_val *digest = yyjson_obj_get(root, "digest");
    yyjson_val *times = yyjson_obj_get(root, "times"), *one;
    yyjson_arr_iter iter;

    read_int(root, "calls", &evidence->calls);
    read_int(root, "attempts", &evidence->attempts);
    read_int(times, "polled", &evidence->polled_at);
    read_int(times, "eligible", &evidence->eligible_at);
    read_int(times, "created", &evidence->created_at);
    if (yyjson_is_str(digest) && yyjson_get_len(digest) < sizeof(evidence->digest))
        snprintf(evidence->digest, sizeof(evidence->digest), "%s", yyjson_get_str(digest));
    yyjson_arr_iter_init(yyjson_obj_get(root, "incomplete"), &iter);
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        const char *step = yyjson_get_str(yyjson_obj_get(one, "step"));
        const char *answer = yyjson_get_str(yyjson_obj_get(one, "answer"));

        if (step != NULL && answer != NULL)
            evidence_add(evidence, step, answer);
    }
    yyjson_arr_iter_init(yyjson_obj_get(root, "left_out"), &iter);
    while ((one = yyjson_arr_iter_next(&iter)) != NULL)
        if (yyjson_is_str(one))
            evidence_leave_out(evidence, (struct text){yyjson_get_str(one), yyjson_get_len(one)});
}

static void put_time(yyjson_mut_doc *doc, yyjson_mut_val *times, const char *name, int64_t at_ms)
{
    if (at_ms > 0)
        yyjson_mut_obj_add_sint(doc, times, name, at_ms);
    else
        yyjson_mut_obj_add_null(doc, times, name);
}

void evidence_put(const struct evidence *evidence, yyjson_mut_doc *doc, yyjson_mut_val *root,
                  yyjson_mut_val *times)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);

    yyjson_mut_obj_add_str(doc, root, "digest", evidence->digest);
    for (int i = 0; i < evidence->incomplete_count; i++) {
        yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, list);

        yyjson_mut_obj_add_str(doc, one, "step", evidence->incomplete[i].step);
        yyjson_mut_obj_add_str(doc, one, "answer", evidence->incomplete[i].answer);
    }
    yyjson_mut_obj_add_val(doc, root, "incomplete", list);
    if (evidence->left_out_count > 0) {
        yyjson_mut_val *left_out = yyjson_mut_obj_add_arr(doc, root, "left_out");

        for (int i = 0; i < evidence->left_out_count; i++)
            yyjson_mut_arr_add_str(doc, left_out, evidence->left_out[i]);
    }
    yyjson_mut_obj_add_sint(doc, root, "calls", evidence->calls);
    yyjson_mut_obj_add_sint(doc, root, "attempts", evidence->attempts);
    put_time(doc, times, "polled", evidence->polled_at);
    put_time(doc, times, "eligible", evidence->eligible_at);
    put_time(doc, times, "created", evidence->created_at);
}

char *evidence_write(const struct evidence *evidence)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc), *times = yyjson_mut_obj(doc);
    char *text;

    yyjson_mut_doc_set_root(doc, root);
    evidence_put(evidence, doc, root, times);
    yyjson_mut_obj_add_val(doc, root, "times", times);
    text = mem_check(yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, NULL));
    yyjson_mut_doc_free(doc);
    return text;
}
