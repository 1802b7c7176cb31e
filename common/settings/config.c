#include "settings/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/option.h"

#define FIELD_PREFIX "field."

enum {
    OPTIONS_MAX = 128,
    /* inih cuts a [heading] or a name that is longer */
    HEADING_LONGEST = 49,
    NAME_LONGEST = 49,
};

/* What the file says about one [store NAME] or [infusionsoft NAME], or about all other sections
 * together. */
struct section {
    char *kind; /* "store", "infusionsoft", or "" for all sections that stand once */
    char *name; /* "main"; "" where kind is "" */
    int line;
    char *values[OPTIONS_MAX]; /* values[i] belongs to options[i] */
    int lines[OPTIONS_MAX];
    struct config_fields fields; /* of a store */
};

struct reading {
    struct config *config;
    FILE *file;
    int line;
    int heading; /* line of the section that is being read */
    int broken;  /* first line that inih would not read whole, or 0 */
    char *text;  /* the line that is being read, owned */
    size_t text_size;
    const char
        *long_value; /* points into text: the value of a line that is too long for inih; or NULL */
    struct section *sections;
    int section_count;
    struct error *err;
};

static int refuse(struct reading *reading, int line, const char *section, const char *name,
                  const char *text)
{
    return error_set(reading->err, ERROR_PERMANENT, "%s:%d: [%s] %s: %s", reading->config->path,
                     line, section, name, text);
}

/* Reads the next line into reading->text, without its end. @returns 0 at the end of the file */
static int next_line(struct reading *reading)
{
    ssize_t length = getline(&reading->text, &reading->text_size, reading->file);

    if (length < 0)
        return 0;
    reading->line++;
    /* inih would not see what follows a NUL */
    if (strlen(reading->text) != (size_t)length && reading->broken == 0)
        reading->broken = reading->line;
    reading->text[strcspn(reading->text, "\r\n")] = '\0';
    return 1;
}

/* Finds the value in text as inih would: without blanks around it and without a comment. */
static char *value_in(char *text)
{
    char *value = text + strspn(text, " \t"), *end;

    for (end = value; *end != '\0'; end++)
        if (*end == ';' && end > text && isspace((unsigned char)end[-1]))
            break;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    return value;
}

/* A line is too long for inih's buffer: inih gets only its name, and on_setting() takes the value
 * from here. A long comment is dropped. */
static void give_long_line(struct reading *reading, char *target, size_t size)
{
    char *text = reading->text;
    size_t name_length = strcspn(text, "=:");

    target[0] = '\n';
    target[1] = '\0';
    if (text[strspn(text, " \t")] == ';' || text[strspn(text, " \t")] == '#')
        return;
    if (isspace((unsigned char)*text) || *text == '[' || text[name_length] == '\0' ||
        name_length > NAME_LONGEST || name_length + sizeof("=x\n") > size) {
        if (reading->broken == 0)
            reading->broken = reading->line;
        return;
    }
    memcpy(target, text, name_length);
    memcpy(target + name_length, "=x\n", sizeof("=x\n"));
    reading->long_value = value_in(text + name_length + 1);
}

/* Lines are counted here, because inih does not tell its handler the number of the line. */
static char *read_line(char *target, int size, void *stream)
{
    struct reading *reading = stream;
    const char *start;

    reading->long_value = NULL;
    if (!next_line(reading))
        return NULL;
    start = reading->text + strspn(reading->text, " \t");
    if (*start == '[') {
        reading->heading = reading->line;
        if (strcspn(start + 1, "]") > HEADING_LONGEST && reading->broken == 0)
            reading->broken = reading->line;
    }
    if (strlen(reading->text) + sizeof("\n") <= (size_t)size)
        snprintf(target, (size_t)size, "%s\n", reading->text);
    else
        give_long_line(reading, target, (size_t)size);
    return target;
}

static struct section *section_get(struct reading *reading, const char *kind, const char *name)
{
    struct section *section;

