/* A settings file, as a program reads it that needs no secret. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "settings/config.h"

const struct fuzz_target fuzz_target = {"config", 0};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config = {0};
    struct error err = {0};
    FILE *file = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

    if (file == NULL)
        return 0;
    if (config_read_stream(&config, PROGRAM_FILTER, "fuzz.conf", file, &err) == 0)
        fuzz_check(config.store_count == 0 || config.stores[0].account_index >= 0);
    else
        fuzz_check(err.kind == ERROR_PERMANENT && err.text[0] != '\0');
    fclose(file);
    config_free(&config);
    return 0;
}
