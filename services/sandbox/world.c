#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "dates.h"
#include "generate/generate.h"
#include "generate/products.h"
#include "order_text.h"

/* The vendor's sample orders 149, 250 and 251. They are served byte for byte. */
static const char seed_orders[] = {
#include "seed_orders.json.h"
};

#define FIRST_GENERATED_ID 1001

int world_set_quota(struct settings *settings, const char *name)
{
    static const struct {
        const char *name;
        struct limits limits;
        int bc;
    } known[] = {
        {"off", {0, 0, 0}, 0}, {"key", {10, 240, 30000}, 150}, {"oauth", {25, 1500, 150000}, 150}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            settings->quota = known[i].limits;
            settings->bc_quota = known[i].bc;
            return 0;
        }
    }
    return -1;
}

static void default_settings(struct settings *settings, const struct sandbox_options *options)
{
    *settings = (struct settings){.ecommerce = 1,
                                  .visibility_delay_ms = options->visibility_delay_ms,
                                  .answer_delay_ms = options->answer_delay_ms,
                                  .bc_quota_headers = 1,
                                  .tenant = "sandbox.infusionsoft.com",
                                  .access_token_expires_s = 86400,
                                  .key_accepted = 1,
                                  .order_region = "any"};
    snprintf(settings->currency, sizeof settings->currency, "%s", options->currency);
    world_set_quota(settings, options->quota);
}

/* Puts the first count sample orders into the shop unchanged. @returns how many */
static int64_t put_seed(struct shop *shop, int64_t count)
{
    const char *text = strchr(seed_orders, '{');
    int64_t done = 0;

    while (text != NULL && done < count) {
        json_error_t error;
        json_t *order = json_loads(text, JSON_DISABLE_EOF_CHECK, &error);
        if (order == NULL)
            break;
        shop_put_text(shop, order, text, (size_t)error.position);
        json_decref(order);
        text = strchr(text + error.position, '{');
        done++;
    }
    return done;
}

static void put_generated(struct shop *shop, const struct sandbox_options *options, int64_t count,
                          int64_t start_s)
{
    for (int64_t i = 0; i < count; i++) {
        struct generate_input input = {.seed = (uint64_t)options->seed,
                                       .hash = shop->hash,
                                       .currency = options->currency,
                                       .id = FIRST_GENERATED_ID + i,
                                       .index = i};
        struct generated made;
        struct shop_extra extra = {0};
        struct error err = {0};
        input.placed_s = start_s - options->history_s + options->history_s * (i + 1) / count;
        generate_order(&input, &made);
        extra.coupons = made.coupons;
        extra.hide_lines = made.hide_lines;
        extra.style = made.style;
        if (shop_put(shop, made.order, &extra, &err) == NULL)
            log_error("generated order refused id=%lld error=\"%s\"", (long long)input.id,
                      err.text);
        generated_clear(&made);
    }
}

static void put_products(struct shop *shop, const struct sandbox_options *options, int64_t start_s)
{
    for (int64_t i = 0; i < options->products; i++) {
        json_t *product = generate_product((uint64_t)options->seed, options->currency, i);
        struct error err = {0};
        if (catalog_put(&shop->catalog, product, start_s - options->history_s, &err) == NULL)
            log_error("generated product refused index=%lld error=\"%s\"", (long long)i, err.text);
        json_decref(product);
    }
}

static void make_shops(struct world *world)
{
    const struct sandbox_options *options = world->options;
    int64_t start_s = clock_now_ms() / 1000;

    world->shop_count = (size_t)options->stores;
    world->shops = mem_alloc(world->shop_count * sizeof(struct shop *));
    for (size_t i = 0; i < world->shop_count; i++) {
        char hash[16];
        int64_t seeds;
        snprintf(hash, sizeof hash, "abc%zu", 123 + i);
        world->shops[i] = shop_new(hash);
        seeds = put_seed(world->shops[i], options->orders);
        put_generated(world->shops[i], options, options->orders - seeds, start_s);
        put_products(world->shops[i], options, start_s);
    }
}

int world_init(struct world *world, const struct sandbox_options *options, struct error *err)
{
    *world = (struct world){.options = options};
    pthread_mutex_init(&world->lock, NULL);
    account_init(&world->account);
    default_settings(&world->settings, options);
    if (geo_load(&world->geo, GEO_FOLDER, err) != 0)
        return -1;
    if (options->journal != NULL && journal_open(&world->journal, options->journal, err) != 0)
        return -1;
    make_shops(world);
    return 0;
}

void world_clear(struct world *world)
{
    for (size_t i = 0; i < world->shop_count; i++)
        shop_free(world->shops[i]);
    free(world->shops);
    account_clear(&world->account);
    faults_clear(&world->faults);
    geo_clear(&world->geo);
    journal_close(&world->journal);
    pthread_mutex_destroy(&world->lock);
}

struct shop *world_shop(const struct world *world, const char *hash)
{
    for (size_t i = 0; i < world->shop_count; i++)
        if (strcmp(world->shops[i]->hash, hash) == 0)
            return world->shops[i];
    return NULL;
}

int64_t world_store_time(const struct world *world)
{
    return clock_now_ms() / 1000 + world->settings.clock_skew_s;
}

/* Sets the members that follow from others, unless they were given. */
static void set_derived(const struct world *world, json_t *order, const json_t *members)
{
    int status_id = (int)json_integer_value(json_object_get(order, "status_id"));
    char date[DATE_SIZE];

    if (json_object_get(members, "date_modified") == NULL)
        json_object_set_new(order, "date_modified",
                            json_string(date_rfc2822(date, world_store_time(world))));
    if (json_object_get(members, "status_id") == NULL)
        return;
    if (json_object_get(members, "status") == NULL)
        json_object_set_new(order, "status", json_string(status_name(status_id)));
    if (json_object_get(members, "custom_status") == NULL)
        json_object_set_new(order, "custom_status", json_string(status_name(status_id)));
}

int world_change_order(struct world *world, struct shop *shop, int64_t id, const json_t *members,
                       struct error *err)
{
    struct shop_order *order = shop_find(shop, id);
    struct shop_extra extra = {0};
    json_t *json, *products = NULL, *coupons = NULL;
    int hidden;
    char *effect, *path;

    if (order == NULL)
        return error_set(err, ERROR_PERMANENT, "no order with this id");
    json = json_loadb(order->text, order->length, 0, NULL);
    if (json == NULL || !json_is_object(members)) {
        json_decref(json);
        return error_set(err, ERROR_PERMANENT, "the order or the change is not a JSON object");
    }
    /* Keeps the lines that the order does not show, unless the change brings new lines. */
    hidden = order->products != NULL && json_object_get(members, "consignments") == NULL;
    if (hidden)
        products = json_loads(order->products, 0, NULL);
    if (order->coupons != NULL && json_object_get(members, "consignments") == NULL)
        coupons = json_loads(order->coupons, 0, NULL);
    extra = (struct shop_extra){.products = products, .coupons = coupons, .style = order->style};
    json_object_update(json, (json_t *)members);
    json_object_set_new(json, "id", json_integer(id));
    set_derived(world, json, members);
    order = shop_put(shop, json, &extra, err);
    json_decref(json);
    json_decref(products);
    json_decref(coupons);
    effect = shop_effect(shop, order, "changed");
    path = mem_printf("/stores/%s/orders/%lld", shop->hash, (long long)id);
    journal_store(&world->journal, "CHANGE", path, effect);
    free(effect);
    free(path);
    return 0;
}
