/* core.h - keeps what is in memory, as tokens and customers' data, out of core files. */
#ifndef COMMON_CORE_H
#define COMMON_CORE_H

/** @brief From now on the process leaves no core file, and no other process of the same user can read
 * its memory; root still can. Every program calls it before it reads a secret. */
void core_forbid(void);

#endif
