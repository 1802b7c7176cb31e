#include "base/digest.h"

#include <stdio.h>

#include <openssl/evp.h>

void digest_hex(char target[DIGEST_BYTES], const struct text *parts, int count)
{
    EVP_MD_CTX *context = mem_check(EVP_MD_CTX_new());
    unsigned char digest[EVP_MAX_MD_SIZE];

    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (int i = 0; i < count; i++) {
        EVP_DigestUpdate(context, parts[i].data, parts[i].length);
        EVP_DigestUpdate(context, "", 1);
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    for (int i = 0; i < (DIGEST_BYTES - 1) / 2; i++)
        snprintf(target + 2 * i, 3, "%02x", digest[i]);
}
