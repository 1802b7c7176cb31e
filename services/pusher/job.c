#include "job.h"

#include <stdlib.h>

#include "base/mem.h"

struct job *job_new(const struct pusher *pusher, struct ticket *ticket, const struct event *event)
{
    struct job *job = mem_alloc(sizeof(*job));
    const struct config_account *account;
    const struct config_store *store;

    job->ticket = ticket;
    job->event = event;
    job->about = event_about(event);
    job->lane = topic_lane_of(event);
    payload_open(event, &job->head);
    job->contact_hash = event_hash_contact(job->head.account, job->head.together);
    store = config_store_by_hash(pusher->config, event->headers[HEADER_STORE]);
    job->store_index =
        store != NULL ? (int)(store - pusher->config->stores) : pusher->config->store_count;
    job->account_index = -1;
    account = config_account_by_name(pusher->config, job->head.account);
    if (account != NULL)
        job->account_index = (int)(account - pusher->config->accounts);
    return job;
}

void job_free(const struct pusher *pusher, struct job *job)
{
    if (job->account_index >= 0)
        account_let_go(pusher->accounts[job->account_index], job->trials);
    ledger_grant_clear(&job->grant);
    evidence_clear(&job->evidence);
    yyjson_doc_free(job->head.doc);
    free(job);
}
