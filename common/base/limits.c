#include "base/limits.h"

#include <sys/resource.h>

/* Clients of /healthz that hold connections open (net/health.c). */
enum { SPARE_FILES = 1024 };

int64_t limits_of_poller(int64_t stores)
{
    return LIMITS_FILES_BESIDE + LIMITS_FILES_PER_STORE * stores;
}

int64_t limits_of_pusher(int64_t workers, int64_t accounts)
{
    return LIMITS_FILES_BESIDE + LIMITS_FILES_PER_WORKER * workers +
           LIMITS_FILES_PER_ACCOUNT * accounts;
}

int limits_allow_files(int64_t needed, const char *what, struct error *err)
{
    /* While a host's name is looked up, or several of its addresses are tried, more are open. */
    rlim_t wanted = 2 * (rlim_t)needed + SPARE_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return 0;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (limit.rlim_cur < (rlim_t)needed)
        return error_set(err, ERROR_PERMANENT,
                         "%s need %lld open files, and this process may have %lld: raise its hard "
                         "limit (ulimit -Hn; LimitNOFILE= of systemd; ulimits: of compose)",
                         what, (long long)needed, (long long)limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return error_set(err, ERROR_PERMANENT, "the limit of open files cannot be raised to %lld",
                         (long long)limit.rlim_cur);
    return 0;
}
