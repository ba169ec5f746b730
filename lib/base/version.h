/* version: which release of Tilsit this is. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define TILSIT_VERSION	"0.1.0"

#endif
