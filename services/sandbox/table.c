#include "table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

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
            struct table_entry **slot = &slots[entry->hash & (slot_count - 1)];
            next = entry->next;
            entry->next = *slot;
            *slot = entry;
        }
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
}

/* The pointer that leads to the key's entry, or NULL. */
static struct table_entry **find_link(const struct table *table, const char *key)
{
    uint64_t hash = hash_of(key);

    if (table->slot_count == 0)
        return NULL;
    for (struct table_entry **link = &table->slots[hash & (table->slot_count - 1)]; *link != NULL;
         link = &(*link)->next)
        if ((*link)->hash == hash && strcasecmp((*link)->key, key) == 0)
            return link;
    return NULL;
}

static struct table_entry *add_entry(struct table *table, const char *key)
{
    size_t length = strlen(key);
    struct table_entry *entry = mem_alloc(sizeof *entry + length + 1), **slot;

    if (table->count >= table->slot_count)
        grow(table);
    memcpy(entry->key, key, length + 1);
    text_lower(entry->key);
    entry->hash = hash_of(key);
    slot = &table->slots[entry->hash & (table->slot_count - 1)];
    entry->next = *slot;
    *slot = entry;
    table->count++;
    return entry;
}

void table_add(struct table *table, const char *key, void *value)
{
    struct table_entry **link = find_link(table, key);
    struct table_entry *entry = link != NULL ? *link : add_entry(table, key);

    if (entry->count == entry->capacity) {
        entry->capacity = entry->capacity == 0 ? 1 : entry->capacity * 2;
        entry->values = mem_realloc(entry->values, entry->capacity * sizeof *entry->values);
    }
    entry->values[entry->count++] = value;
}

static void free_entry(struct table_entry *entry)
{
    free(entry->values);
    free(entry);
}

void table_remove(struct table *table, const char *key, const void *value)
{
    struct table_entry **link = find_link(table, key), *entry;

    if (link == NULL)
        return;
    entry = *link;
    for (size_t i = 0; i < entry->count; i++) {
        if (entry->values[i] != value)
            continue;
        entry->count--;
        memmove(entry->values + i, entry->values + i + 1,
                (entry->count - i) * sizeof *entry->values);
        break;
    }
    if (entry->count == 0) {
        *link = entry->next;
        free_entry(entry);
        table->count--;
    }
}

const struct table_entry *table_find(const struct table *table, const char *key)
{
    struct table_entry **link = find_link(table, key);

    return link == NULL ? NULL : *link;
}

void *table_get(const struct table *table, const char *key)
{
    const struct table_entry *entry = table_find(table, key);

    return entry == NULL ? NULL : entry->values[0];
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        for (struct table_entry *entry = table->slots[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free_entry(entry);
        }
    }
    free(table->slots);
    *table = (struct table){0};
}
