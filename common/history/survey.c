#include "history/survey.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "record/event.h"

enum { REQUEST_TIMEOUT_MS = 10000, CLOSE_MS = 2000 };

void survey_init(struct survey *survey, const struct config *config)
{
    *survey = (struct survey){.config = config, .begun_ms = clock_monotonic_ms()};
    topics_init(&survey->topics, config);
}

void survey_clear(struct survey *survey) { topics_clear(&survey->topics); }

void survey_spans_add(struct survey_spans *list, const char *topic, int32_t partition, int64_t from,
                      int64_t to)
{
    if (to <= from)
        return;
    list->spans = mem_realloc(list->spans, ((size_t)list->count + 1) * sizeof(*list->spans));
    list->spans[list->count++] = (struct kafka_span){topic, partition, from, to};
    list->records += to - from;
}

void survey_spans_clear(struct survey_spans *list)
{
    free(list->spans);
    *list = (struct survey_spans){0};
}

int64_t survey_unread_from(const struct kafka_place *place)
{
    return place->committed > place->low && place->committed <= place->end ? place->committed
                                                                           : place->low;
}

int survey_unread(const struct config *config, const char *group, const char *const *topics,
                  int topic_count, int64_t *records, struct error *err)
{
    char *name = mem_printf("%s.%s", config->kafka.topic_prefix, group);
    struct kafka_place *places = NULL;
    int count = 0;
    int rc = kafka_group_places(config, name, topics, topic_count, &places, &count, err);

    for (int i = 0; rc == 0 && i < count; i++)
        *records += places[i].end - survey_unread_from(&places[i]);
    kafka_places_free(places, count);
    free(name);
    return rc;
}

/* Finds for each place the first offset with a time of since_ms or later; the end where there is
 * none. One request asks for all. */
static int find_since(struct survey *survey, const struct kafka_place *places, int count,
                      int64_t since_ms, int64_t *from, struct error *err)
{
    rd_kafka_t *rk = kafka_reader_new(survey->config, NULL, err);
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t code;

    if (rk == NULL)
        return -1;
    list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, places[i].topic, places[i].partition)->offset =
            since_ms;
    code = rd_kafka_offsets_for_times(rk, list, REQUEST_TIMEOUT_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < count; i++) {
        code = list->elems[i].err;
        from[i] = list->elems[i].offset >= 0 ? list->elems[i].offset : places[i].end;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        error_set(err, ERROR_TEMPORARY, "kafka offsets by time: %s", rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
    kafka_close(rk, CLOSE_MS);
    kafka_destroy(rk, CLOSE_MS);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : -1;
}

int survey_add_topic(struct survey *survey, const char *topic, int64_t since_ms,
                     struct survey_spans *list, struct error *err)
{
    struct kafka_place *places = NULL;
    int64_t *from;
    int count, rc;

    if (kafka_group_places(survey->config, NULL, &topic, 1, &places, &count, err) != 0)
        return -1;
    from = mem_alloc((size_t)count * sizeof(*from));
    for (int i = 0; i < count; i++)
        from[i] = places[i].low;
    rc = since_ms > 0 ? find_since(survey, places, count, since_ms, from, err) : 0;
    for (int i = 0; rc == 0 && i < count; i++)
        survey_spans_add(list, topic, places[i].partition, from[i], places[i].end);
    free(from);
    kafka_places_free(places, count);
    return rc;
}

static int visit_one(void *context, const struct event *event, struct error *err)
{
    struct survey *survey = context;

    survey->records++;
    survey->bytes += (int64_t)(event->key.length + event->value.length);
    for (int i = 0; i < HEADER_COUNT; i++)
        survey->bytes += (int64_t)event->headers[i].length;
    progress_step(&survey->progress);
    return survey->visit(survey->context, event, err);
}

int survey_read(struct survey *survey, const struct survey_spans *list, const char *what,
                kafka_visit visit, void *context, struct error *err)
{
    int rc;

    if (list->count == 0)
        return 0;
    survey->visit = visit;
    survey->context = context;
    progress_begin(&survey->progress, what, list->records);
    rc = kafka_read_spans(survey->config, list->spans, list->count, visit_one, survey, err);
    progress_end(&survey->progress);
    return rc;
}

static double seconds_of(const struct survey *survey)
{
    return (double)(clock_monotonic_ms() - survey->begun_ms) / 1000;
}

void survey_print_cost(const struct survey *survey, FILE *target)
{
    fprintf(target, "read %" PRId64 " records, %.1f MB, in %.1f s\n", survey->records,
            (double)survey->bytes / 1e6, seconds_of(survey));
}

json_t *survey_cost_json(const struct survey *survey)
{
    return json_pack("{s:I, s:I, s:f}", "records", (json_int_t)survey->records, "bytes",
                     (json_int_t)survey->bytes, "seconds", seconds_of(survey));
}
