#include "mapping/region.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

enum {
    LETTERS = 26,
    NAME_BYTES_MAX = 120, /* a folded name; longer ones are in no list */
    SLOTS = 1 << 15,      /* about three times the names and codes of the data */
    KEYS_MAX = SLOTS / 2,
};

/* One known name of a region: "us texas" leads to "US-TX". */
struct entry {
    uint32_t key; /* offset into keys, where a byte with the length comes first */
    char code[8];
};

struct regions {
    char alpha3[LETTERS * LETTERS][4]; /* alpha-3 codes by alpha-2 code; "" where there is none */
    struct entry *entries;
    int count;
    struct buffer keys;
    uint16_t slots[SLOTS]; /* hash table with open addressing: 1 + index of an entry, or 0 where
                              a slot is free */
};

/* The base letter of each character from U+00C0 to U+024F and from U+1E00 to U+1EFF, "." where
 * there is none (Unicode decompositions). */
static const char latin_letters[] =
    "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnn.nnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    "...............e................oo.............uu..............."
    "....dddlllnnnaaiioouuuuuuuuuu.aaaa....ggkkoooo..jdddgg..nnaa...."
    "aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............"
    "................";
static const char latin_additional_letters[] =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwyas....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

/* Returns the character at text[*at] (valid UTF-8) and moves *at behind it. */
static uint32_t next_char(struct text text, size_t *at)
{
    const unsigned char *bytes = (const unsigned char *)text.data + *at;
    size_t left = text.length - *at;
    int more = bytes[0] < 0xc0 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
    uint32_t c = more == 0 ? bytes[0] : (uint32_t)(bytes[0] & (0x3f >> more));

    if ((size_t)more >= left)
        more = (int)left - 1;
    for (int i = 1; i <= more; i++)
        c = c << 6 | (bytes[i] & 0x3f);
    *at += 1 + (size_t)more;
    return c;
}

/* What a character counts as in a comparison: a small letter, a digit, ' ' for blanks and hyphens,
 * 0 for what is ignored (diacritics, apostrophes, footnote marks), or 1: the character itself. */
static char fold_char(uint32_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    if (c == '\'' || c == '`' || c == '*' || c == '.')
        return 0;
    if (c <= ' ' || c == '-' || c == 0xa0 || (c >= 0x2010 && c <= 0x2015))
        return ' ';
    if (c < 0x80)
        return (char)c;
    if (c >= 0xc0 && c <= 0x24f && latin_letters[c - 0xc0] != '.')
        return latin_letters[c - 0xc0];
    if (c >= 0x1e00 && c <= 0x1eff && latin_additional_letters[c - 0x1e00] != '.')
        return latin_additional_letters[c - 0x1e00];
    if ((c >= 0x2b9 && c <= 0x2bf) || (c >= 0x300 && c <= 0x36f) || (c >= 0x2018 && c <= 0x201f) ||
        c == 0x2020 || c == 0xb4)
        return 0;
    return 1;
}

/* Writes "us texas" for "US", "Texas". @returns its length, or 0 when there is no such key */
static size_t fold_key(char key[NAME_BYTES_MAX], struct text alpha2, struct text name)
{
    size_t length = 3;
    int blank = 1;

    if (alpha2.length != 2)
        return 0;
    key[0] = fold_char((unsigned char)alpha2.data[0]);
    key[1] = fold_char((unsigned char)alpha2.data[1]);
    key[2] = ' ';
    for (size_t at = 0; at < name.length;) {
        size_t start = at;
        char folded = fold_char(next_char(name, &at));

        if (folded == 0 || (folded == ' ' && blank))
            continue;
        if (length + 4 >= NAME_BYTES_MAX)
            return 0;
        if (folded == 1) {
            memcpy(key + length, name.data + start, at - start);
            length += at - start;
        } else {
            key[length++] = folded;
        }
        blank = folded == ' ';
    }
    if (length > 3 && blank)
        length--;
    return length > 3 ? length : 0;
}

/* The first slot to look at: FNV-1a, reduced to the size of the table. */
static uint32_t first_slot(const char *key, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)key[i]) * 16777619u;
    return (hash ^ hash >> 15) % SLOTS;
}

/* The slot that holds the key, or the free one where it would be. */
static uint32_t find_slot(const struct regions *regions, const char *key, size_t length)
{
    uint32_t slot = first_slot(key, length);

    for (; regions->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        const struct entry *entry = &regions->entries[regions->slots[slot] - 1];
        const char *known = regions->keys.data + entry->key;

        if ((size_t)(unsigned char)known[0] == length && memcmp(known + 1, key, length) == 0)
            break;
    }
    return slot;
}

/* Adds a name. Where the name has a code already, that code stays. */
static void add_name(struct regions *regions, struct text code, struct text name)
{
    char key[NAME_BYTES_MAX];
    size_t length = fold_key(key, (struct text){code.data, 2}, name);
    uint32_t slot = length > 0 ? find_slot(regions, key, length) : 0;
    struct entry *entry;
    char size = (char)length;

    if (length == 0 || regions->slots[slot] != 0 || regions->count == KEYS_MAX)
        return;
    entry = &regions->entries[regions->count++];
    entry->key = (uint32_t)regions->keys.length;
    snprintf(entry->code, sizeof(entry->code), "%.*s", (int)code.length, code.data);
    buffer_append(&regions->keys, &size, 1);
    buffer_append(&regions->keys, key, length);
    regions->slots[slot] = (uint16_t)regions->count;
}

