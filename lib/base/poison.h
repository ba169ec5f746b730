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
#pragma GCC poison system popen tmpnam mktemp tempnam rand srand

#endif
