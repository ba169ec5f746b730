# sqlc: turns sql/query/<noun>/<verb>.sql into one catalogue for lib/io/db.
#
#	awk -v mode=h -f sql/sqlc.awk sql/query/*/*.sql >gen/sql.h
#	awk -v mode=c -f sql/sqlc.awk sql/query/*/*.sql >gen/sql.c
#
# A file is one statement, as psql would read it, under a comment that says
# what it is for and what it promises (style: SQL):
#
#	-- Every file of one project, newest release first.  (PEP 503)
#	--
#	-- takes: project_id int8, tag text null
#	-- gives: filename text, size int8,
#	--        requires_python text null
#	-- rows:  any
#	SELECT ...;
#
# `takes` names $1, $2, ... in order and is left out where there are none;
# `gives` names the columns and is left out where rows is none.  A line that
# says no other word goes on with the one before.  rows is any, one, maybe
# (one or none) or none.  A file that keeps to none of this, or whose
# parameters are not those of its text, stops the build.

BEGIN {
	split("bool bytea int2 int4 int8 jsonb text int8[] text[] void", t, \
	    " ")
	for (i in t)
		is_type[t[i]] = 1
	is_rows["any"] = is_rows["one"] = is_rows["maybe"] = is_rows["none"] = 1
}

FNR == 1 {
	finish()
	begin()
}

# The comment at the top.
!in_text && /^--/ {
	line = $0
	sub(/^--[ \t]*/, "", line)
	sub(/[ \t]+$/, "", line)
	if (match(line, /^(takes|gives|rows):/)) {
		word = substr(line, 1, RLENGTH - 1)
		if (word in said)
			fail("says '" word "' twice")
		said[word] = ""
		line = substr(line, RLENGTH + 1)
	}
	if (word != "")
		said[word] = said[word] " " line
	else if (purpose == "" && line != "")
		purpose = line
	next
}

# Whole lines of comment and blank lines need not travel to the server.
/^[ \t]*(--.*)?$/ {
	next
}

{
	if (ended)
		fail("goes on after its ';' (one statement to a file)")
	in_text = 1
	line = $0
	sub(/[ \t]+$/, "", line)
	if (line ~ /;$/) {
		ended = 1
		sub(/[ \t]*;$/, "", line)
	}
	find_parameters(line)
	body = body (body == "" ? "" : "\n") line
	next
}

END {
	finish()
	if (failed)
		exit 1
	if (mode == "h")
		write_header()
	else
		write_table()
}

function fail(reason)
{
	print file ": " reason >"/dev/stderr"
	failed = 1
}

function begin(	part, k)
{
	file = FILENAME
	k = split(file, part, "/")
	noun = part[k - 1]
	verb = part[k]
	sub(/\.sql$/, "", verb)
	if (noun !~ /^[a-z][a-z0-9_]*$/ || verb !~ /^[a-z][a-z0-9_]*$/)
		fail("is not named <noun>/<verb>.sql in small letters")
	purpose = word = body = ""
	in_text = ended = last_parameter = 0
	split("", said)
	split("", used)
}

function find_parameters(line,	k)
{
	while (match(line, /\$[0-9]+/)) {
		k = substr(line, RSTART + 1, RLENGTH - 1) + 0
		used[k] = 1
		if (k > last_parameter)
			last_parameter = k
		line = substr(line, RSTART + RLENGTH)
	}
}

# Keep what one file said; the next one begins.
function finish(	k)
{
	if (file == "")
		return
	if (purpose == "")
		fail("does not say what it is for in its first lines")
	if (!("rows" in said))
		fail("lacks '-- rows:'")
	if (body == "" || !ended)
		fail("holds no statement that ends in ';'")
	# ISO C lets a compiler stop at string literals over 4,095 bytes.
	if (length(body) > 4000)
		fail("is longer than 4000 bytes")
	n++
	name[n] = noun "/" verb
	upper[n] = toupper(noun "_" verb)
	purposes[n] = purpose
	text[n] = body
	rows[n] = said["rows"]
	gsub(/[ \t]/, "", rows[n])
	if (!(rows[n] in is_rows))
		fail("rows is '" rows[n] "', not any, one, maybe or none")
	n_takes[n] = read_list("takes", n)
	n_gives[n] = read_list("gives", n)
	if ((n_gives[n] == 0) != (rows[n] == "none"))
		fail("gives nothing if rows is none, and only then")
	if (last_parameter != n_takes[n])
		fail("takes " n_takes[n] " but its text goes up to $" \
		    last_parameter)
	for (k = 1; k <= n_takes[n]; k++)
		if (!(k in used))
			fail("does not use $" k)
	remember("SQL_" upper[n])
	for (k = 1; k <= n_gives[n]; k++)
		remember(upper[n] "_" toupper(item_name["gives", n, k]))
}

