/* doctor_store.c - asks a store what its token allows and what its clock says. */
#include "doctor.h"

#include <stdlib.h>

#include <yyjson.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/mem.h"
#include "net/http.h"

#include "doctor_judge.h"

enum { ANSWER_MAX_BYTES = 1 << 20 };

/* The answers to store_probes, and what the first one tells of the store's clock. */
struct probing {
    struct http *http;
    struct answer answers[STORE_PROBE_COUNT];
    struct error errors[STORE_PROBE_COUNT];
    struct clock_lead lead;
    int lead_known;
};

/* The first probe is GET /v2/time: its body tells the time, and its header Date does. */
static int read_time(const struct http_answer *answer, int64_t *time_ms)
{
    yyjson_doc *doc = yyjson_read(answer->body.data, answer->body.length, 0);
    yyjson_val *time = yyjson_obj_get(yyjson_doc_get_root(doc), "time");
    int rc = -1;

    if (yyjson_is_uint(time) && yyjson_get_uint(time) < INT64_MAX / 1000) {
        *time_ms = (int64_t)yyjson_get_uint(time) * 1000;
        rc = 0;
    }
    yyjson_doc_free(doc);
    return rc;
}

static void learn_clock(struct probing *probing, const struct http_answer *answer, int64_t asked_ms)
{
    int64_t answered_ms = clock_now_ms(), time_ms;

    if (answer->status < 200 || answer->status >= 300)
        return;
    if (read_time(answer, &time_ms) != 0) {
        probing->answers[0].is_unreadable = 1;
        return;
    }
    date_parse_rfc2822(http_answer_header(answer, "Date"), &time_ms); /* the better one, if any */
    probing->lead = clock_lead_of(time_ms, 1000, asked_ms, answered_ms);
    probing->lead_known = 1;
}

static void probe(struct probing *probing, const struct config_store *store, int index)
{
    const struct http_header headers[] = {
        {"X-Auth-Token", store->token},
        {"Accept", "application/json"},
    };
    char *url = mem_printf("%s/stores/%s%s", store->api_url, store->hash, store_probes[index].path);
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .headers = headers,
                                         .header_count = 2,
                                         .timeout_ms = DOCTOR_TIMEOUT_MS,
                                         .max_answer_bytes = ANSWER_MAX_BYTES};
    struct http_answer answer = {0};
    int64_t asked_ms = clock_now_ms();

    if (http_perform(probing->http, &request, &answer, &probing->errors[index]) == 0) {
        probing->answers[index].status = answer.status;
        if (index == 0)
            learn_clock(probing, &answer, asked_ms);
    }
    probing->answers[index].why = probing->errors[index].text;
    http_answer_clear(&answer);
    free(url);
}

void doctor_look_store(const struct config *config, int index, struct findings *findings)
{
    const struct config_store *store = &config->stores[index];
    struct probing probing = {0};

    if (store->token == NULL) {
        findings_skip(findings, CHECK_STORE_TOKEN, CHECK_STORE_CLOCK, store->name,
                      "its token_file cannot be read");
        return;
    }
    probing.http = http_new("bigfusion", &config->http);
    for (int i = 0; i < STORE_PROBE_COUNT; i++) {
        probe(&probing, store, i);
        if (i == 0 && probing.answers[0].status == 0)
            break; /* the others would wait for it as long */
    }
    judge_store(findings, store->name, probing.answers);
    if (probing.lead_known)
        judge_clock(findings, CHECK_STORE_CLOCK, store->name, &probing.lead);
    else
        findings_skip(findings, CHECK_STORE_CLOCK, CHECK_STORE_CLOCK, store->name,
                      "the store does not tell its time");
    http_free(probing.http);
}
