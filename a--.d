-: lib/base/utf8.h lib/base/str.h lib/base/status.h
lib/base/str.h:
lib/base/status.h:
