/* redis_tls.h - TLS to Redis (rediss://), where the hiredis of this build supports it. The server's
 * certificate and its name are always verified. */
#ifndef COMMON_REDIS_TLS_H
#define COMMON_REDIS_TLS_H

#include <hiredis/hiredis.h>

#include "base/error.h"
#include "settings/redis_url.h"

/**
 * @brief Starts TLS on a connection that was just made. The certificate files are read each time,
 * so a renewed certificate is used from the next connection on.
 * @param context  connected, its timeout set; the caller frees it, also when this fails
 * @param host     of the url: the name that the certificate must have, where the settings name no
 * other
 * @returns 0, or -1 with a temporary error
 */
int redis_tls_start(redisContext *context, const struct redis_server *server, const char *host,
                    struct error *err);

#endif
