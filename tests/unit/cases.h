/* cases.h - cases as folders of data: tests/cases/<module>/<case>/input.json and expected.json. A
 * new case needs no new code. The folder is $CASES, else tests/cases, as seen from the project's
 * root. Include after <cmocka.h>. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/mem.h"

/* One case. input and expected are objects with numbers kept as text; name is borrowed. */
struct test_case {
    const char *name;
    yyjson_val *input;
    yyjson_val *expected;
};

/* Says whether the case holds; prints what it found instead. */
typedef int (*case_check)(const struct test_case *test, void *context);

static inline yyjson_doc *case_read(const char *folder, const char *name, const char *file)
{
    char *path = mem_printf("%s/%s/%s", folder, name, file);
    yyjson_read_err err;
    yyjson_doc *doc = yyjson_read_file(path, YYJSON_READ_NUMBER_AS_RAW, NULL, &err);

    if (doc == NULL)
        print_error("%s: %s at byte %zu\n", path, err.msg, err.pos);
    free(path);
    return doc;
}

static inline int case_run_one(const char *folder, const char *name, case_check check,
                               void *context)
{
    yyjson_doc *input = case_read(folder, name, "input.json");
    yyjson_doc *expected = case_read(folder, name, "expected.json");
    struct test_case test = {name, yyjson_doc_get_root(input), yyjson_doc_get_root(expected)};
    int held = input != NULL && expected != NULL && check(&test, context);

    if (!held)
        print_error("case %s failed\n", name);
    yyjson_doc_free(input);
    yyjson_doc_free(expected);
    return held;
}

/* Runs every case of a module; fails the test when one does not hold, or when there are fewer than
 * least. */
static inline void cases_run(const char *module, int least, case_check check, void *context)
{
    const char *root = getenv("CASES");
    char *folder = mem_printf("%s/%s", root != NULL ? root : "tests/cases", module);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    int run = 0, failed = 0;

    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            run++;
            failed += !case_run_one(folder, entries[i]->d_name, check, context);
        }
        free(entries[i]);
    }
    free(entries);
    print_message("%s: %d cases, %d failed\n", folder, run, failed);
    free(folder);
    assert_int_equal(failed, 0);
    assert_true(run >= least);
}

/* Member of the case's settings, or what stands for it. */
static inline const char *case_string(yyjson_val *object, const char *name, const char *missing)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    return yyjson_is_str(value) ? yyjson_get_str(value) : missing;
}

/* The record's value: `order` as JSON text, or `raw` as it stands (for what is no JSON). New. */
static inline char *case_record(yyjson_val *input, size_t *length)
{
    yyjson_val *raw = yyjson_obj_get(input, "raw");

    if (raw == NULL)
        return yyjson_val_write(yyjson_obj_get(input, "order"), YYJSON_WRITE_NOFLAG, length);
    *length = yyjson_get_len(raw);
    return mem_strndup(yyjson_get_str(raw), yyjson_get_len(raw));
}

#endif
