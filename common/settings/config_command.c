/* config_command.c - the command line that all programs share: --help, --check, --health and
 * --version; also the look-ups of stores and accounts. */
#include "settings/config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/core.h"
#include "settings/mask.h"
#include "settings/option.h"
#include "settings/redis_url.h"
#include "settings/version.h"

#define COMMAND_LINE "--config FILE, --check, --health (services only), --help, --version"

/* The programs that read the settings field.LABEL of a store. */
enum { FIELD_READERS = PROGRAM_MAPPER | PROGRAM_PUSHER | PROGRAM_INSPECTOR };

static void print_help(const struct config_program *program)
{
    const char *section = "";

    printf("%s - %s\n\nUsage: %s [--config FILE] [--check]%s [--help] [--version]\n\n",
           program->name, program->summary, program->name,
           program->health != NULL ? " [--health]" : "");
    printf("  --config FILE  settings; else $BIGFUSION_CONFIG, else /etc/bigfusion/bigfusion.conf\n"
           "  --check        print the effective settings, secrets masked, and exit\n"
           "%s"
           "  --help         this text\n"
           "  --version      versions of the program and its libraries\n\n"
           "Settings that this program reads; $BIGFUSION_SECTION[_NAME]_SETTING overrides one:\n",
           program->health != NULL
               ? "  --health       ask the process that runs with these settings whether it is\n"
                 "                 alive; exit status 0 or 1\n"
               : "");
    for (size_t i = 0; i < option_count; i++) {
        const struct config_option *option = &options[i];

        if (!(option->programs & program->program))
            continue;
        if (strcmp(section, option->section) != 0) {
            section = option->section;
            printf("\n  [%s%s]\n", section,
                   strcmp(section, "store") == 0 || strcmp(section, "infusionsoft") == 0 ? " NAME"
                                                                                         : "");
        }
        printf("  %-20s %s (%s; default: %s)\n", option->name, option->help,
               option_range_text(option->range),
               option->default_value == NULL      ? "none, must be given"
               : option->default_value[0] == '\0' ? "empty"
                                                  : option->default_value);
    }
    if (program->program & FIELD_READERS)
        printf("\n  [store NAME]\n  field.LABEL          path of a member of the order, such as "
               "payment_method: what the account's order custom field of that label gets\n");
    printf("\n  [librdkafka]\n  anything librdkafka knows, passed through\n\n"
           "Exit status: 0 stopped as asked; 100 a person must fix something; 111 start me again.\n"
           "TERM and INT finish the work in hand; a second one leaves at once.\n");
}

/* Prints a Redis URL without its login. */
static void print_redis_url(const char *text)
{
    struct redis_url url = {0};
    struct error ignored = {0};

    if (redis_url_parse(&url, text, &ignored) != 0)
        printf("***\n");
    else if (url.user != NULL || url.password != NULL)
        printf("%.*s***@%s\n", (int)(strstr(text, "://") + 3 - text), text,
               text + url.address_offset);
    else
        printf("%s\n", text);
    redis_url_clear(&url);
}

static void print_url(const char *text)
{
    size_t size = strlen(text) + sizeof("***@?***");
    char *shown = mem_alloc(size);

    mask_url(shown, size, text);
    printf("%s\n", shown);
    free(shown);
}

