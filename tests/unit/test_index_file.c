/* test_index_file.c - the file of the console's index: nothing personal is in it, and whatever happens to
 * it, the console goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../services/console/index_internal.h"
#include "index_rows.h"

/* Everything that the files of the index hold. */
static char *whole_file(const char *tail, size_t *size)
{
    char *name = mem_printf("%s%s", path, tail);
    FILE *file = fopen(name, "rb");
    struct buffer all = {0};
    char part[4096];
    size_t length;

    free(name);
    buffer_append(&all, "", 0);
    while (file != NULL && (length = fread(part, 1, sizeof(part), file)) > 0)
        buffer_append(&all, part, length);
    if (file != NULL)
        fclose(file);
    *size = all.length;
    return all.data;
}

static void test_nothing_personal_is_in_the_file(void **unused)
{
    static const char *const personal[] = {"Jane", "Doe", "xample.com", "Elm Street", "5550199"};
    static const struct row rows[] = {
        {"big.dead", "abc123/order/118",
         "{\"contact\":{\"given_name\":\"Jane\",\"family_name\":\"Doe\",\"addresses\":[{\"line1\":"
         "\"Elm Street 5\"}],\"phone_numbers\":[{\"number\":\"5550199\"}]}}",
         7, 2000, "1000", "main", "refused", "contact: HTTP 422 jane.doe@example.com",
         "Doe, of Elm Street 5, jane.doe@example.com: 5550199 is no number of JANE", "poll", NULL},
        {"big.dead", "abc123/order/119", "Jane Doe", 8, 2000, "1000", "main", "refused", "x",
         "Doe is no name", "Doe@example.com", NULL},
        {"big.dead", "jane.doe@example.com", "Jane Doe", 9, 2000, "1000", "main", "malformed", "x",
         "Doe is no name", "poll", NULL},
        {"big.skipped", "abc123/order/120",
         "{\"reason\":\"invalid_email\",\"detail\":\"doe@@example.com\"}", 9, 2000, "1000", "main",
         "invalid_email", NULL, NULL, "poll", NULL},
    };
    struct index *index = opened();

    (void)unused;
    write_rows(index, one_order, 5);
    write_rows(index, rows, 4);
    index_checkpoint(index);
    for (int turn = 0; turn < 2; turn++) {
        size_t size;
        char *all = whole_file(turn == 0 ? "" : "-wal", &size);

        assert_true(turn == 1 || size > 4096);
        for (size_t i = 0; i < sizeof(personal) / sizeof(*personal); i++)
            if (memmem(all, size, personal[i], strlen(personal[i])) != NULL)
                fail_msg("%s is in the file", personal[i]);
        free(all);
    }
    index_close(index);
}

static int is_set_aside(void)
{
    char *name = mem_printf("%s.set-aside", path);
    struct stat file;
    int there = stat(name, &file) == 0;

    free(name);
    return there;
}

static void overwrite(int64_t from, int64_t count)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    fseek(file, from, SEEK_SET);
    for (int64_t i = 0; i < count; i++)
        fputc((int)(i * 7 % 251), file);
    fclose(file);
}

static void test_a_file_that_cannot_be_used_is_set_aside(void **unused)
{
    struct index *index = opened();
    struct index_order order = {0};
    struct index_reader *reader;
    struct error err = {0};

    (void)unused;
    write_rows(index, one_order, 5);
    index_close(index);
    assert_false(is_set_aside());
    for (int turn = 0; turn < 3; turn++) {
        char *sql;

        if (turn == 0) {
            overwrite(0, 3000); /* no database any more */
        } else if (turn == 1) {
            config.kafka.topic_prefix = (char *)"other";
        } else {
            sql = mem_printf("/usr/bin/python3 -c \"import sqlite3; "
                             "sqlite3.connect('%s').execute('PRAGMA user_version=99')\"",
                             path);
            assert_int_equal(system(sql), 0);
            free(sql);
        }
        index = opened();
        config.kafka.topic_prefix = (char *)"big";
        assert_true(is_set_aside());
        assert_int_equal(index_position(index, "big.orders.raw", 0), -1);
        reader = reader_of(index);
        assert_int_equal(index_find(reader, "abc123/order/118", &order, &err), 0);
        index_reader_close(reader);
        if (turn == 1) { /* the new one is of the other prefix */
            index_close(index);
            index = opened();
        }
        write_rows(index, one_order, 5);
        index_close(index);
    }
}

static void test_damage_that_is_found_later(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader;
    struct index_order order = {0};
    struct error err = {0};
    int generation, found = 0;
    struct stat file;

    (void)unused;
    for (int i = 0; i < 40; i++) {
        struct row rows[5];
        char key[32];

        memcpy(rows, one_order, sizeof(rows));
        snprintf(key, sizeof(key), "abc123/order/%d", i * 1000);
        for (int j = 0; j < 5; j++)
            rows[j].key = key;
        write_rows(index, rows, 5);
    }
    index_checkpoint(index);
    index_close(index);
    assert_int_equal(stat(path, &file), 0);
    overwrite(4096 * 2, file.st_size - 4096 * 2);
    index = opened(); /* also where the damage is found now */
    generation = index_generation(index);
    reader = reader_of(index);
    for (int i = 0; i < 40 && found >= 0; i++) {
        char key[32];

        snprintf(key, sizeof(key), "abc123/order/%d", i * 1000);
        error_clear(&err);
        found = index_find(reader, key, &order, &err);
        index_order_clear(&order);
    }
    error_clear(&err);
    assert_int_equal(index_begin(index, &err), 0);
    assert_true(is_set_aside());
    assert_true(found == 0 || index_generation(index) != generation);
    write_rows(index, one_order, 5);
    assert_int_equal(index_find(reader, "abc123/order/118", &order, &err), 1);
    index_order_clear(&order);
    index_reader_close(reader);
    index_close(index);
}

static void test_another_kafka(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct index_order order = {0};
    struct error err = {0};

    (void)unused;
    assert_int_equal(index_set_cluster(index, "one", &err), 0);
    write_rows(index, one_order, 5);
    assert_int_equal(index_set_cluster(index, "one", &err), 0);
    assert_int_equal(index_find(reader, "abc123/order/118", &order, &err), 1);
    index_order_clear(&order);
    assert_int_equal(index_set_cluster(index, "two", &err), 0);
    assert_int_equal(index_position(index, "big.orders.raw", 0), -1);
    assert_int_equal(index_find(reader, "abc123/order/118", &order, &err), 0);
    index_reader_close(reader);
    index_close(index);
}

static void test_one_console_at_a_time(void **unused)
{
    struct index *index = opened();
    struct error err = {0};

    (void)unused;
    assert_null(index_open(&config, path, &err));
    assert_int_equal(err.kind, ERROR_PERMANENT);
    assert_non_null(strstr(err.text, "another bigfusion-console has it"));
    error_clear(&err);
    assert_null(index_open(&config, "/nowhere/at/all/index.sqlite", &err));
    assert_int_equal(err.kind, ERROR_PERMANENT);
    index_close(index);
}

static void test_a_full_disk_loses_nothing(void **unused)
{
    struct index *index = opened();
    struct index_reader *reader = reader_of(index);
    struct index_order order = {0};
    struct index_filter filter = {0};
    struct index_counts counts;
    struct error err = {0};
    char keys[200][32];

    (void)unused;
    write_rows(index, one_order, 5);
    assert_int_equal(index_begin(index, &err), 0);
    for (int i = 0; i < 200; i++) {
        struct row row = one_order[i % 5];
        struct event event;

        snprintf(keys[i], sizeof(keys[i]), "abc123/order/%d", 1000 + i / 5);
        row.key = keys[i];
        row.offset = 100 + i;
        event = event_of(&row);
        assert_int_equal(index_apply(index, &event, &err), 0);
        index_set_position(index, row.topic, 0, row.offset + 1);
    }
    assert_int_equal(sql_run(index->db, "PRAGMA max_page_count=1", &err), 0); /* no more than now */
    for (int turn = 0; turn < 3; turn++) {
        error_clear(&err);
        assert_int_equal(index_commit(index, &err), -1);
        assert_int_equal(err.kind, ERROR_TEMPORARY);
        assert_non_null(strstr(err.text, "the disk is full"));
        error_clear(&err);
        assert_int_equal(index_find(reader, "abc123/order/1000", &order, &err), 0);
    }
    assert_int_equal(sql_run(index->db, "PRAGMA max_page_count=100000", &err), 0);
    assert_int_equal(index_commit(index, &err), 0);
    assert_int_equal(index_find(reader, "abc123/order/1039", &order, &err), 1);
    assert_int_equal(order.history.count, 5);
    index_order_clear(&order);
    assert_int_equal(index_counts(reader, &filter, &counts, &err), 0);
    assert_int_equal(counts.lists[ORDER_LIST_DELIVERED], 41);
    index_reader_close(reader);
    index_close(index);
    index = opened();
    assert_int_equal(index_position(index, "big.delivered", 0), 300);
    index_close(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_personal_is_in_the_file),
        TEST(test_a_file_that_cannot_be_used_is_set_aside),
        TEST(test_damage_that_is_found_later),
        TEST(test_another_kafka),
        TEST(test_one_console_at_a_time),
        TEST(test_a_full_disk_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
