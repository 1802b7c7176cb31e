/* order_records.h - reads the records of one order. */
#ifndef INSPECTOR_ORDER_RECORDS_H
#define INSPECTOR_ORDER_RECORDS_H

#include "history/survey.h"

/**
 * @brief Reads the topics that services read, and visits the order's records. Topics whose records are
 * placed by key are read in one partition, the others whole.
 * @returns 0, or -1 with an error
 */
int order_records_read_inputs(struct survey *survey, const char *key, kafka_visit visit,
                              void *context, struct error *err);

/** @brief The same for the topics of the fates. */
int order_records_read_fates(struct survey *survey, const char *key, kafka_visit visit,
                             void *context, struct error *err);

#endif
