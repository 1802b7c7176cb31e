#include "merge.h"

#include <stdlib.h>
#include <string.h>

/* The values of `field`, in the order of their bits. */
static const char *const address_fields[] = {"BILLING", "SHIPPING", "OTHER"};

/* A list of a contact. The member `field` says which entry is which. */
struct list {
    const char *name;
    const char *properties[10]; /* of an entry, as far as the account accepts them in a PATCH */
};

static const struct list phones = {"phone_numbers", {"number", "extension", "type", "field"}};
static const struct list addresses = {"addresses",
                                      {"field", "line1", "line2", "locality", "region_code",
                                       "region", "country_code", "country", "postal_code",
                                       "zip_code"}};

static int is_empty(yyjson_val *value)
{
    const char *text = yyjson_get_str(value);

    if (value == NULL || yyjson_is_null(value))
        return 1;
    return text != NULL && text[strspn(text, " \t")] == '\0';
}

static int takes(const struct list *list, const char *property)
{
    int count = (int)(sizeof(list->properties) / sizeof(list->properties[0]));

    if (strcmp(property, "zip_four") == 0)
        return list == &addresses;
    for (int i = 0; i < count && list->properties[i] != NULL; i++)
        if (strcmp(property, list->properties[i]) == 0)
            return 1;
    return 0;
}

/* Whether an entry says nothing but which one it is. */
static int entry_is_empty(yyjson_val *entry)
{
    yyjson_obj_iter members;
    yyjson_val *name;

    yyjson_obj_iter_init(entry, &members);
    while ((name = yyjson_obj_iter_next(&members)) != NULL) {
        const char *property = yyjson_get_str(name);

        if (strcmp(property, "field") != 0 && strcmp(property, "type") != 0 &&
            !is_empty(yyjson_obj_iter_get_val(name)))
            return 0;
    }
    return 1;
}

static yyjson_val *find_entry(yyjson_val *entries, const char *field)
{
    yyjson_arr_iter iter;
    yyjson_val *entry;

    yyjson_arr_iter_init(entries, &iter);
    while ((entry = yyjson_arr_iter_next(&iter)) != NULL) {
        const char *its = yyjson_get_str(yyjson_obj_get(entry, "field"));

        if (its != NULL && field != NULL && strcmp(its, field) == 0)
            return entry;
    }
    return NULL;
}

static int is_region(const char *property)
{
    return strcmp(property, "region_code") == 0 || strcmp(property, "region") == 0;
}

/* Whether the region of this address has to be left out. */
static int leaves_region_out(unsigned regions, const char *field)
{
    for (unsigned i = 0; field != NULL && i < 3; i++)
        if (strcmp(field, address_fields[i]) == 0)
            return (regions & (1U << i)) != 0;
    return regions != 0;
}

unsigned merge_refused_regions(struct text answer)
{
    unsigned regions = 0;

    if (answer.length == 0 || (memmem(answer.data, answer.length, "egion", 5) == NULL &&
                               memmem(answer.data, answer.length, "REGION", 6) == NULL))
        return 0;
    for (unsigned i = 0; i < 3; i++)
        if (memmem(answer.data, answer.length, address_fields[i], strlen(address_fields[i])) !=
            NULL)
            regions |= 1U << i;
    return regions != 0 ? regions : MERGE_REGIONS_ALL;
}

/* Whether the entry has everything already that is wanted. */
static int entry_holds(yyjson_val *entry, yyjson_val *wanted, unsigned regions)
{
    int without_region =
        leaves_region_out(regions, yyjson_get_str(yyjson_obj_get(wanted, "field")));
    yyjson_obj_iter members;
    yyjson_val *name;

    yyjson_obj_iter_init(wanted, &members);
    while ((name = yyjson_obj_iter_next(&members)) != NULL) {
        yyjson_val *value = yyjson_obj_iter_get_val(name);

        if (without_region && is_region(yyjson_get_str(name)))
            continue;
        if (!yyjson_equals(yyjson_obj_get(entry, yyjson_get_str(name)), value))
            return 0;
    }
    return 1;
}

static void add_entry(yyjson_mut_doc *doc, yyjson_mut_val *target, const struct list *list,
                      yyjson_val *entry, unsigned regions)
{
    int without_region = leaves_region_out(regions, yyjson_get_str(yyjson_obj_get(entry, "field")));
    yyjson_mut_val *copy = yyjson_mut_arr_add_obj(doc, target);
    yyjson_obj_iter members;
    yyjson_val *name;

    yyjson_obj_iter_init(entry, &members);
    while ((name = yyjson_obj_iter_next(&members)) != NULL) {
        yyjson_val *value = yyjson_obj_iter_get_val(name);

        if (yyjson_is_null(value) || !takes(list, yyjson_get_str(name)) ||
            (without_region && is_region(yyjson_get_str(name))))
            continue;
        yyjson_mut_obj_add(copy, yyjson_val_mut_copy(doc, name), yyjson_val_mut_copy(doc, value));
    }
}

