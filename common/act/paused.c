#include "act/paused.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/kafka.h"
#include "record/topic.h"

const char *paused_key(char key[PAUSED_KEY_BYTES], enum paused_kind kind, const char *name)
{
    snprintf(key, PAUSED_KEY_BYTES, "%s/%.110s", kind == PAUSED_STORE ? "store" : "account", name);
    return key;
}

static void one_clear(struct paused_one *one)
{
    free(one->who);
    free(one->why);
}

void paused_clear(struct paused *paused)
{
    for (int i = 0; i < paused->count; i++)
        one_clear(&paused->list[i]);
    free(paused->list);
    *paused = (struct paused){0};
}

static int index_of(const struct paused *paused, struct text key)
{
    for (int i = 0; i < paused->count; i++)
        if (text_is(key, paused->list[i].key))
            return i;
    return -1;
}

const struct paused_one *paused_find(const struct paused *paused, enum paused_kind kind,
                                     const char *name)
{
    char key[PAUSED_KEY_BYTES];
    int index = index_of(paused, text_of(paused_key(key, kind, name)));

    return index >= 0 ? &paused->list[index] : NULL;
}

static void remove_one(struct paused *paused, int index)
{
    if (index < 0)
        return;
    one_clear(&paused->list[index]);
    paused->list[index] = paused->list[--paused->count];
}

static int64_t number_of(yyjson_val *root, const char *name)
{
    int64_t value;

    return text_to_int(json_text(yyjson_obj_get(root, name)), &value) == 0 ? value : -1;
}

static char *text_new(yyjson_val *root, const char *name)
{
    const char *text = yyjson_get_str(yyjson_obj_get(root, name));

    return mem_strdup(text != NULL ? text : "");
}

void paused_add(struct paused *paused, const struct event *event)
{
    struct paused_one one = {0};
    yyjson_doc *doc;
    yyjson_val *root;

    if (event->key.length == 0 || event->key.length >= PAUSED_KEY_BYTES)
        return;
    remove_one(paused, index_of(paused, event->key));
    if (event->value.data == NULL)
        return;
    memcpy(one.key, event->key.data, event->key.length);
    doc = yyjson_read(event->value.data, event->value.length, YYJSON_READ_NUMBER_AS_RAW);
    root = yyjson_doc_get_root(doc);
    one.since_ms = number_of(root, "since");
    one.audit = number_of(root, "audit");
    one.who = text_new(root, "who");
    one.why = text_new(root, "why");
    yyjson_doc_free(doc);
    paused->list = mem_realloc(paused->list, ((size_t)paused->count + 1) * sizeof(*paused->list));
    paused->list[paused->count++] = one;
}

static int visit(void *context, const struct event *event, struct error *err)
{
    (void)err;
    paused_add(context, event);
    return 0;
}

int paused_read(const struct config *config, struct paused *paused, struct error *err)
{
    struct topics topics;
    const char *name;
    int rc;

    topics_init(&topics, config);
    name = topics.paused;
    rc = kafka_read_all(config, &name, 1, visit, paused, err);
    topics_clear(&topics);
    return rc;
}