static struct text member(yyjson_val *object, const char *name)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    return (struct text){yyjson_get_str(value), yyjson_get_len(value)};
}

/* Of "Catalunya [Cataluña]" both names are added, after all plain names. */
static void add_bracketed(struct regions *regions, struct text code, struct text name)
{
    const char *open = memchr(name.data, '[', name.length);
    const char *close = memchr(name.data, ']', name.length);

    if (open == NULL || close == NULL || close < open)
        return;
    add_name(regions, code, (struct text){name.data, (size_t)(open - name.data)});
    add_name(regions, code, (struct text){open + 1, (size_t)(close - open - 1)});
}

/* The data is read several times, because the first code of a name stays: names of regions count
 * before names of their parts, and all names before codes. */
enum pass { PASS_REGIONS, PASS_PARTS, PASS_BRACKETED, PASS_CODES, PASS_COUNT };

static void add_region(struct regions *regions, enum pass pass, yyjson_val *region)
{
    struct text code = member(region, "code");
    struct text name = member(region, "name");
    int is_part = yyjson_obj_get(region, "parent") != NULL;

    if (code.length < 4 || code.length >= sizeof(regions->entries->code) || code.data[2] != '-' ||
        name.data == NULL)
        return;
    if (pass == PASS_BRACKETED)
        add_bracketed(regions, code, name);
    else if (pass == PASS_CODES)
        add_name(regions, code, (struct text){code.data + 3, code.length - 3});
    else if (is_part == (pass == PASS_PARTS))
        add_name(regions, code, name);
}

static int alpha2_index(struct text alpha2)
{
    int first, second;

    if (alpha2.length != 2)
        return -1;
    first = (alpha2.data[0] | 0x20) - 'a';
    second = (alpha2.data[1] | 0x20) - 'a';
    if (first < 0 || first >= LETTERS || second < 0 || second >= LETTERS)
        return -1;
    return first * LETTERS + second;
}

/* Returns the list called name in folder/file. The caller frees *doc. */
static yyjson_val *read_list(const char *folder, const char *file, const char *name,
                             yyjson_doc **doc, struct error *err)
{
    char *path = mem_printf("%s/%s", folder, file);
    yyjson_read_err why = {0};
    yyjson_val *list;

    *doc = yyjson_read_file(path, YYJSON_READ_NOFLAG, NULL, &why);
    list = yyjson_obj_get(yyjson_doc_get_root(*doc), name);
    if (*doc == NULL)
        error_set(err, ERROR_PERMANENT, "%s: %s (the package iso-codes has it)", path, why.msg);
    else if (!yyjson_is_arr(list))
        error_set(err, ERROR_PERMANENT, "%s: no list \"%s\"", path, name);
    free(path);
    return yyjson_is_arr(list) ? list : NULL;
}

static int load_countries(struct regions *regions, const char *folder, struct error *err)
{
    yyjson_doc *doc;
    yyjson_val *list = read_list(folder, "iso_3166-1.json", "3166-1", &doc, err);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *country;

    while ((country = yyjson_arr_iter_next(&iter)) != NULL) {
        struct text alpha3 = member(country, "alpha_3");
        int index = alpha2_index(member(country, "alpha_2"));

        if (index >= 0 && alpha3.length == 3)
            memcpy(regions->alpha3[index], alpha3.data, 3);
    }
    yyjson_doc_free(doc);
    return list != NULL ? 0 : -1;
}

static int load_regions(struct regions *regions, const char *folder, struct error *err)
{
    yyjson_doc *doc;
    yyjson_val *list = read_list(folder, "iso_3166-2.json", "3166-2", &doc, err);

    for (int pass = 0; pass < PASS_COUNT; pass++) {
        yyjson_arr_iter iter = yyjson_arr_iter_with(list);
        yyjson_val *region;

        while ((region = yyjson_arr_iter_next(&iter)) != NULL)
            add_region(regions, (enum pass)pass, region);
    }
    yyjson_doc_free(doc);
    return list != NULL ? 0 : -1;
}

struct regions *regions_new(const char *folder, struct error *err)
{
    struct regions *regions = mem_alloc(sizeof(*regions));

    regions->entries = mem_alloc(KEYS_MAX * sizeof(*regions->entries));
    if (load_countries(regions, folder, err) != 0 || load_regions(regions, folder, err) != 0) {
        regions_free(regions);
        return NULL;
    }
    return regions;
}

void regions_free(struct regions *regions)
{
    if (regions == NULL)
        return;
    free(regions->entries);
    buffer_clear(&regions->keys);
    free(regions);
}

const char *regions_country(const struct regions *regions, struct text alpha2)
{
    int index = alpha2_index(alpha2);

    return index >= 0 && regions->alpha3[index][0] != '\0' ? regions->alpha3[index] : NULL;
}

const char *regions_code(const struct regions *regions, struct text alpha2, struct text name)
{
    char key[NAME_BYTES_MAX];
    size_t length = fold_key(key, alpha2, name);
    uint32_t slot;

    if (length == 0)
        return NULL;
    slot = find_slot(regions, key, length);
    return regions->slots[slot] != 0 ? regions->entries[regions->slots[slot] - 1].code : NULL;
}
