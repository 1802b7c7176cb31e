/* version.h - what --version prints. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

/** @brief Prints the program's version and those of the libraries it was built with, on stdout. */
void version_print(const char *program);

#endif
