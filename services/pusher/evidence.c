#include "delivery.h"

#include <stdlib.h>
#include <string.h>

void delivery_add_incomplete(struct delivery *d, const char *step, const char *answer)
{
    struct job *job = d->job;
    struct incomplete *one;

    for (int i = 0; i < job->incomplete_count; i++)
        if (strcmp(job->incomplete[i].step, step) == 0)
            return;
    if (job->incomplete_count == DELIVERY_INCOMPLETE_MAX)
        return;
    job->incomplete = mem_realloc(job->incomplete,
                                  (size_t)(job->incomplete_count + 1) * sizeof(*job->incomplete));
    one = &job->incomplete[job->incomplete_count++];
    one->step = mem_strdup(step);
    one->answer = mem_strdup(answer != NULL ? answer : d->answer);
}

void job_clear_incomplete(struct job *job)
{
    for (int i = 0; i < job->incomplete_count; i++) {
        free(job->incomplete[i].step);
        free(job->incomplete[i].answer);
    }
    free(job->incomplete);
    job->incomplete = NULL;
    job->incomplete_count = 0;
}
