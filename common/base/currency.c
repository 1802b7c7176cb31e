#include "base/currency.h"

/* The currencies of ISO 4217, list one, whose number of decimals is not 2.
 *
 * The list is written by hand because no package has the data in a form that a service can use. The
 * data of iso-codes does not say how many decimals there are. The data of ICU (CLDR) says how many
 * decimals people usually see, which differs: there fourteen currencies have none, the Iraqi and
 * the Serbian dinar among them. A unit test compares this list with tests/data/currency_digits.csv,
 * which comes from another implementation. */
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
