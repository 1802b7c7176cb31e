/* files.h - the files of the page. They are compiled in, so the program needs none beside it. */
#ifndef CONSOLE_FILES_H
#define CONSOLE_FILES_H

#include <stddef.h>

struct file {
    const char *path; /* of the url */
    const char *type;
    const unsigned char *data;
    size_t length;
    int is_kept; /* a browser may keep it and ask with If-None-Match whether it is still the same */
};

/** @brief The file of that path, or NULL. Static. */
const struct file *file_find(const char *path);

/** @brief The ETag of a file from file_find(): a digest of what is in it, in quotes. Static. */
const char *file_tag(const struct file *file);

#endif
