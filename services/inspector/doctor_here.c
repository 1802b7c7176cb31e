/* doctor_here.c - what `bigfusion doctor` can tell without asking anybody else. */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <librdkafka/rdkafka.h>

#include "base/mem.h"
#include "settings/option.h"

#include "doctor_judge.h"

/* The secret files that were looked at: several stores may name the same one. */
struct secrets {
    const char **paths;
    int count;
    int faults;
    struct findings *findings;
};

static int is_known(struct secrets *secrets, const char *path)
{
    for (int i = 0; i < secrets->count; i++)
        if (strcmp(secrets->paths[i], path) == 0)
            return 1;
    secrets->paths =
        mem_realloc(secrets->paths, ((size_t)secrets->count + 1) * sizeof(*secrets->paths));
    secrets->paths[secrets->count++] = path;
    return 0;
}

static void look_at_secret(struct secrets *secrets, const char *where, const char *path)
{
    struct error err = {0};
    char *content = NULL;

    if (path[0] == '\0' || is_known(secrets, path))
        return;
    if (option_read_secret(path, &content, &err) != 0) {
        findings_add(secrets->findings, CHECK_SECRETS, where, DOCTOR_FAIL,
                     "put the secret there, readable for the user that runs the programs (10001 in "
                     "the containers)",
                     "%s", err.text);
        secrets->faults++;
        return;
    }
    explicit_bzero(content, strlen(content));
    free(content);
}

static void look_at_section(struct secrets *secrets, const char *section, const char *name,
                            const char *base)
{
    for (size_t i = 0; i < option_count; i++) {
        const char *const *path = (const char *const *)(const void *)(base + options[i].offset);

        if (options[i].type == OPTION_SECRET && strcmp(options[i].section, section) == 0)
            look_at_secret(secrets, name, *path);
    }
}

static void look_at_secrets(const struct config *config, struct findings *findings)
{
    struct secrets secrets = {.findings = findings};

    for (size_t i = 0; i < option_count; i++)
        if (strcmp(options[i].section, "store") != 0 &&
            strcmp(options[i].section, "infusionsoft") != 0 &&
            (i == 0 || strcmp(options[i].section, options[i - 1].section) != 0))
            look_at_section(&secrets, options[i].section, options[i].section, (const char *)config);
    for (int i = 0; i < config->store_count; i++)
        look_at_section(&secrets, "store", config->stores[i].name,
                        (const char *)&config->stores[i]);
    for (int i = 0; i < config->account_count; i++)
        look_at_section(&secrets, "infusionsoft", config->accounts[i].name,
                        (const char *)&config->accounts[i]);
    if (secrets.faults == 0)
        findings_add(findings, CHECK_SECRETS, "", DOCTOR_OK, "", "all %d can be read",
                     secrets.count);
    free(secrets.paths);
}

/* What weakens the protection of secrets and connections. */
struct weaknesses {
    struct findings *findings;
    int count;
};

static void tell(void *context, const struct config_weakness *weakness)
{
    struct weaknesses *weaknesses = context;
    char advice[200], mode[16] = "";

    snprintf(advice, sizeof(advice), "set it to %.180s", weakness->wanted);
    if (weakness->mode >= 0)
        snprintf(mode, sizeof(mode), " (%04o)", (unsigned)weakness->mode);
    findings_add(weaknesses->findings, CHECK_PROTECTION, "", DOCTOR_WARN, advice, "%s: %s %s%s",
                 weakness->what, weakness->kind, weakness->name, mode);
    weaknesses->count++;
}

static void look_at_protection(const struct config *config, struct findings *findings)
{
    struct weaknesses weaknesses = {.findings = findings};

    config_find_weaknesses(config, ~0, tell, &weaknesses);
    if (weaknesses.count == 0)
        findings_add(findings, CHECK_PROTECTION, "", DOCTOR_OK, "",
                     "secret files are not for everybody, and brokers with certificates are "
                     "verified");
}

void doctor_look_here(const struct config *config, int index, struct findings *findings)
{
    struct rlimit limit = {0};
    int64_t files = -1;

    (void)index;
    look_at_secrets(config, findings);
    look_at_protection(config, findings);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY)
        files = (int64_t)limit.rlim_max; /* the programs raise the soft limit themselves */
    judge_descriptors(findings, files, config->store_count, config->pusher.workers,
                      config->account_count);
    judge_librdkafka(findings, rd_kafka_version(), rd_kafka_version_str());
}