# Two files must not make the same C name.
function remember(c_name)
{
	if (c_name in known)
		fail(c_name " is already made by " known[c_name])
	known[c_name] = file
}

# "name type [null], ..." into item_name, item_type, item_null.
function read_list(which, at,	list, item, part, k, count, words)
{
	list = said[which]
	gsub(/^[ \t]+|[ \t]+$/, "", list)
	count = split(list, item, /[ \t]*,[ \t]*/)
	for (k = 1; k <= count; k++) {
		words = split(item[k], part, " ")
		if (words < 2 || words > 3 || part[1] !~ /^[a-z][a-z0-9_]*$/ ||
		    (words == 3 && part[3] != "null"))
			fail(which ": '" item[k] "' is not 'name type [null]'")
		else if (!(part[2] in is_type))
			fail(which ": '" part[2] "' is not a type we carry")
		item_name[which, at, k] = part[1]
		item_type[which, at, k] = part[2]
		item_null[which, at, k] = words == 3
	}
	return count
}

function write_header(	i, k)
{
	print "/* Made by sql/sqlc.awk from sql/query/.  Do not edit. */"
	print "#ifndef GEN_SQL_H\n#define GEN_SQL_H\n\nenum sql {"
	for (i = 1; i <= n; i++)
		print "\t/* " in_comment(purposes[i]) " */\n\tSQL_" \
		    upper[i] ","
	print "\n\tSQL_COUNT\n};"
	for (i = 1; i <= n; i++) {
		if (n_gives[i] == 0)
			continue
		print "\nenum {"
		for (k = 1; k <= n_gives[i]; k++)
			print "\t" upper[i] "_" \
			    toupper(item_name["gives", i, k]) ","
		print "};"
	}
	print "\n#endif"
}

function write_table(	i)
{
	print "/* Made by sql/sqlc.awk from sql/query/.  Do not edit. */"
	print "#include \"io/db.h\"\n"
	for (i = 1; i <= n; i++) {
		write_list("takes", i, n_takes[i])
		write_list("gives", i, n_gives[i])
	}
	print "\nconst struct sql_statement sql_catalogue[] = {"
	for (i = 1; i <= n; i++) {
		print "\t[SQL_" upper[i] "] = {"
		print "\t\t.name = \"" name[i] "\","
		print "\t\t.rows = DB_ROWS_" toupper(rows[i]) ","
		print "\t\t.n_takes = " n_takes[i] ", .takes = " \
		    list_name("takes", i, n_takes[i]) ","
		print "\t\t.n_gives = " n_gives[i] ", .gives = " \
		    list_name("gives", i, n_gives[i]) ","
		print "\t\t.text =\n" in_string(text[i]) "\n\t},"
	}
	print "};\n\nconst size_t sql_catalogue_size = SQL_COUNT;"
}

function list_name(which, at, count)
{
	return count ? which "_" tolower(upper[at]) : "NULL"
}

function write_list(which, at, count,	k, type)
{
	if (count == 0)
		return
	print "\nstatic const struct sql_item " list_name(which, at, 1) \
	    "[] = {"
	for (k = 1; k <= count; k++) {
		type = toupper(item_type[which, at, k])
		sub(/\[\]/, "_ARRAY", type)
		print "\t{ \"" item_name[which, at, k] "\", DB_" type ", " \
		    (item_null[which, at, k] ? "true" : "false") " },"
	}
	print "};"
}

function in_comment(words)
{
	gsub(/\*\//, "* /", words)
	gsub(/\/\*/, "/ *", words)
	return words
}

# One C string literal to a line.
function in_string(sql,	line, k, count, out)
{
	gsub(/\\/, "\\\\\\\\", sql)
	gsub(/"/, "\\\"", sql)
	count = split(sql, line, "\n")
	for (k = 1; k <= count; k++)
		out = out (k > 1 ? "\n" : "") "\t\t    \"" line[k] \
		    (k < count ? "\\n" : "") "\""
	return out
}
