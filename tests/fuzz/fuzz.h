/* fuzz.h - a target: one parser of outside data, given any bytes. Each tests/fuzz/fuzz_<module>.c
 * defines both of these. It is built twice: by clang with libFuzzer (`make fuzz`), and by the
 * project's compiler with replay.c, which runs the corpus again in `make unit`. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name; /* its corpus is tests/fuzz/corpus/<name> */
    int json;         /* the input is a JSON document: its members are changed one by one */
};

extern const struct fuzz_target fuzz_target;

/** @brief Runs the parser. What must hold of its answer is checked with fuzz_check(). @returns 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, which is how libFuzzer and the replay learn of a fault. */
#define fuzz_check(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
