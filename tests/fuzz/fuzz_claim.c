/* The claim on a record, as it stands in the metadata of a committed offset. */
#include "fuzz.h"

#include <string.h>

#include "record/mark.h"
#include "stage/claim.h"

const struct fuzz_target fuzz_target = {"claim", 0};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text metadata = {(const char *)data, size};
    int64_t mark = mark_read(metadata, 0);
    struct claim claim, again;
    char text[CLAIM_TEXT_BYTES];

    fuzz_check(mark == MARK_NONE || mark >= 0);
    claim_parse(metadata, &claim);
    claim_print(&claim, mark, text);
    fuzz_check(strlen(text) < sizeof(text));
    claim_parse(text_of(text), &again);
    if (claim.state != CLAIM_NONE)
        fuzz_check(again.state == claim.state && again.offset == claim.offset &&
                   again.key == claim.key && again.deaths == claim.deaths);
    fuzz_check(mark_read(text_of(text), 0) == mark);
    fuzz_check(claim_deaths(&claim, claim.offset, claim.key) >= 0);
    (void)claim_decide(claim_deaths(&claim, claim.offset, claim.key), 3);
    (void)claim_is_unclean(&claim);
    return 0;
}
