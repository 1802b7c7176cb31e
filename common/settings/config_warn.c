/* config_warn.c - finds settings that are allowed but weaken what protects secrets and connections.
 * Each is one line in the log at start, and at --check. */
#include "settings/config.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/log.h"
#include "settings/option.h"

struct search {
    config_visit_weakness visit;
    void *context;
    /* The files that were looked at already: several stores may name the same one. */
    const char **paths;
    size_t count;
};

static void tell(const struct search *search, const struct config_weakness *weakness)
{
    search->visit(search->context, weakness);
}

/* Others are told of, and not the group: containers and systemd mount secrets for a group. */
static void look_for_readers(struct search *search, const char *path)
{
    struct stat about;

    for (size_t i = 0; i < search->count; i++)
        if (strcmp(search->paths[i], path) == 0)
            return;
    search->paths = mem_realloc(search->paths, (search->count + 1) * sizeof(*search->paths));
    search->paths[search->count++] = path;
    if (stat(path, &about) == 0 && (about.st_mode & S_IROTH))
        tell(search, &(struct config_weakness){.what = "secret file can be read by every user",
                                               .kind = "file",
                                               .name = path,
                                               .mode = (int)(about.st_mode & 07777),
                                               .wanted = "0600, or 0640 for a group"});
}

static int is_secret_file(const struct config_option *option)
{
    return option->type == OPTION_SECRET || strcmp(option->name, "tls_key_file") == 0 ||
           strcmp(option->name, "token_state_file") == 0;
}

/* Who may write the folder can put other tokens there, or take these away. */
static void look_for_writers(const struct search *search, const char *path)
{
    char *copy = mem_strdup(path);
    const char *folder = dirname(copy);
    struct stat about;

    if (stat(folder, &about) == 0 && (about.st_mode & S_IWOTH))
        tell(search, &(struct config_weakness){
                         .what = "folder of token_state_file can be written by every user",
                         .kind = "folder",
                         .name = folder,
                         .mode = (int)(about.st_mode & 07777),
                         .wanted = "0700"});
    free(copy);
}

static void search_section(struct search *search, const char *section, const char *base,
                           int program)
{
    for (size_t i = 0; i < option_count; i++) {
        const char *const *path = (const char *const *)(const void *)(base + options[i].offset);

        if (strcmp(options[i].section, section) != 0 || !(options[i].programs & program) ||
            !is_secret_file(&options[i]) || (*path)[0] == '\0')
            continue;
        look_for_readers(search, *path);
        if (strcmp(options[i].name, "token_state_file") == 0)
            look_for_writers(search, *path);
    }
}

static void look_for_unchecked_brokers(const struct search *search, const struct config *config)
{
    for (int i = 0; i < config->librdkafka_count; i++) {
        const struct config_pair *pair = &config->librdkafka[i];
        struct config_weakness weakness = {.kind = "[librdkafka]", .name = pair->name, .mode = -1};

        /* librdkafka takes false, f and 0 */
        if (strcmp(pair->name, "enable.ssl.certificate.verification") == 0 &&
            strcspn(pair->value, "fF0") == 0) {
            weakness.what = "certificates of brokers are not verified, so whoever is on the way to "
                            "Kafka can read and change everything";
            weakness.wanted = "true";
            tell(search, &weakness);
        }
        if (strcmp(pair->name, "ssl.endpoint.identification.algorithm") == 0 &&
            strcasecmp(pair->value, "https") != 0) {
            weakness.what =
                "names of brokers are not verified, so any certificate of the authority "
                "is accepted";
            weakness.wanted = "https";
            tell(search, &weakness);
        }
    }
}

void config_find_weaknesses(const struct config *config, int program, config_visit_weakness visit,
                            void *context)
{
    struct search search = {.visit = visit, .context = context};

    search_section(&search, "kafka", (const char *)config, program);
    search_section(&search, "redis", (const char *)config, program);
    for (int i = 0; i < config->store_count; i++)
        search_section(&search, "store", (const char *)&config->stores[i], program);
    for (int i = 0; i < config->account_count; i++)
        search_section(&search, "infusionsoft", (const char *)&config->accounts[i], program);
    look_for_unchecked_brokers(&search, config);
    free(search.paths);
}

static void warn(void *context, const struct config_weakness *weakness)
{
    (void)context;
    if (weakness->mode >= 0)
        log_warn("%s %s=\"%s\" mode=%04o wanted=\"%s\"", weakness->what, weakness->kind,
                 weakness->name, (unsigned)weakness->mode, weakness->wanted);
    else
        log_warn("%s: %s %s wanted=\"%s\"", weakness->what, weakness->kind, weakness->name,
                 weakness->wanted);
}

void config_warn(const struct config *config, int program)
{
    config_find_weaknesses(config, program, warn, NULL);
}