static void print_value(const struct config_option *option, const char *base)
{
    const char *place = base + option->offset;
    const int64_t *ints = (const int64_t *)(const void *)place;
    const char *const *texts = (const char *const *)(const void *)place;
    const char *at;
    uint32_t mask;
    int written = 0;

    printf("%s = ", option->name);
    switch (option->type) {
    case OPTION_INT:
        printf("%lld\n", (long long)ints[0]);
        return;
    case OPTION_INTS:
        printf("%lld,%lld,%lld\n", (long long)ints[0], (long long)ints[1], (long long)ints[2]);
        return;
    case OPTION_ENUM:
        at = option->range;
        for (int i = *(const int *)(const void *)place; i > 0; i--)
            at += strcspn(at, "|") + 1;
        printf("%.*s\n", (int)strcspn(at, "|"), at);
        return;
    case OPTION_STATUSES:
        mask = *(const uint32_t *)(const void *)place;
        for (int i = 0; i < 32; i++)
            if (mask & 1u << i)
                printf("%s%d", written++ ? "," : "", i);
        printf("\n");
        return;
    case OPTION_SECRET:
        printf("%s%s\n", texts[0], texts[1] == NULL ? "" : "    ; read, not shown");
        return;
    case OPTION_TEXT:
    case OPTION_START:
        if (strcmp(option->range, "redis-url") == 0)
            print_redis_url(texts[0]);
        else if (strcmp(option->range, "url") == 0)
            print_url(texts[0]);
        else
            printf("%s\n", texts[0]);
        return;
    }
}

static void print_section(const char *kind, const char *name, const char *base, int program)
{
    int heading = 0;

    for (size_t i = 0; i < option_count; i++) {
        if (strcmp(options[i].section, kind) != 0 || !(options[i].programs & program))
            continue;
        if (!heading)
            printf("[%s%s%s]\n", kind, name[0] ? " " : "", name);
        heading = 1;
        print_value(&options[i], base);
    }
}

static void print_settings(const struct config *config, int program)
{
    static const char *const singles[] = {"kafka", "redis", "http", "health", "poller", "pusher"};

    for (size_t i = 0; i < sizeof(singles) / sizeof(*singles); i++)
        print_section(singles[i], "", (const char *)config, program);
    for (int i = 0; i < config->store_count; i++) {
        const struct config_fields *fields = &config->stores[i].fields;

        print_section("store", config->stores[i].name, (const char *)&config->stores[i], program);
        for (int j = 0; program & FIELD_READERS && j < fields->count; j++)
            printf("field.%s = %s\n", fields->list[j].label, fields->list[j].path);
    }
    for (int i = 0; i < config->account_count; i++)
        print_section("infusionsoft", config->accounts[i].name, (const char *)&config->accounts[i],
                      program);
    if (config->librdkafka_count > 0)
        printf("[librdkafka]\n");
    for (int i = 0; i < config->librdkafka_count; i++) {
        const struct config_pair *pair = &config->librdkafka[i];

        printf("%s = ", pair->name);
        if (mask_is_secret(pair->name))
            printf("***\n");
        else if (strstr(pair->value, "://") != NULL)
            print_url(pair->value);
        else
            printf("%s\n", pair->value);
    }
}

/* What the command line asks for. */
struct command {
    const char *path;
    int check, health;
};

static int refuse_word(const char *word, struct error *err)
{
    return error_set(err, ERROR_PERMANENT, "command line: %.60s: allowed: " COMMAND_LINE, word);
}

