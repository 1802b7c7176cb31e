/* config_warn.c - settings that are allowed but weaken what protects secrets and connections. Each
 * is one line in the log at start, and at --check. */
#include "settings/config.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/log.h"
#include "settings/option.h"

/* The files that were looked at already: several stores may name the same one. */
struct seen {
    const char **paths;
    size_t count;
};

/* Others are warned of, and not the group: containers and systemd mount secrets for a group. */
static void warn_of_readers(const char *path, struct seen *seen)
{
    struct stat about;

    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->paths[i], path) == 0)
            return;
    seen->paths = mem_realloc(seen->paths, (seen->count + 1) * sizeof(*seen->paths));
    seen->paths[seen->count++] = path;
    if (stat(path, &about) == 0 && (about.st_mode & S_IROTH))
        log_warn("secret file can be read by every user file=\"%s\" mode=%04o wanted=\"0600, or "
                 "0640 for a group\"",
                 path, (unsigned)(about.st_mode & 07777));
}

static int is_secret_file(const struct config_option *option)
{
    return option->type == OPTION_SECRET || strcmp(option->name, "tls_key_file") == 0 ||
           strcmp(option->name, "token_state_file") == 0;
}

/* Who may write the folder can put other tokens there, or take these away. */
static void warn_of_writers(const char *path)
{
    char *copy = mem_strdup(path);
    const char *folder = dirname(copy);
    struct stat about;

    if (stat(folder, &about) == 0 && (about.st_mode & S_IWOTH))
        log_warn("folder of token_state_file can be written by every user folder=\"%s\" mode=%04o "
                 "wanted=0700",
                 folder, (unsigned)(about.st_mode & 07777));
    free(copy);
}

static void warn_of_section(const char *section, const char *base, int program, struct seen *seen)
{
    for (size_t i = 0; i < option_count; i++) {
        const char *const *path = (const char *const *)(const void *)(base + options[i].offset);

        if (strcmp(options[i].section, section) != 0 || !(options[i].programs & program) ||
            !is_secret_file(&options[i]) || (*path)[0] == '\0')
            continue;
        warn_of_readers(*path, seen);
        if (strcmp(options[i].name, "token_state_file") == 0)
            warn_of_writers(*path);
    }
}

static void warn_of_unchecked_brokers(const struct config *config)
{
    for (int i = 0; i < config->librdkafka_count; i++) {
        const struct config_pair *pair = &config->librdkafka[i];

        /* librdkafka takes false, f and 0 */
        if (strcmp(pair->name, "enable.ssl.certificate.verification") == 0 &&
            strcspn(pair->value, "fF0") == 0)
            log_warn("certificates of brokers are not verified, so whoever is on the way to Kafka "
                     "can read and change everything: [librdkafka] %s wanted=true",
                     pair->name);
        if (strcmp(pair->name, "ssl.endpoint.identification.algorithm") == 0 &&
            strcasecmp(pair->value, "https") != 0)
            log_warn("names of brokers are not verified, so any certificate of the authority is "
                     "accepted: [librdkafka] %s wanted=https",
                     pair->name);
    }
}

void config_warn(const struct config *config, int program)
{
    struct seen seen = {0};

    warn_of_section("kafka", (const char *)config, program, &seen);
    warn_of_section("redis", (const char *)config, program, &seen);
    for (int i = 0; i < config->store_count; i++)
        warn_of_section("store", (const char *)&config->stores[i], program, &seen);
    for (int i = 0; i < config->account_count; i++)
        warn_of_section("infusionsoft", (const char *)&config->accounts[i], program, &seen);
    warn_of_unchecked_brokers(config);
    free(seen.paths);
}
