/* region.h - countries and their regions as Infusionsoft wants them: ISO 3166-1 alpha-3 and ISO
 * 3166-2 codes, from the data of Debian's package iso-codes. Loaded once; afterwards read-only. */
#ifndef COMMON_REGION_H
#define COMMON_REGION_H

#include "base/error.h"
#include "base/mem.h"

#define REGION_FOLDER "/usr/share/iso-codes/json"

struct regions; /* opaque */

/**
 * @brief Reads iso_3166-1.json and iso_3166-2.json in folder. New: free with regions_free().
 * @returns NULL with a permanent error when they cannot be read
 */
struct regions *regions_new(const char *folder, struct error *err);
void regions_free(struct regions *regions);

/** @brief "US" -> "USA", case ignored; NULL when there is no such country. Borrowed from regions.
 */
const char *regions_country(const struct regions *regions, struct text alpha2);

/**
 * @brief Code of a region of a country, by its name ("Québec", "quebec" -> "CA-QC") or by its own
 * code ("TX" -> "US-TX"). Case, diacritics, apostrophes and the difference between hyphen and blank
 * are ignored. Where a region and a part of another region have the same name, the region is meant.
 * @returns NULL when it is not in the data. Borrowed from regions.
 */
const char *regions_code(const struct regions *regions, struct text alpha2, struct text name);

#endif
