# schemac: links sql/schema/*.sql into the programs (index/migrate).
#
#	awk -f sql/schemac.awk sql/schema/*.sql >gen/schema.c
#
# A migration becomes an array of its lines: ISO C lets a compiler stop at
# string literals over 4,095 bytes.

FNR == 1 {
	if (n++)
		print "\tNULL\n};"
	name[n] = FILENAME
	sub(/^.*\//, "", name[n])
	sub(/\.sql$/, "", name[n])
	if (n == 1)
		print "/* Made by sql/schemac.awk from sql/schema/.  " \
		    "Do not edit. */\n#include \"index/migrate.h\"\n"
	print "static const char *const lines_" n "[] = {"
}

{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	print "\t\"" $0 "\\n\","
}

END {
	print "\tNULL\n};\n\nconst struct migration migrations[] = {"
	for (i = 1; i <= n; i++)
		print "\t{ \"" name[i] "\", lines_" i " },"
	print "\t{ NULL, NULL }\n};"
}
