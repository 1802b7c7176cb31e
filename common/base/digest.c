#include "base/digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

void digest_hex(char target[DIGEST_BYTES], const struct text *parts, int count)
{
    static const char digits[] = "0123456789abcdef";
    EVP_MD_CTX *context = mem_check(EVP_MD_CTX_new());
    unsigned char digest[EVP_MAX_MD_SIZE];

    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (int i = 0; i < count; i++) {
        EVP_DigestUpdate(context, parts[i].data, parts[i].length);
        EVP_DigestUpdate(context, "", 1);
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    for (int i = 0; i < (DIGEST_BYTES - 1) / 2; i++) {
        target[2 * i] = digits[digest[i] >> 4];
        target[2 * i + 1] = digits[digest[i] & 15];
    }
    target[DIGEST_BYTES - 1] = '\0';
}

void digest_hex_nocase(char target[DIGEST_BYTES], struct text text)
{
    char *lower = mem_strndup(text.data, text.length);
    struct text part = {lower, text.length};

    for (size_t i = 0; i < text.length; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    digest_hex(target, &part, 1);
    free(lower);
}

void digest_whole_hex(char target[DIGEST_WHOLE_BYTES], struct text text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    EVP_Digest(text.data, text.length, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < (DIGEST_WHOLE_BYTES - 1) / 2; i++)
        snprintf(target + 2 * i, 3, "%02x", digest[i]);
}
