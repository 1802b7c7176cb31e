#include "base/currency.h"

/* ISO 4217, list one: the currencies whose minor unit is not 2. This list is by hand because no
 * package has the data in a form that a service could use: those of iso-codes hold no minor units,
 * and those of ICU (CLDR) tell how many decimals people are used to see, which is another thing:
 * there fourteen currencies, among them the Iraqi and the Serbian dinar, have none.
 * tests/data/currency_digits.csv is the whole list as another implementation has it; the unit test
 * compares. */
static const struct {
    int digits;
    const char *codes;
} exceptions[] = {
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "},
    {3, "BHD IQD JOD KWD LYD OMR TND "},
    {4, "CLF UYW "},
};

int currency_digits(struct text code)
{
    if (code.length != 3)
        return 2;
    for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
        for (const char *known = exceptions[i].codes; *known != '\0'; known += 4)
            if ((code.data[0] & ~0x20) == known[0] && (code.data[1] & ~0x20) == known[1] &&
                (code.data[2] & ~0x20) == known[2])
                return exceptions[i].digits;
    return 2;
}
