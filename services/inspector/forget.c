/* forget.c - `bigfusion forget`: removes what is kept of a person, and prints a receipt. */
#include "act/forget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act_line.h"
#include "command.h"

static int read_email(const struct command_line *line, char email[PERSON_EMAIL_BYTES],
                      struct error *err)
{
    const char *option = command_line_value(line, COMMAND_OPTION_EMAIL);
    const char *word = option != NULL ? option : line->word_count > 0 ? line->words[0] : NULL;

    if (word == NULL || (option != NULL && line->word_count > 0))
        return error_set(err, ERROR_PERMANENT,
                         "name one e-mail address, or read it from standard input: --email -");
    if (strcmp(word, "-") == 0)
        return act_line_read(email, PERSON_EMAIL_BYTES, err);
    snprintf(email, PERSON_EMAIL_BYTES, "%s", word);
    return 0;
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void print_receipt(const struct act *act, const json_t *receipt)
{
    const json_t *removed = json_object_get(receipt, "removed");
    const json_t *stays = json_object_get(receipt, "stays");
    const json_t *accounts = json_object_get(stays, "infusionsoft");

    printf("Receipt: the person with the e-mail digest %s, %s\n"
           "Entry of the audit: %" PRId64 "\n\n",
           json_string_value(json_object_get(receipt, "email_digest")),
           json_string_value(json_object_get(receipt, "at")), act->entry);
    printf("Removed\n"
           "  Redis: the contact's entry\n"
           "  dead: the text of %zu records; Kafka removes the old text at its next compaction\n"
           "  index of the console: the e-mail's digest, as soon as it reads the audit\n",
           json_array_size(json_object_get(removed, "dead")));
    printf("Stays\n"
           "  orders.raw, orders.eligible, orders.payloads, retry-*: until %s at the latest, where "
           "they have the retention of `bigfusion topics create`\n",
           json_string_value(json_object_get(stays, "topics_until")));
    printf("  waiting*: %" PRId64 " records that are done; these topics are kept for ever. "
           "Kafka's kafka-delete-records.sh removes what lies before the committed offsets\n",
           number_of(stays, "waiting_for_ever"));
    printf("  on their way: %" PRId64 " records, which will be delivered; `bigfusion drop` gives "
           "an order up\n",
           number_of(stays, "on_the_way"));
    printf(
        "  ledger, skipped, delivered: ids of the person's orders, so that none is made twice\n");
    for (size_t i = 0; i < json_array_size(accounts); i++) {
        const json_t *one = json_array_get(accounts, i);

        printf("  Infusionsoft, account %s: contact %s; its API deletes no contact, so delete it "
               "there by hand\n",
               json_string_value(json_object_get(one, "account")),
               json_string_value(json_object_get(one, "contact_id")));
    }
    if (json_array_size(accounts) == 0)
        printf("  Infusionsoft: no contact was known here; look for the address there\n");
}

int forget_run(const struct config *config, const struct command_line *line, struct error *err)
{
    char email[PERSON_EMAIL_BYTES];
    struct person person;
    json_t *receipt = NULL;
    struct act *act;
    int rc = -1;

    if (read_email(line, email, err) != 0 || person_init(&person, email, err) != 0)
        return -1;
    act = act_line_new(config, line, err);
    if (act != NULL)
        rc = forget_person(act, &person, &receipt, err);
    if (rc == 0 && line->json) {
        json_object_set_new(receipt, "audit", json_integer(act->entry));
        json_dumpf(receipt, stdout, JSON_INDENT(1));
        printf("\n");
    } else if (rc == 0) {
        print_receipt(act, receipt);
    }
    json_decref(receipt);
    act_free(act);
    return rc;
}
