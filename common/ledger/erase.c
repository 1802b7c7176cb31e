#include "ledger/handle.h"

int ledger_erase_contact(struct ledger *ledger, struct text account, struct text digest,
                         enum ledger_answer *answer, struct error *err)
{
    char key[LEDGER_KEY_BYTES];
    const char *data[4];
    size_t lengths[4];
    struct ledger_arguments arguments = {.data = data, .lengths = lengths};
    redisReply *reply;
    int rc;

    if (ledger_entry_key(key, ledger->settings.prefix, account, LEDGER_CONTACT, digest, err) != 0)
        return -1;
    ledger_add_string(&arguments, "2");
    ledger_add_string(&arguments, ledger->marker_key);
    ledger_add_string(&arguments, key);
    reply = ledger_run(ledger, SCRIPT_ERASE, &arguments, err);
    if (reply == NULL)
        return -1;
    rc = ledger_answer_of(reply, answer, err);
    freeReplyObject(reply);
    return rc;
}
