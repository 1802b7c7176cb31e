#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <microhttpd.h>

static const char help[] =
    "bigfusion-sandbox - a BigCommerce store and an Infusionsoft account for trials and tests\n"
    "\n"
    "  --listen HOST:PORT         where to listen (127.0.0.1:8480; port 0: a free one)\n"
    "  --journal FILE             append a JSON line for each request and change (none)\n"
    "  --stores K                 1 to 10000 stores: abc123, abc124, ... with equal order ids (1)\n"
    "  --orders N                 0 to 1000000 orders in each store, the three sample orders\n"
    "                             149, 250 and 251 counted in (100)\n"
    "  --products N               0 to 100000 products in each store's catalogue (0)\n"
    "  --seed S                   of the generated orders (1)\n"
    "  --currency CODE            of the account and of the generated orders (USD)\n"
    "  --quota off|key|oauth      limits of calls on both sides (off)\n"
    "  --visibility-delay-ms N    the account's lists do not show younger objects (0)\n"
    "  --answer-delay-ms N        every answer of the account comes that late (0)\n"
    "  --history SECONDS          spread the generated orders over that long before now (0)\n"
    "  --changes N                change the status of N orders in each store within 10 s (0)\n"
    "  --help, --version\n"
    "\n"
    "Under http://HOST:PORT:\n"
    "  /stores/{hash}/v2/...      BigCommerce; header X-Auth-Token: sandbox-bc-token\n"
    "  /crm/rest/v2/...           Infusionsoft; header X-Keap-API-Key: KeapAK-sandbox\n"
    "  /token                     OAuth; client sandbox-client, secret sandbox-secret, first\n"
    "                             refresh token sandbox-refresh-1\n"
    "  /sandbox/state             what there is\n"
    "  /sandbox/stores/{hash}/orders[/{id}[/raw]]\n"
    "                             GET, POST (place), PATCH, DELETE; raw: the bytes of the list "
    "call\n"
    "  /sandbox/stores/{hash}/products[/{id}[/variants/{id}]]\n"
    "                             GET, POST (place), PATCH, DELETE\n"
    "  /sandbox/stores/{hash}/{customers|customer_groups}[/{id}]\n"
    "                             GET, POST (place), PATCH, DELETE\n"
    "  /sandbox/account/{contacts|products|orders|tags}\n"
    "  /sandbox/faults[/{id}]     GET, POST, DELETE; kinds: status, html, drop_before, "
    "drop_after,\n"
    "                             garbage, cut, blank, slow, delay\n"
    "  /sandbox/settings          GET, PUT\n"
    "docs/sandbox.md tells the rest.\n";

enum option_name {
    OPTION_LISTEN = 1,
    OPTION_JOURNAL,
    OPTION_STORES,
    OPTION_ORDERS,
    OPTION_PRODUCTS,
    OPTION_SEED,
    OPTION_CURRENCY,
    OPTION_QUOTA,
    OPTION_VISIBILITY,
    OPTION_ANSWER,
    OPTION_HISTORY,
    OPTION_CHANGES,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"journal", required_argument, NULL, OPTION_JOURNAL},
    {"stores", required_argument, NULL, OPTION_STORES},
    {"orders", required_argument, NULL, OPTION_ORDERS},
    {"products", required_argument, NULL, OPTION_PRODUCTS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"currency", required_argument, NULL, OPTION_CURRENCY},
    {"quota", required_argument, NULL, OPTION_QUOTA},
    {"visibility-delay-ms", required_argument, NULL, OPTION_VISIBILITY},
    {"answer-delay-ms", required_argument, NULL, OPTION_ANSWER},
    {"history", required_argument, NULL, OPTION_HISTORY},
    {"changes", required_argument, NULL, OPTION_CHANGES},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0}};

static int read_number(const char *name, const char *text, int64_t least, int64_t most,
                       int64_t *value, struct error *err)
{
    char *end;

    errno = 0;
    *value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || *value < least || *value > most)
        return error_set(err, ERROR_PERMANENT, "--%s %s: must be a number from %lld to %lld", name,
                         text, (long long)least, (long long)most);
    return 0;
}

static int read_option(struct sandbox_options *options, int option, const char *value,
                       struct error *err)
{
    switch (option) {
    case OPTION_LISTEN:
        options->listen = value;
        return 0;
    case OPTION_JOURNAL:
        options->journal = value;
        return 0;
    case OPTION_STORES:
        return read_number("stores", value, 1, 10000, &options->stores, err);
    case OPTION_ORDERS:
        return read_number("orders", value, 0, 1000000, &options->orders, err);
    case OPTION_PRODUCTS:
        return read_number("products", value, 0, 100000, &options->products, err);
    case OPTION_SEED:
        return read_number("seed", value, 0, INT64_MAX, &options->seed, err);
    case OPTION_CURRENCY:
        options->currency = value;
        if (strlen(value) != 3 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
            return error_set(err, ERROR_PERMANENT, "--currency %s: must be three capitals", value);
        return 0;
    case OPTION_VISIBILITY:
        return read_number("visibility-delay-ms", value, 0, 86400000, &options->visibility_delay_ms,
                           err);
    case OPTION_ANSWER:
        return read_number("answer-delay-ms", value, 0, 3600000, &options->answer_delay_ms, err);
    case OPTION_HISTORY:
        return read_number("history", value, 0, 315360000, &options->history_s, err);
    case OPTION_CHANGES:
        return read_number("changes", value, 0, 100000, &options->changes, err);
    default:
        options->quota = value;
        if (strcmp(value, "off") != 0 && strcmp(value, "key") != 0 && strcmp(value, "oauth") != 0)
            return error_set(err, ERROR_PERMANENT, "--quota %s: must be off, key or oauth", value);
        return 0;
    }
}

enum options_answer options_read(struct sandbox_options *options, int argc, char **argv,
                                 struct error *err)
{
    int option;

    *options = (struct sandbox_options){.listen = "127.0.0.1:8480",
                                        .stores = 1,
                                        .orders = 100,
                                        .seed = 1,
                                        .quota = "off",
                                        .currency = "USD"};
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            return OPTIONS_DONE;
        }
        if (option == OPTION_VERSION) {
            printf("bigfusion-sandbox %s (libmicrohttpd %s, jansson %s)\n", BIGFUSION_VERSION,
                   MHD_get_version(), JANSSON_VERSION);
            return OPTIONS_DONE;
        }
        if (option == '?') {
            error_set(err, ERROR_PERMANENT, "unknown or incomplete option; see --help");
            return OPTIONS_WRONG;
        }
        if (read_option(options, option, optarg, err) != 0)
            return OPTIONS_WRONG;
    }
    if (optind < argc) {
        error_set(err, ERROR_PERMANENT, "unknown argument %s; see --help", argv[optind]);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
