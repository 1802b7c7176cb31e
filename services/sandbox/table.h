/* table.h - a hash table from text to pointers; a key may have several values. Keys are compared in
 * lower case (ASCII). */
#ifndef SANDBOX_TABLE_H
#define SANDBOX_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* A key with its values, the oldest first. It has at least one value. */
struct table_entry {
    struct table_entry *next; /* next entry of the same slot */
    uint64_t hash;
    void **values;
    size_t count;
    size_t capacity;
    char key[]; /* lower case */
};

/* Embedded, zero-initialised. */
struct table {
    struct table_entry **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;      /* how many keys */
};

/** @brief Adds value (kept) under key (copied). The same pair may be added only once. */
void table_add(struct table *table, const char *key, void *value);

/** @brief Removes the pair, if it is there. */
void table_remove(struct table *table, const char *key, const void *value);

/** @brief The key's entry, borrowed until the table changes, or NULL. */
const struct table_entry *table_find(const struct table *table, const char *key);

/** @brief The first value of key, or NULL. */
void *table_get(const struct table *table, const char *key);

/** @brief Releases the table, not the values. */
void table_clear(struct table *table);

/** @brief ASCII lower case, in place. @returns text */
char *text_lower(char *text);

#endif
