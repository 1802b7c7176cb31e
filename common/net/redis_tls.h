/* redis_tls.h - TLS to Redis (rediss://), where this build's hiredis can do it. The server's
 * certificate and the name it is made out to are always verified. */
#ifndef COMMON_REDIS_TLS_H
#define COMMON_REDIS_TLS_H

#include <hiredis/hiredis.h>

#include "base/error.h"
#include "settings/redis_url.h"

/**
 * @brief Starts TLS on a connection that was just made. The certificate files are read each time: a
 * renewed one counts from the next connection on.
 * @param context  connected, its timeout set; to be freed by the caller also when this fails
 * @param host     of the url: what the certificate must be made out to where the settings name
 * nothing else
 * @returns 0, or -1 with a temporary error
 */
int redis_tls_start(redisContext *context, const struct redis_server *server, const char *host,
                    struct error *err);

#endif
