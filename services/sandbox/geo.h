/* geo.h - countries and their regions, from the ISO 3166 data of the package iso-codes. */
#ifndef SANDBOX_GEO_H
#define SANDBOX_GEO_H

#include <jansson.h>

#include "base/error.h"
#include "table.h"

#define GEO_FOLDER "/usr/share/iso-codes/json"

/* Zero-initialised, then filled once. */
struct geo {
    json_t *countries;
    json_t *regions;
    struct table alpha3;     /* "USA" -> const char *alpha-2 */
    struct table codes;      /* "US-TX" -> name */
    struct table by_country; /* "US" -> region objects of the data, many for one key */
};

/** @brief Reads both files. @returns 0 or -1 */
int geo_load(struct geo *geo, const char *folder, struct error *err);
void geo_clear(struct geo *geo);

/** @brief Whether an alpha-3 code in capitals names a country. */
int geo_country(const struct geo *geo, const char *alpha3);

/** @brief Whether `US-TX` is a region of the country. */
int geo_region_code(const struct geo *geo, const char *alpha3, const char *code);

/** @brief Whether a region of the country has that name (compared without ASCII case). */
int geo_region_name(const struct geo *geo, const char *alpha3, const char *name);

/** @brief [{"code","name","country"}] of the country. New. */
json_t *geo_provinces(const struct geo *geo, const char *alpha3);

#endif
