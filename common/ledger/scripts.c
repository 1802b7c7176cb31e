/* The Makefile makes these texts from the Lua files in common/ledger/. */
#include "ledger/handle.h"

static const char lib[] = {
#include "ledger/lib.lua.h"
};
static const char acquire[] = {
#include "ledger/acquire.lua.h"
};
static const char step[] = {
#include "ledger/step.lua.h"
};
static const char hello[] = {
#include "ledger/hello.lua.h"
};
static const char distrust[] = {
#include "ledger/distrust.lua.h"
};
static const char lock[] = {
#include "ledger/lock.lua.h"
};
static const char fill[] = {
#include "ledger/fill.lua.h"
};
static const char seal[] = {
#include "ledger/seal.lua.h"
};
static const char forget[] = {
#include "ledger/forget.lua.h"
};
static const char erase[] = {
#include "ledger/erase.lua.h"
};

void ledger_scripts_init(struct redis_script scripts[SCRIPT_COUNT])
{
    static const struct redis_script texts[SCRIPT_COUNT] = {
        [SCRIPT_ACQUIRE] = {.name = "acquire", .prelude = lib, .body = acquire},
        [SCRIPT_STEP] = {.name = "step", .prelude = lib, .body = step},
        [SCRIPT_HELLO] = {.name = "hello", .prelude = lib, .body = hello},
        [SCRIPT_DISTRUST] = {.name = "distrust", .prelude = lib, .body = distrust},
        [SCRIPT_LOCK] = {.name = "lock", .prelude = lib, .body = lock},
        [SCRIPT_FILL] = {.name = "fill", .prelude = lib, .body = fill},
        [SCRIPT_SEAL] = {.name = "seal", .prelude = lib, .body = seal},
        [SCRIPT_FORGET] = {.name = "forget", .prelude = lib, .body = forget},
        [SCRIPT_ERASE] = {.name = "erase", .prelude = lib, .body = erase},
    };

    for (int i = 0; i < SCRIPT_COUNT; i++) {
        scripts[i] = texts[i];
        redis_script_init(&scripts[i]);
    }
}
