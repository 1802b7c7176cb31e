/* mask.h - what of a setting may be printed: --check and messages show no secrets. Pure. */
#ifndef COMMON_MASK_H
#define COMMON_MASK_H

#include <stddef.h>

/**
 * @brief Writes a url without its login, its query and its fragment; `***` stands for each of them.
 * Text that is no url is treated the same way. What does not fit is cut.
 */
void mask_url(char *target, size_t size, const char *url);

/** @brief Whether the value of a setting of [librdkafka] may be a secret, by the setting's name. */
int mask_is_secret(const char *name);

#endif
