#include "settings/version.h"

#include <stdio.h>

#include <curl/curlver.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#include <openssl/opensslv.h>
#include <yyjson.h>

#include "settings/redis_url.h"

/* These are the versions of the headers, so that a program need not be linked with a library that
 * it does not use only to print its version. */
void version_print(const char *program)
{
    printf("%s %s\n", program, BIGFUSION_VERSION);
    printf("librdkafka %d.%d.%d, libcurl %s, hiredis %d.%d.%d %s TLS, yyjson %s, jansson %s, ",
           RD_KAFKA_VERSION >> 24 & 0xff, RD_KAFKA_VERSION >> 16 & 0xff,
           RD_KAFKA_VERSION >> 8 & 0xff, LIBCURL_VERSION, HIREDIS_MAJOR, HIREDIS_MINOR,
           HIREDIS_PATCH, redis_url_tls_available() ? "with" : "without", YYJSON_VERSION_STRING,
           JANSSON_VERSION);
    printf("libmicrohttpd %x.%x.%x, OpenSSL %s\n", MHD_VERSION >> 24 & 0xff,
           MHD_VERSION >> 16 & 0xff, MHD_VERSION >> 8 & 0xff, OPENSSL_VERSION_STR);
}
