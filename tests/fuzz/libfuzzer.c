/* libfuzzer.c - how libFuzzer changes an input of a JSON target: two times in three at one of the
 * document's values, else at its bytes. */
#include <string.h>

#include "fuzz.h"
#include "mutate.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    static struct buffer changed;
    struct text document = {(const char *)data, size};
    size_t count;

    if (!fuzz_target.json || seed % 3 == 0 || (count = mutate_count(document)) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    seed /= 3;
    mutate_write(document, seed % count, (int)(seed / count % (unsigned)mutate_kinds()), &changed);
    if (changed.length == 0 || changed.length > max_size)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(data, changed.data, changed.length);
    return changed.length;
}
