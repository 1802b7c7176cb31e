#include "job.h"

#include <stdlib.h>

#include "base/mem.h"
#include "payload.h"

struct job *job_new(const struct pusher *pusher, struct ticket *ticket, const struct event *event)
{
    struct job *job = mem_alloc(sizeof(*job));
    const struct config_account *account;

    job->ticket = ticket;
    job->account_index = -1;
    payload_open(job, event);
    account = config_account_by_name(pusher->config, job->account);
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
    yyjson_doc_free(job->doc);
    free(job);
}
