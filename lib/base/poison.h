/*
 * poison: functions that hide an overflow, an error, a locale or a shell.
 * The makefile includes this before every file of app/ and lib/.
 */
#ifndef BASE_POISON_H
#define BASE_POISON_H

/* First the headers that declare them, so that only our uses are errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat stpcpy sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll atof gmtime localtime asctime ctime
#pragma GCC poison system popen tmpnam mktemp tempnam srand

/*
 * Not the word itself: openssl/evp.h has parameters of this name.  clang, which
 * builds the fuzzers, wants this attribute on the first declaration only.
 */
#ifndef __clang__
int rand(void) __attribute__((error("use random_bytes() of io/secret.h")));
#endif

#endif
