#include "settings/mask.h"

#include <stdio.h>
#include <string.h>

void mask_url(char *target, size_t size, const char *url)
{
    const char *scheme_end = strstr(url, "://");
    const char *rest = scheme_end == NULL ? url : scheme_end + 3;
    /* The last '@' counts, wherever it is: a password may hold any character. */
    const char *at = strrchr(rest, '@');
    const char *address = at == NULL ? rest : at + 1;
    size_t length = strcspn(address, "?#");

    snprintf(target, size, "%.*s%s%.*s%s", (int)(rest - url), url, at == NULL ? "" : "***@",
             (int)length, address, address[length] == '\0' ? "" : "?***");
}

int mask_is_secret(const char *name)
{
    static const char *const words[] = {"password", "passphrase", "secret", "pem",
                                        "jaas",     "kinit.cmd",  "token",  "oauthbearer.config"};
    size_t length = strlen(name);

    /* A url is printed without its secrets, see mask_url(). */
    if (length > 4 && strcmp(name + length - 4, ".url") == 0)
        return 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strstr(name, words[i]) != NULL)
            return 1;
    return 0;
}
