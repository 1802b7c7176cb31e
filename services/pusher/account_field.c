/* account_field.c - the ids of the order custom fields that the settings field.LABEL of the account's
 * stores name. */
#include "account_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct account_field *find(const struct account *account, struct text label)
{
    for (int i = 0; i < account->field_count; i++)
        if (text_is(label, account->fields[i].label))
            return &account->fields[i];
    return NULL;
}

void account_fields_init(struct account *account)
{
    const struct config *config = account->settings.config;

    for (int i = 0; i < config->store_count; i++) {
        const struct config_store *store = &config->stores[i];

        if (store->account_index != account->settings.index || store->fields.count == 0)
            continue;
        account->fields =
            mem_realloc(account->fields, (size_t)(account->field_count + store->fields.count) *
                                             sizeof(*account->fields));
        for (int j = 0; j < store->fields.count; j++)
            if (find(account, text_of(store->fields.list[j].label)) == NULL)
                account->fields[account->field_count++] =
                    (struct account_field){.label = store->fields.list[j].label};
    }
}

int account_fields_read(struct account *account, struct infusionsoft *client, char why[160])
{
    for (int i = 0; i < account->field_count; i++) {
        struct account_field *one = &account->fields[i];
        struct infusionsoft_field field;

        if (infusionsoft_read_field(client, one->label, &field) != INFUSIONSOFT_OK) {
            snprintf(why, 160, "%.150s", infusionsoft_answer(client)->error.text);
            return -1;
        }
        if (field.id[0] == '\0') {
            snprintf(why, 160,
                     "the order custom field \"%s\" of type TEXT is missing, which a setting "
                     "field. names",
                     one->label);
            return -1;
        }
        pthread_mutex_lock(&account->lock);
        snprintf(one->id, sizeof(one->id), "%s", field.id);
        pthread_mutex_unlock(&account->lock);
    }
    return 0;
}

int account_field_id(struct account *account, struct text label, char id[32])
{
    const struct account_field *field = find(account, label);

    id[0] = '\0';
    if (field != NULL) {
        pthread_mutex_lock(&account->lock);
        snprintf(id, 32, "%s", field->id);
        pthread_mutex_unlock(&account->lock);
    }
    return id[0] != '\0' ? 0 : -1;
}
