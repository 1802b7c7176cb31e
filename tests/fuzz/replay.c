/* replay.c - a target's corpus run again without libFuzzer: each file as it is, with each value of
 * a JSON document changed in every way, cut at every byte, and with every byte replaced. A fault
 * ends the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz.h"
#include "mutate.h"

enum {
    FILE_MAX_BYTES = 1 << 20,
    CHANGES_MAX = 40000, /* per file: a long one is cut and changed at every n-th place */
};

static long run_count;
static struct buffer now; /* what runs, for a person with a debugger */

/* A copy of its own and of just that length, so that a sanitizer sees a read behind its end. */
static void run(const char *data, size_t size)
{
    uint8_t *copy = mem_alloc(size > 0 ? size : 1);

    memcpy(copy, data, size);
    buffer_reset(&now);
    buffer_append(&now, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    run_count++;
}

static void change_members(struct text document)
{
    struct buffer changed = {0};
    size_t count = mutate_count(document);
    int kinds = mutate_kinds();

    for (size_t i = 0; i < count; i++)
        for (int kind = 0; kind < kinds; kind++) {
            if (count * (size_t)kinds > CHANGES_MAX && (i + (size_t)kind) % 7 != 0)
                continue;
            mutate_write(document, i, kind, &changed);
            run(changed.data, changed.length);
        }
    buffer_clear(&changed);
}

static void damage(struct text document)
{
    static const char nonsense[] = {'"', '{', '[', '9', '\xff', '-', '\0', '\n'};
    size_t step = 1 + document.length * (sizeof(nonsense) + 1) / CHANGES_MAX;
    char *copy = mem_strndup(document.data, document.length);

    for (size_t i = 0; i < document.length; i += step) {
        char kept = copy[i];

        run(document.data, i);
        for (size_t k = 0; k < sizeof(nonsense); k++) {
            copy[i] = nonsense[k];
            run(copy, document.length);
        }
        copy[i] = kept;
    }
    free(copy);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *data = mem_alloc(FILE_MAX_BYTES);
    struct text document;

    if (file == NULL)
        fail_msg("%s cannot be read", path);
    document = (struct text){data, fread(data, 1, FILE_MAX_BYTES, file)};
    fclose(file);
    run(document.data, document.length);
    if (fuzz_target.json)
        change_members(document);
    damage(document);
    free(data);
}

static void the_corpus_runs_again(void **state)
{
    char *folder = mem_printf("tests/fuzz/corpus/%s", fuzz_target.name);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort), files = 0;

    (void)state;
    run("", 0);
    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", folder, entries[i]->d_name);

        if (entries[i]->d_name[0] != '.') {
            run_file(path);
            files++;
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    print_message("%s: files=%d runs=%ld\n", folder, files, run_count);
    free(folder);
    buffer_clear(&now);
    assert_true(files > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_corpus_runs_again)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