/* --help and --version are answered here; they end the process. */
static int read_command(struct command *command, const struct config_program *program, int argc,
                        char **argv, struct error *err)
{
    static const struct option words[] = {
        {"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'v'},
        {"check", no_argument, NULL, 'c'},        {"health", no_argument, NULL, 'a'},
        {"config", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
    int letter;

    opterr = 0;
    while ((letter = getopt_long(argc, argv, "", words, NULL)) != -1) {
        if (letter == 'h') {
            print_help(program);
            exit(0);
        } else if (letter == 'v') {
            version_print(program->name);
            exit(0);
        } else if (letter == 'c') {
            command->check = 1;
        } else if (letter == 'a' && program->health != NULL) {
            command->health = 1;
        } else if (letter == 'f') {
            command->path = optarg;
        } else {
            return refuse_word(argv[optind - 1], err);
        }
    }
    return optind < argc ? refuse_word(argv[optind], err) : 0;
}

/* Ends the process: 0 where the program answers, else 1. That is what Docker expects of a health
 * check. */
static void answer_health(struct config *config, const struct config_program *program)
{
    struct error err = {0};
    int rc = program->health(config, &err);

    printf("%s\n", rc == 0 ? "alive" : err.text);
    config_free(config);
    exit(rc == 0 ? 0 : 1);
}

int config_load(struct config *config, const struct config_program *program, int argc, char **argv,
                struct error *err)
{
    struct command command = {.path = getenv("BIGFUSION_CONFIG")};

    core_forbid();
    if (read_command(&command, program, argc, argv, err) != 0)
        return -1;
    if (command.path == NULL || command.path[0] == '\0')
        command.path = "/etc/bigfusion/bigfusion.conf";
    if (config_read(config, program->program, command.path, err) != 0)
        return -1;
    if (command.check || (!(program->program & PROGRAM_INSPECTOR) && !command.health))
        config_warn(config, program->program);
    if (command.check) {
        print_settings(config, program->program);
        if (config->store_count == 0)
            printf("; no [store NAME] section yet: no program starts before there is one\n");
        config_free(config);
        exit(0);
    }
    if (command.health)
        answer_health(config, program);
    if (config->store_count == 0)
        return error_set(err, ERROR_PERMANENT,
                         "%s: no [store NAME] section; at least one is needed", command.path);
    return 0;
}

static void free_options(const char *kind, char *base)
{
    for (size_t i = 0; i < option_count; i++) {
        char **text = (char **)(void *)(base + options[i].offset);

        if (kind[0] == '\0' ? strcmp(options[i].section, "store") == 0 ||
                                  strcmp(options[i].section, "infusionsoft") == 0
                            : strcmp(options[i].section, kind) != 0)
            continue;
        if (options[i].type == OPTION_TEXT || options[i].type == OPTION_START)
            free(text[0]);
        if (options[i].type == OPTION_SECRET) {
            if (text[1] != NULL)
                explicit_bzero(text[1], strlen(text[1]));
            free(text[0]);
            free(text[1]);
        }
    }
}

void config_free(struct config *config)
{
    for (int i = 0; i < config->store_count; i++) {
        free_options("store", (char *)&config->stores[i]);
        free(config->stores[i].name);
        config_fields_free(&config->stores[i].fields);
    }
    for (int i = 0; i < config->account_count; i++) {
        free_options("infusionsoft", (char *)&config->accounts[i]);
        free(config->accounts[i].name);
    }
    for (int i = 0; i < config->librdkafka_count; i++) {
        free(config->librdkafka[i].name);
        free(config->librdkafka[i].value);
    }
    free_options("", (char *)config);
    free(config->stores);
    free(config->accounts);
    free(config->librdkafka);
    memset(config, 0, sizeof(*config));
}

const struct config_store *config_store_by_hash(const struct config *config, struct text hash)
{
    for (int i = 0; i < config->store_count; i++)
        if (text_is(hash, config->stores[i].hash))
            return &config->stores[i];
    return NULL;
}

const struct config_store *config_store_named(const struct config *config, const char *word,
                                              struct error *err)
{
    const struct config_store *store = config_store_by_hash(config, text_of(word));
    int count = 0;

    if (store != NULL)
        return store;
    for (int i = 0; i < config->store_count; i++)
        if (text_equal_nocase(text_of(config->stores[i].code), text_of(word))) {
            store = &config->stores[i];
            count++;
        }
    if (count == 1)
        return store;
    if (count == 0)
        error_set(err, ERROR_PERMANENT, "no store has the code or hash %.60s", word);
    else
        error_set(err, ERROR_PERMANENT, "%d stores have the code %.60s: name one by its hash",
                  count, word);
    return NULL;
}

const struct config_account *config_account_by_name(const struct config *config, struct text name)
{
    for (int i = 0; i < config->account_count; i++)
        if (text_is(name, config->accounts[i].name))
            return &config->accounts[i];
    return NULL;
}