/* The whole list as it has to become; NULL when it is as wanted already. */
static yyjson_mut_val *merge_list(yyjson_mut_doc *doc, const struct list *list,
                                  yyjson_val *existing, yyjson_val *wanted, int overwrite,
                                  unsigned regions)
{
    yyjson_mut_val *target = yyjson_mut_arr(doc);
    int changed = 0;
    yyjson_arr_iter iter;
    yyjson_val *entry;

    yyjson_arr_iter_init(existing, &iter);
    while ((entry = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_val *other = find_entry(wanted, yyjson_get_str(yyjson_obj_get(entry, "field")));

        if (other != NULL &&
            (entry_is_empty(entry) || (overwrite && !entry_holds(entry, other, regions))))
            continue; /* the wanted entry takes its place below */
        add_entry(doc, target, list, entry, regions);
    }
    yyjson_arr_iter_init(wanted, &iter);
    while ((entry = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_val *other = find_entry(existing, yyjson_get_str(yyjson_obj_get(entry, "field")));

        if (entry_is_empty(entry) || (other != NULL && !entry_is_empty(other) &&
                                      (!overwrite || entry_holds(other, entry, regions))))
            continue;
        add_entry(doc, target, list, entry, regions);
        changed = 1;
    }
    return changed ? target : NULL;
}

void merge_contact(yyjson_val *existing, yyjson_val *wanted, int overwrite, unsigned regions,
                   struct merge *merge)
{
    static const char *const names[] = {"given_name", "family_name"};
    static const struct list *const lists[] = {&phones, &addresses};
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc);

    memset(merge, 0, sizeof(*merge));
    yyjson_mut_doc_set_root(doc, root);
    for (int i = 0; i < 2; i++) {
        yyjson_val *theirs = yyjson_obj_get(existing, names[i]);
        yyjson_val *ours = yyjson_obj_get(wanted, names[i]);

        if (is_empty(ours) || (overwrite ? yyjson_equals(theirs, ours) : !is_empty(theirs)))
            continue;
        yyjson_mut_obj_add_val(doc, root, names[i], yyjson_val_mut_copy(doc, ours));
        merge->mask[merge->mask_count++] = names[i];
    }
    for (int i = 0; i < 2; i++) {
        yyjson_mut_val *list =
            merge_list(doc, lists[i], yyjson_obj_get(existing, lists[i]->name),
                       yyjson_obj_get(wanted, lists[i]->name), overwrite, regions);

        if (list == NULL)
            continue;
        yyjson_mut_obj_add_val(doc, root, lists[i]->name, list);
        merge->mask[merge->mask_count++] = lists[i]->name;
    }
    if (merge->mask_count > 0)
        merge->body = mem_check(yyjson_mut_write(doc, 0, &merge->length));
    yyjson_mut_doc_free(doc);
}

void merge_clear(struct merge *merge)
{
    free(merge->body);
    merge->body = NULL;
    merge->mask_count = 0;
}

char *merge_create_body(yyjson_val *wanted, unsigned regions, size_t *length)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_val_mut_copy(doc, wanted);
    char *body;

    yyjson_mut_doc_set_root(doc, root);
    if (regions != 0) {
        yyjson_mut_arr_iter iter;
        yyjson_mut_val *address;

        yyjson_mut_arr_iter_init(yyjson_mut_obj_get(root, "addresses"), &iter);
        while ((address = yyjson_mut_arr_iter_next(&iter)) != NULL)
            if (leaves_region_out(regions,
                                  yyjson_mut_get_str(yyjson_mut_obj_get(address, "field"))))
                yyjson_mut_obj_remove_key(address, "region_code");
    }
    body = mem_check(yyjson_mut_write(doc, 0, length));
    yyjson_mut_doc_free(doc);
    return body;
}

char *merge_address_body(yyjson_val *wanted, size_t *length)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc), *list;
    yyjson_mut_arr_iter iter;
    yyjson_mut_val *address;
    char *body;

    yyjson_mut_doc_set_root(doc, root);
    list = yyjson_val_mut_copy(doc, yyjson_obj_get(wanted, "email_addresses"));
    yyjson_mut_arr_iter_init(list, &iter);
    while ((address = yyjson_mut_arr_iter_next(&iter)) != NULL)
        yyjson_mut_obj_remove_key(address, "opt_in_reason");
    yyjson_mut_obj_add_val(doc, root, "email_addresses", list);
    body = mem_check(yyjson_mut_write(doc, 0, length));
    yyjson_mut_doc_free(doc);
    return body;
}
