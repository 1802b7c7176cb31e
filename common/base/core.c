#include "base/core.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void core_forbid(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    /* The kernel writes no core file of such a process either where core_pattern is a pipe, which
     * ignores the limit. The leak checker of the sanitizers has to read the process' memory. */
#ifndef __SANITIZE_ADDRESS__
    (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
#endif
}
