#include "base/crash.h"

#ifdef BIGFUSION_CRASH_POINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

/* Whether `wanted` (of wanted_length) names this place: `place` or `place-step`. */
static int is_place(struct text wanted, const char *place, const char *step)
{
    size_t place_length = strlen(place), step_length = strcspn(step, ":");

    if (step_length == 0)
        return wanted.length == place_length && memcmp(wanted.data, place, place_length) == 0;
    return wanted.length == place_length + 1 + step_length &&
           memcmp(wanted.data, place, place_length) == 0 && wanted.data[place_length] == '-' &&
           memcmp(wanted.data + place_length + 1, step, step_length) == 0;
}

void crash_point(const char *place, const char *step)
{
    static atomic_llong passages;
    const char *wanted = getenv("BIGFUSION_CRASH_AT");
    struct text name;
    int64_t passage = 1;

    if (wanted == NULL)
        return;
    name = (struct text){wanted, strcspn(wanted, ":")};
    if (wanted[name.length] == ':' && text_to_int(text_of(wanted + name.length + 1), &passage) != 0)
        return;
    if (!is_place(name, place, step) || atomic_fetch_add(&passages, 1) + 1 != passage)
        return;
    log_warn("crash point=%s", wanted);
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

#endif
