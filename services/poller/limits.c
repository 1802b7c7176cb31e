#include "limits.h"

#include <sys/resource.h>

enum {
    /* A store has a connection to the store, one to Redis, and curl's own descriptor by which it
     * is woken. While curl looks up a host's name or tries several addresses, it needs a few more.
     */
    FILES_PER_STORE = 3,
    SPARE_PER_STORE = 5,
    /* Kafka's connections, the logs, /healthz. */
    FILES_BESIDE = 64,
    /* Clients of /healthz that hold connections open (net/health.c). */
    SPARE_BESIDE = 1024,
};

long limits_files_needed(int store_count)
{
    return FILES_BESIDE + (long)FILES_PER_STORE * store_count;
}

int limits_allow_files(int store_count, struct error *err)
{
    rlim_t needed = (rlim_t)limits_files_needed(store_count);
    rlim_t wanted = needed + SPARE_BESIDE + (rlim_t)SPARE_PER_STORE * (rlim_t)store_count;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return 0;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (limit.rlim_cur < needed)
        return error_set(err, ERROR_PERMANENT,
                         "%d stores need %ld open files, and this process may have %ld: raise its "
                         "hard limit (ulimit -Hn; LimitNOFILE= of systemd; ulimits: of compose)",
                         store_count, (long)needed, (long)limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return error_set(err, ERROR_PERMANENT, "the limit of open files cannot be raised to %ld",
                         (long)limit.rlim_cur);
    return 0;
}
