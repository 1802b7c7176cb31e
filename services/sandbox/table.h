/* table.h - a hash table from text to pointers; one key may have many. Keys are compared in ASCII
 * lower case. */
#ifndef SANDBOX_TABLE_H
#define SANDBOX_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_entry {
    struct table_entry *next; /* in the same slot */
    uint64_t hash;
    void *value;
    char key[]; /* lower case */
};

/* Embedded, zero-initialised. */
struct table {
    struct table_entry **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
};

/** @brief Adds value (kept) under key (copied); the same pair may be added only once. */
void table_add(struct table *table, const char *key, void *value);

/** @brief Removes the pair, if it is there. */
void table_remove(struct table *table, const char *key, const void *value);

/**
 * @brief The first entry of key when after is NULL, else the next of the same key.
 * @returns borrowed until the table changes, or NULL. Order is the newest first.
 */
const struct table_entry *table_find(const struct table *table, const char *key,
                                     const struct table_entry *after);

/** @brief The value of key, or NULL: for tables with one value a key. */
void *table_get(const struct table *table, const char *key);

/** @brief Releases the table, not the values. */
void table_clear(struct table *table);

/** @brief ASCII lower case, in place. @returns text */
char *text_lower(char *text);

#endif