    for (int i = 0; i < reading->section_count; i++) {
        section = &reading->sections[i];
        if (strcmp(section->kind, kind) == 0 && strcmp(section->name, name) == 0)
            return section;
    }
    reading->sections = mem_realloc(reading->sections, ((size_t)reading->section_count + 1) *
                                                           sizeof(*reading->sections));
    section = &reading->sections[reading->section_count++];
    memset(section, 0, sizeof(*section));
    section->kind = mem_strdup(kind);
    section->name = mem_strdup(name);
    section->line = reading->heading;
    return section;
}

static int is_repeated(const char *kind)
{
    return strcmp(kind, "store") == 0 || strcmp(kind, "infusionsoft") == 0;
}

/* A setting field.LABEL = PATH. The labels are the account's, so the table has no row for them. */
static void add_field(struct reading *reading, struct section *section, const char *section_text,
                      const char *name, const char *value)
{
    const char *why = config_fields_add(&section->fields, name + strlen(FIELD_PREFIX), value);

    if (why != NULL)
        refuse(reading, reading->line, section_text, name, why);
}

static void add_pair(struct config *config, const char *name, const char *value)
{
    size_t count = (size_t)config->librdkafka_count;

    config->librdkafka = mem_realloc(config->librdkafka, (count + 1) * sizeof(*config->librdkafka));
    config->librdkafka[count] = (struct config_pair){mem_strdup(name), mem_strdup(value)};
    config->librdkafka_count++;
}

/* inih calls this for each "name = value". Returns 1 to go on; the first fault is in
 * reading->err. */
static int on_setting(void *user, const char *section_text, const char *name, const char *value)
{
    struct reading *reading = user;
    char kind[64];
    const char *instance = "";
    struct section *section;
    size_t known = 0;

    if (reading->err->kind != ERROR_NONE)
        return 1;
    if (reading->long_value != NULL)
        value = reading->long_value;
    snprintf(kind, sizeof(kind), "%s", section_text);
    if (strchr(kind, ' ') != NULL) {
        *strchr(kind, ' ') = '\0';
        instance = section_text + strlen(kind) + 1;
    }
    if (strcmp(section_text, "librdkafka") == 0) {
        add_pair(reading->config, name, value);
        return 1;
    }
    if (is_repeated(kind) != (instance[0] != '\0') ||
        (is_repeated(kind) && !option_is_name(instance))) {
        refuse(reading, reading->heading > 0 ? reading->heading : reading->line, section_text, name,
               "unknown section; allowed: kafka, redis, http, health, console, poller, pusher, "
               "store NAME, infusionsoft NAME, librdkafka");
        return 1;
    }
    section = section_get(reading, is_repeated(kind) ? kind : "", instance);
    if (strcmp(kind, "store") == 0 && strncmp(name, FIELD_PREFIX, strlen(FIELD_PREFIX)) == 0) {
        add_field(reading, section, section_text, name, value);
        return 1;
    }
    for (size_t i = 0; i < option_count; i++) {
        if (strcmp(options[i].section, kind) != 0)
            continue;
        known++;
        if (strcmp(options[i].name, name) != 0)
            continue;
        if (section->values[i] != NULL) {
            refuse(reading, reading->line, section_text, name, "given twice");
            return 1;
        }
        section->values[i] = mem_strdup(value);
        section->lines[i] = reading->line;
        return 1;
    }
    refuse(reading, known > 0 || reading->heading == 0 ? reading->line : reading->heading,
           section_text, name,
           known > 0
               ? "unknown setting; --help lists those that exist"
               : "unknown section; allowed: kafka, redis, http, health, console, poller, pusher, "
                 "store NAME, infusionsoft NAME, librdkafka");
    return 1;
}

static void env_name(char *target, size_t size, const char *section, const char *instance,
                     const char *name)
{
    snprintf(target, size, "BIGFUSION_%s%s%s_%s", section, instance[0] ? "_" : "", instance, name);
    for (char *c = target; *c != '\0'; c++)
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
}

