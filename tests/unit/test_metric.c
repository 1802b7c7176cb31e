/* Counters, gauges and histograms, and the text that /metrics shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "net/metric.h"

static const struct metric_buckets two = {2, {5, 1500}};

static char *page(int64_t now_ms)
{
    struct buffer text = {0};

    metric_print_all(&text, now_ms);
    return text.data;
}

static int forget(void **state)
{
    (void)state;
    metric_clear_all();
    return 0;
}

static void test_each_kind_is_printed_in_its_unit(void **state)
{
    char *text;

    (void)state;
    metric_add(metric_counter("b_total", "Bs", "x=\"1\""), 3);
    metric_add(metric_counter("b_total", "Bs", "x=\"2\""), 1);
    metric_set(metric_gauge("a", "As", ""), -4);
    metric_set(metric_gauge_ms("c_seconds", "Cs", ""), -250);
    metric_set(metric_gauge_age("d_seconds", "Ds", "y=\"old\""), 10000);
    metric_set(metric_gauge_age("d_seconds", "Ds", "y=\"none\""), 0);
    metric_set(metric_gauge_age("d_seconds", "Ds", "y=\"future\""), 99999);
    text = page(12500);
    assert_string_equal(text, "# HELP a As\n# TYPE a gauge\na -4\n"
                              "# HELP b_total Bs\n# TYPE b_total counter\n"
                              "b_total{x=\"1\"} 3\nb_total{x=\"2\"} 1\n"
                              "# HELP c_seconds Cs\n# TYPE c_seconds gauge\nc_seconds -0.25\n"
                              "# HELP d_seconds Ds\n# TYPE d_seconds gauge\n"
                              "d_seconds{y=\"old\"} 2.5\nd_seconds{y=\"none\"} 0\n"
                              "d_seconds{y=\"future\"} 0\n");
    free(text);
}

static void test_a_histogram_adds_its_buckets_up(void **state)
{
    struct histogram *histogram = metric_histogram("t_seconds", "Ts", "s=\"f\"", &two);
    char *text;

    (void)state;
    /* On a bound, between bounds, above all, and before the clock was set back. */
    metric_observe_ms(histogram, 5);
    metric_observe_ms(histogram, 6);
    metric_observe_ms(histogram, 2000);
    metric_observe_ms(histogram, -7);
    text = page(0);
    assert_string_equal(text, "# HELP t_seconds Ts\n# TYPE t_seconds histogram\n"
                              "t_seconds_bucket{s=\"f\",le=\"0.005\"} 2\n"
                              "t_seconds_bucket{s=\"f\",le=\"1.5\"} 3\n"
                              "t_seconds_bucket{s=\"f\",le=\"+Inf\"} 4\n"
                              "t_seconds_sum{s=\"f\"} 2.011\nt_seconds_count{s=\"f\"} 4\n");
    free(text);
}

static void test_a_histogram_without_labels(void **state)
{
    char *text;

    (void)state;
    metric_observe_ms(metric_histogram("t_seconds", "Ts", "", &two), 1);
    text = page(0);
    assert_non_null(strstr(text, "t_seconds_bucket{le=\"0.005\"} 1\n"));
    assert_non_null(strstr(text, "t_seconds_sum 0.001\nt_seconds_count 1\n"));
    free(text);
}

/* Months of orders that took long: neither the sum nor a bucket may lose a millisecond. */
static void test_a_large_sum_is_exact(void **state)
{
    struct histogram *histogram = metric_histogram("t_seconds", "Ts", "", &two);
    char *text;

    (void)state;
    metric_observe_ms(histogram, INT64_C(9007199254740993));
    metric_observe_ms(histogram, 2);
    text = page(0);
    assert_non_null(strstr(text, "t_seconds_sum 9007199254740.995\n"));
    free(text);
}

static void test_same_name_and_labels_are_one_metric(void **state)
{
    (void)state;
    assert_ptr_equal(metric_counter("a_total", "As", "x=\"1\""),
                     metric_counter("a_total", "As", "x=\"1\""));
    assert_ptr_not_equal(metric_counter("a_total", "As", "x=\"1\""),
                         metric_counter("a_total", "As", "x=\"2\""));
    assert_ptr_equal(metric_histogram("h_seconds", "Hs", "", &two),
                     metric_histogram("h_seconds", "Hs", "", &two));
}

static void test_the_buckets_ascend(void **state)
{
    const struct metric_buckets *all[] = {&metric_buckets_call, &metric_buckets_record,
                                          &metric_buckets_order};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int k = 0; k < all[i]->count; k++)
            assert_true(all[i]->bounds_ms[k] > (k == 0 ? 0 : all[i]->bounds_ms[k - 1]));
}

enum { THREADS = 4, TIMES = 20000 };

static void *observe(void *context)
{
    for (int i = 0; i < TIMES; i++)
        metric_observe_ms(context, i % 3 * 1000);
    return NULL;
}

static void test_threads_lose_nothing(void **state)
{
    struct histogram *histogram = metric_histogram("t_seconds", "Ts", "", &two);
    pthread_t threads[THREADS];
    char *text;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, observe, histogram), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    text = page(0);
    assert_non_null(strstr(text, "t_seconds_count 80000\n"));
    assert_non_null(strstr(text, "t_seconds_sum 79996\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_each_kind_is_printed_in_its_unit, forget),
        cmocka_unit_test_teardown(test_a_histogram_adds_its_buckets_up, forget),
        cmocka_unit_test_teardown(test_a_histogram_without_labels, forget),
        cmocka_unit_test_teardown(test_a_large_sum_is_exact, forget),
        cmocka_unit_test_teardown(test_same_name_and_labels_are_one_metric, forget),
        cmocka_unit_test_teardown(test_the_buckets_ascend, forget),
        cmocka_unit_test_teardown(test_threads_lose_nothing, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
