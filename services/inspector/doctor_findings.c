/* doctor_findings.c - collects what the checks found, and prints it. */
#include "doctor.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/outside_text.h"

enum { TEXT_MAX_BYTES = 1000, WHAT_COLUMNS = 28 };

static const char *const names[CHECK_COUNT] = {
    [CHECK_CONFIGURATION] = "configuration",
    [CHECK_SECRETS] = "secret files",
    [CHECK_PROTECTION] = "protection",
    [CHECK_DESCRIPTORS] = "descriptors",
    [CHECK_LIBRDKAFKA] = "librdkafka",
    [CHECK_KAFKA] = "kafka",
    [CHECK_KAFKA_CREATES] = "kafka topic creation",
    [CHECK_KAFKA_CLOCK] = "kafka clock",
    [CHECK_TOPICS] = "topics",
    [CHECK_PARTITIONS] = "partitions",
    [CHECK_COPIES] = "copies",
    [CHECK_TOPIC_SETTINGS] = "topic settings",
    [CHECK_REDIS] = "redis",
    [CHECK_REDIS_VERSION] = "redis version",
    [CHECK_REDIS_ROLE] = "redis role",
    [CHECK_REDIS_PERSISTENCE] = "redis persistence",
    [CHECK_REDIS_EVICTION] = "redis eviction",
    [CHECK_REDIS_CLOCK] = "redis clock",
    [CHECK_LEDGER] = "ledger",
    [CHECK_STORE_TOKEN] = "store token",
    [CHECK_STORE_SCOPES] = "store scopes",
    [CHECK_STORE_CLOCK] = "store clock",
    [CHECK_ACCOUNT_CREDENTIAL] = "account credential",
    [CHECK_ACCOUNT_TENANT] = "account tenant",
    [CHECK_ACCOUNT_ECOMMERCE] = "account e-commerce",
    [CHECK_ACCOUNT_FIELD] = "account custom field",
    [CHECK_ACCOUNT_CLOCK] = "account clock",
    [CHECK_ACCOUNT_PAYMENT] = "account payment types",
    [CHECK_ACCOUNT_MAPPED] = "account mapped fields",
};

static const struct {
    const char *word;
    const char *colour; /* of a terminal */
} levels[DOCTOR_LEVEL_COUNT] = {
    [DOCTOR_OK] = {"ok", "\033[32m"},        [DOCTOR_WARN] = {"warn", "\033[33m"},
    [DOCTOR_FAIL] = {"fail", "\033[31m"},    [DOCTOR_AWAY] = {"fail", "\033[31m"},
    [DOCTOR_SKIPPED] = {"skip", "\033[36m"},
};

const char *doctor_check_name(enum doctor_check check) { return names[check]; }

/* What a server said may be part of a finding. It must not move the cursor of a terminal or begin
 * another line, and JSON takes UTF-8 only. New. */
static char *safe_copy(const char *text)
{
    struct buffer safe = {0};

    outside_text_print(&safe, text_of(text));
    return safe.data != NULL ? safe.data : mem_strdup("");
}

void findings_add(struct findings *findings, enum doctor_check check, const char *subject,
                  enum doctor_level level, const char *advice, const char *format, ...)
{
    struct finding *finding;
    char text[TEXT_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    findings->list = mem_realloc(findings->list, ((size_t)findings->count + 1) * sizeof(*finding));
    finding = &findings->list[findings->count++];
    finding->check = check;
    finding->level = level;
    finding->subject = safe_copy(subject);
    finding->text = safe_copy(text);
    finding->advice = safe_copy(advice);
}

void findings_skip(struct findings *findings, enum doctor_check first, enum doctor_check last,
                   const char *subject, const char *because)
{
    for (int check = (int)first; check <= (int)last; check++)
        findings_add(findings, (enum doctor_check)check, subject, DOCTOR_SKIPPED, "",
                     "skipped because %s", because);
}

void findings_take(struct findings *findings, struct findings *more)
{
    size_t count = (size_t)findings->count + (size_t)more->count;

    if (more->count > 0) {
        findings->list = mem_realloc(findings->list, count * sizeof(*findings->list));
        memcpy(findings->list + findings->count, more->list,
               (size_t)more->count * sizeof(*more->list));
        findings->count = (int)count;
    }
    free(more->list);
    *more = (struct findings){0};
}

void findings_clear(struct findings *findings)
{
    for (int i = 0; i < findings->count; i++) {
        free(findings->list[i].subject);
        free(findings->list[i].text);
        free(findings->list[i].advice);
    }
    free(findings->list);
    *findings = (struct findings){0};
}

int findings_count(const struct findings *findings, enum doctor_level level)
{
    int count = 0;

    for (int i = 0; i < findings->count; i++)
        count += findings->list[i].level == level;
    return count;
}

static int count_failed(const struct findings *findings)
{
    return findings_count(findings, DOCTOR_FAIL) + findings_count(findings, DOCTOR_AWAY);
}

void findings_print(const struct findings *findings, int colours)
{
    for (int i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        const char *word = levels[finding->level].word;
        char *what = finding->subject[0] != '\0'
                         ? mem_printf("%s [%s]", names[finding->check], finding->subject)
                         : mem_strdup(names[finding->check]);

        printf("%s%-4s%s  %-*s  %s%s%s\n", colours ? levels[finding->level].colour : "", word,
               colours ? "\033[0m" : "", (int)WHAT_COLUMNS, what, finding->text,
               finding->advice[0] != '\0' ? "; " : "", finding->advice);
        free(what);
    }
    printf("%d checks: %d ok, %d warn, %d fail, %d skipped\n", findings->count,
           findings_count(findings, DOCTOR_OK), findings_count(findings, DOCTOR_WARN),
           count_failed(findings), findings_count(findings, DOCTOR_SKIPPED));
}

void findings_print_json(const struct findings *findings)
{
    json_t *list = mem_check(json_array());
    json_t *root;

    for (int i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];

        json_array_append_new(
            list, mem_check(json_pack(
                      "{s:s,s:s,s:s,s:s,s:s,s:b}", "level", levels[finding->level].word, "check",
                      names[finding->check], "subject", finding->subject, "finding", finding->text,
                      "advice", finding->advice, "unreachable", finding->level == DOCTOR_AWAY)));
    }
    root =
        mem_check(json_pack("{s:i,s:i,s:i,s:i,s:i,s:o}", "checks", findings->count, "ok",
                            findings_count(findings, DOCTOR_OK), "warn",
                            findings_count(findings, DOCTOR_WARN), "fail", count_failed(findings),
                            "skipped", findings_count(findings, DOCTOR_SKIPPED), "findings", list));
    json_dumpf(root, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(root);
}