/* Lines of [librdkafka] from the environment: each name that librdkafka has can be given there, also
 * one that the file does not have. An empty variable adds none. */
static void take_librdkafka_variables(struct config *config)
{
    static const char prefix[] = "BIGFUSION_LIBRDKAFKA_";
    char variable[160];

    for (int i = 0; i < config->librdkafka_count; i++) {
        env_name(variable, sizeof(variable), "librdkafka", "", config->librdkafka[i].name);
        if (getenv(variable) != NULL) {
            free(config->librdkafka[i].value);
            config->librdkafka[i].value = mem_strdup(getenv(variable));
        }
    }
    for (char **one = environ; *one != NULL; one++) {
        const char *equals = strchr(*one, '=');
        int is_known = equals == NULL || equals[1] == '\0';
        size_t length = is_known ? 0 : (size_t)(equals - *one);

        if (length >= sizeof(variable) || length < sizeof(prefix) ||
            strncmp(*one, prefix, sizeof(prefix) - 1) != 0)
            continue;
        for (int i = 0; i < config->librdkafka_count && !is_known; i++) {
            env_name(variable, sizeof(variable), "librdkafka", "", config->librdkafka[i].name);
            is_known = strlen(variable) == length && strncmp(variable, *one, length) == 0;
        }
        if (is_known)
            continue;
        snprintf(variable, sizeof(variable), "%.*s", (int)(length - sizeof(prefix) + 1),
                 *one + sizeof(prefix) - 1);
        for (char *c = variable; *c != '\0'; c++)
            *c = *c == '_' ? '.' : (char)tolower((unsigned char)*c);
        add_pair(config, variable, equals + 1);
    }
}

/* Finds the value of options[i] in a section (NULL: not in the file): from the environment, the
 * file or the default. Also notes where the value comes from. */
static void find_setting(const struct reading *reading, const struct section *section, size_t i,
                         struct setting *setting)
{
    const char *instance = section == NULL ? "" : section->name;
    char variable[128];

    *setting = (struct setting){.option = &options[i]};
    env_name(variable, sizeof(variable), options[i].section, instance, options[i].name);
    if (getenv(variable) != NULL) {
        setting->value = getenv(variable);
        snprintf(setting->where, sizeof(setting->where), "environment %s", variable);
    } else if (section != NULL && section->values[i] != NULL) {
        setting->value = section->values[i];
        snprintf(setting->where, sizeof(setting->where), "%s:%d: [%s%s%s] %s",
                 reading->config->path, section->lines[i], options[i].section,
                 instance[0] ? " " : "", instance, options[i].name);
    } else {
        setting->value = options[i].default_value;
        snprintf(setting->where, sizeof(setting->where), "%s: default of %s", reading->config->path,
                 options[i].name);
    }
}

/* Over http:// everybody on the way could read tokens, keys and the data of customers. */
static int check_plain_http(const struct setting *setting, int allowed, struct error *err)
{
    char shown[64];

    if (strcmp(setting->option->range, "url") != 0 || allowed ||
        !option_is_plain_http(setting->value))
        return 0;
    option_shown(shown, sizeof(shown), setting);
    return error_set(err, ERROR_PERMANENT,
                     "%s = %s: allowed: https://...; http:// to another machine only with "
                     "allow_plain_http = yes in the same section",
                     setting->where, shown);
}

