#include "table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"

char *text_lower(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    return text;
}

/* FNV-1a over the lower-case bytes. */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = 14695981039346656037ULL;

    for (; *key != '\0'; key++) {
        unsigned char c = (unsigned char)*key;
        hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32U : c)) * 1099511628211ULL;
    }
    return hash;
}

static void grow(struct table *table)
{
    size_t slot_count = table->slot_count == 0 ? 64 : table->slot_count * 2;
    struct table_entry **slots = mem_alloc(slot_count * sizeof *slots);

    for (size_t i = 0; i < table->slot_count; i++) {
        for (struct table_entry *entry = table->slots[i], *next; entry != NULL; entry = next) {
            struct table_entry **tail = &slots[entry->hash & (slot_count - 1)];
            next = entry->next;
            while (*tail != NULL) /* keeps the order among equal keys */
                tail = &(*tail)->next;
            entry->next = NULL;
            *tail = entry;
        }
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
}

void table_add(struct table *table, const char *key, void *value)
{
    size_t length = strlen(key);
    struct table_entry *entry = mem_alloc(sizeof *entry + length + 1);
    struct table_entry **slot;

    if (table->count >= table->slot_count)
        grow(table);
    memcpy(entry->key, key, length + 1);
    text_lower(entry->key);
    entry->hash = hash_of(key);
    entry->value = value;
    slot = &table->slots[entry->hash & (table->slot_count - 1)];
    entry->next = *slot;
    *slot = entry;
    table->count++;
}

void table_remove(struct table *table, const char *key, const void *value)
{
    uint64_t hash = hash_of(key);

    if (table->slot_count == 0)
        return;
    for (struct table_entry **link = &table->slots[hash & (table->slot_count - 1)]; *link != NULL;
         link = &(*link)->next) {
        struct table_entry *entry = *link;
        if (entry->hash == hash && entry->value == value && strcasecmp(entry->key, key) == 0) {
            *link = entry->next;
            free(entry);
            table->count--;
            return;
        }
    }
}

const struct table_entry *table_find(const struct table *table, const char *key,
                                     const struct table_entry *after)
{
    uint64_t hash = hash_of(key);
    const struct table_entry *entry;

    if (table->slot_count == 0)
        return NULL;
    entry = after != NULL ? after->next : table->slots[hash & (table->slot_count - 1)];
    for (; entry != NULL; entry = entry->next)
        if (entry->hash == hash && strcasecmp(entry->key, key) == 0)
            return entry;
    return NULL;
}

void *table_get(const struct table *table, const char *key)
{
    const struct table_entry *entry = table_find(table, key, NULL);

    return entry == NULL ? NULL : entry->value;
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        for (struct table_entry *entry = table->slots[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free(entry);
        }
    }
    free(table->slots);
    *table = (struct table){0};
}
