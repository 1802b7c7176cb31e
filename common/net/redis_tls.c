#include "net/redis_tls.h"

#ifdef BIGFUSION_REDIS_TLS

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"

static int is_given(const char *text) { return text != NULL && text[0] != '\0'; }

static int bad_file(const char *setting, const char *path, struct error *err)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    return error_set(err, ERROR_TEMPORARY, "redis: TLS: %s = %.100s: %s", setting, path,
                     reason != NULL ? reason : "cannot be used");
}

static int load_files(SSL_CTX *tls, const struct redis_server *server, struct error *err)
{
    ERR_clear_error();
    if (!is_given(server->tls_ca_file))
        SSL_CTX_set_default_verify_paths(tls);
    else if (SSL_CTX_load_verify_locations(tls, server->tls_ca_file, NULL) != 1)
        return bad_file("tls_ca_file", server->tls_ca_file, err);
    if (!is_given(server->tls_cert_file))
        return 0;
    if (SSL_CTX_use_certificate_chain_file(tls, server->tls_cert_file) != 1)
        return bad_file("tls_cert_file", server->tls_cert_file, err);
    if (SSL_CTX_use_PrivateKey_file(tls, server->tls_key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(tls) != 1)
        return bad_file("tls_key_file", server->tls_key_file, err);
    return 0;
}

/* The contexts that hiredis makes verify the chain but not the name, so any certificate of the same
 * authority would be accepted. */
static int expect_name(SSL *ssl, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

/* The reason why the handshake failed. */
static int handshake_failed(const SSL *ssl, const redisContext *context, const char *name,
                            struct error *err)
{
    long verdict = SSL_get_verify_result(ssl);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    if (verdict != X509_V_OK)
        return error_set(err, ERROR_TEMPORARY,
                         "redis: TLS: the certificate of %.60s is refused: %s", name,
                         X509_verify_cert_error_string(verdict));
    if (reason == NULL && (errno == EAGAIN || errno == EWOULDBLOCK))
        reason = "no answer in time";
    return error_set(err, ERROR_TEMPORARY, "redis: TLS: %s",
                     reason != NULL ? reason : context->errstr);
}

int redis_tls_start(redisContext *context, const struct redis_server *server, const char *host,
                    struct error *err)
{
    const char *name = is_given(server->tls_server_name) ? server->tls_server_name : host;
    SSL_CTX *tls = mem_check(SSL_CTX_new(TLS_client_method()));
    SSL *ssl = NULL;
    int rc = -1;

    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    if (load_files(tls, server, err) != 0)
        goto out;
    ssl = mem_check(SSL_new(tls));
    if (!expect_name(ssl, name)) {
        error_set(err, ERROR_TEMPORARY, "redis: TLS: %.60s cannot be the name of a server", name);
        goto out;
    }
    errno = 0;
    if (redisInitiateSSL(context, ssl) != REDIS_OK) {
        handshake_failed(ssl, context, name, err);
        goto out;
    }
    ssl = NULL; /* belongs to the context now */
    rc = 0;
out:
    SSL_free(ssl);
    SSL_CTX_free(tls);
    return rc;
}

#else

int redis_tls_start(redisContext *context, const struct redis_server *server, const char *host,
                    struct error *err)
{
    (void)context, (void)server, (void)host;
    return error_set(err, ERROR_TEMPORARY, "redis: %s", REDIS_URL_NO_TLS);
}

#endif