/* Fills base from a section (NULL: not in the file), the environment and the defaults. */
static int apply_section(struct reading *reading, const char *kind, const struct section *section,
                         char *base, int program)
{
    int plain_http = 0; /* set before it is used: allow_plain_http comes before the addresses in
                           the table */

    for (size_t i = 0; i < option_count; i++) {
        struct setting setting;

        if (is_repeated(options[i].section) ? strcmp(options[i].section, kind) != 0
                                            : kind[0] != '\0')
            continue;
        find_setting(reading, section, i, &setting);
        if (setting.value == NULL)
            return error_set(reading->err, ERROR_PERMANENT,
                             "%s:%d: [%s %s] %s is missing; allowed: %s", reading->config->path,
                             section == NULL ? 0 : section->line, kind,
                             section == NULL ? "" : section->name, options[i].name,
                             option_range_text(options[i].range));
        if (option_apply(&setting, base, program, reading->err) != 0)
            return -1;
        if (strcmp(options[i].name, "allow_plain_http") == 0)
            plain_http = *(int *)(void *)(base + options[i].offset);
        if (check_plain_http(&setting, plain_http, reading->err) != 0)
            return -1;
    }
    return 0;
}

/* The line of a setting, or of its section where the setting is not in the file. */
static int setting_line(const struct section *section, const char *name)
{
    for (size_t i = 0; i < option_count; i++)
        if (strcmp(options[i].section, section->kind) == 0 && strcmp(options[i].name, name) == 0 &&
            section->lines[i] != 0)
            return section->lines[i];
    return section->line;
}

static int apply_all(struct reading *reading, int program)
{
    struct config *config = reading->config;
    const struct section *single = NULL;

    config->stores = mem_alloc((size_t)reading->section_count * sizeof(*config->stores));
    config->accounts = mem_alloc((size_t)reading->section_count * sizeof(*config->accounts));
    for (int i = 0; i < reading->section_count; i++) {
        struct section *section = &reading->sections[i];

        if (strcmp(section->kind, "store") == 0) {
            struct config_store *store = &config->stores[config->store_count++];

            store->name = mem_strdup(section->name);
            store->line = section->line;
            store->code_line = setting_line(section, "code");
            store->hash_line = setting_line(section, "hash");
            store->account_line = setting_line(section, "account");
            store->fields = section->fields;
            section->fields = (struct config_fields){0};
            if (apply_section(reading, "store", section, (char *)store, program) != 0)
                return -1;
        } else if (strcmp(section->kind, "infusionsoft") == 0) {
            struct config_account *account = &config->accounts[config->account_count++];

            account->name = mem_strdup(section->name);
            account->line = section->line;
            if (apply_section(reading, "infusionsoft", section, (char *)account, program) != 0)
                return -1;
        } else {
            single = section;
        }
    }
    return apply_section(reading, "", single, (char *)config, program);
}

int config_read(struct config *config, int program, const char *path, struct error *err)
{
    FILE *file = option_open(path);
    int rc;

    if (file == NULL)
        return error_set(err, ERROR_PERMANENT,
                         "%s: %s; allowed: a readable settings file (--config)", path,
                         option_open_why(errno));
    rc = config_read_stream(config, program, path, file, err);
    fclose(file);
    return rc;
}

int config_read_stream(struct config *config, int program, const char *path, FILE *file,
                       struct error *err)
{
    struct reading reading = {.config = config, .file = file, .err = err};
    int broken;

    config->path = path;
    broken = ini_parse_stream(read_line, &reading, on_setting, &reading);
    free(reading.text);
    if (reading.broken != 0)
        broken = reading.broken;
    if (broken != 0 && (err->kind == ERROR_NONE || reading.broken != 0)) {
        error_clear(err);
        error_set(err, ERROR_PERMANENT,
                  "%s:%d: not a setting; allowed: [section] and name of at most 49 characters, "
                  "name = value, ; comment",
                  path, broken);
    }
    take_librdkafka_variables(config);
    if (err->kind == ERROR_NONE && apply_all(&reading, program) == 0)
        config_check(config, program, err);
    for (int i = 0; i < reading.section_count; i++) {
        free(reading.sections[i].kind);
        free(reading.sections[i].name);
        config_fields_free(&reading.sections[i].fields);
        for (size_t j = 0; j < option_count; j++)
            free(reading.sections[i].values[j]);
    }
    free(reading.sections);
    return err->kind == ERROR_NONE ? 0 : -1;
}
