/* Unit tests of lib/io/config. */
#include "tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/config.h"

static struct err err;

static enum status
parse(struct arena *a, const char *text, struct config *out)
{
	return config_parse(a, str_c(text), "t.conf", true, out, &err);
}

/* The message that text gets. */
static struct str
refusal(struct arena *a, const char *text)
{
	struct config config;

	err.text[0] = '\0';
	if (parse(a, text, &config) != INVALID)
		return STR("(accepted)");
	return str_dup(a, str_c(err.text));
}

static void
test_an_empty_file_gives_the_defaults(struct arena *a)
{
	struct config c;

	ok(parse(a, "", &c) == OK);
	is_str(str_c(c.database), STR("dbname=tilsit"));
	is_str(str_c(c.store_path), STR("/var/lib/tilsit"));
	is_str(str_c(c.external_url), STR(""));
	is_int(c.upload_limit_bytes, 1 << 30);
	is_int(c.fence_ttl_s, 60);
	is_int(c.page_ttl_s, 60);
	is_int(c.memcached_timeout_ms, 200);
	is_int(c.lock_timeout_ms, 5000);
	is_int(c.changelog_limit, 50000);
	is_int(c.registration, REGISTRATION_ANY);
	is_int(c.log_level, LEVEL_INFO);
	is_int(c.reserved_names.n, 0);
	ok(c.allow_private_classifiers);
	ok(!c.require_modern_sdist_names);
}

static void
test_values_of_every_type(struct arena *a)
{
	struct config c;

	ok(parse(a,
	    "  # a comment\r\n"
	    "\n"
	    "database=\"host=/run/pg dbname='a b'\" # behind\n"
	    "memcached = 127.0.0.1:11211   # behind\n"
	    "store_path = \"/srv/a \\\"b\\\" # \\\\ \\n\"\n"
	    "external_url = https://p.example:8443/index\n"
	    "upload_limit_bytes = 2 G\n"
	    "request_memory_bytes = 67108864\n"
	    "fence_ttl_s = 5m\n"
	    "page_ttl_s\t=\t120\n"
	    "lock_timeout_ms = 2s\n"
	    "memcached_timeout_ms = 150ms\n"
	    "registration = operator\n"
	    "reserved_names = admin, root  test,,\n"
	    "allow_private_classifiers = off\n"
	    "require_modern_sdist_names = true\n"
	    "log_level = debug", &c) == OK);
	is_str(str_c(c.database), STR("host=/run/pg dbname='a b'"));
	is_str(str_c(c.memcached), STR("127.0.0.1:11211"));
	is_str(str_c(c.store_path), STR("/srv/a \"b\" # \\ \\n"));
	is_str(str_c(c.external_url), STR("https://p.example:8443/index"));
	is_int(c.upload_limit_bytes, 2LL << 30);
	is_int(c.request_memory_bytes, 64 << 20);
	is_int(c.fence_ttl_s, 300);
	is_int(c.page_ttl_s, 120);
	is_int(c.lock_timeout_ms, 2000);
	is_int(c.memcached_timeout_ms, 150);
	is_int(c.registration, REGISTRATION_OPERATOR);
	is_int(c.reserved_names.n, 3);
	is_str(c.reserved_names.at[2], STR("test"));
	ok(!c.allow_private_classifiers);
	ok(c.require_modern_sdist_names);
	is_int(c.log_level, LEVEL_DEBUG);
}

static void
test_unknown_names_are_refused_with_the_nearest_one(struct arena *a)
{
	is_str(refusal(a, "\nupload_limit_byte = 1G"), STR("t.conf:2: there "
	    "is no setting 'upload_limit_byte'; did you mean "
	    "'upload_limit_bytes'?"));
	is_str(refusal(a, "Database = x"), STR("t.conf:1: there is no "
	    "setting 'Database'; did you mean 'database'?"));
	is_str(refusal(a, "colour = blue"), STR("t.conf:1: there is no "
	    "setting 'colour'"));
	is_str(refusal(a, "= blue"), STR("t.conf:1: there is no setting ''"));
}

static void
test_bad_numbers_are_refused_with_the_range(struct arena *a)
{
	const char *const values[] = { "", "x", "-1", "0", "2h", "1.5s",
	    "3601", "99999999999999999999", "9223372036854775807d", "5 5" };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct str line = str_fmt(a, "fence_ttl_s = %s", values[i]);

		is_str(refusal(a, line.p), str_fmt(a, "t.conf:1: fence_ttl_s "
		    "must be a number from 1s to 1h, not '%s'", values[i]));
	}
	is_str(refusal(a, "upload_limit_bytes = 5s"), STR("t.conf:1: "
	    "upload_limit_bytes must be a number from 1M to 1T, not '5s'"));
}

static void
test_other_bad_values_are_refused(struct arena *a)
{
	is_str(refusal(a, "log_level = loud"), STR("t.conf:1: log_level must "
	    "be one of: error warning info debug; not 'loud'"));
	is_str(refusal(a, "allow_private_classifiers = maybe"),
	    STR("t.conf:1: allow_private_classifiers must be yes or no, not "
	    "'maybe'"));
	is_str(refusal(a, "store_path = var"), STR("t.conf:1: store_path must "
	    "be a path that begins with /"));
	ok(str_starts(refusal(a, "external_url = ftp://x"), STR("t.conf:1:")));
	ok(str_starts(refusal(a, "external_url = http://"), STR("t.conf:1:")));
	ok(str_starts(refusal(a, "external_url = http://x/"),
	    STR("t.conf:1:")));
	ok(str_starts(refusal(a, "external_url = \"http://x/<a>\""),
	    STR("t.conf:1:")));
	is_str(refusal(a, "page_ttl_s = 61"), STR("t.conf: page_ttl_s must "
	    "not be above fence_ttl_s"));
}

static void
test_bad_lines_are_refused(struct arena *a)
{
	struct config c;

	is_str(refusal(a, "database"), STR("t.conf:1: a line must have the "
	    "form: name = value"));
	is_str(refusal(a, "\n\ndatabase = \"x"), STR("t.conf:3: the closing "
	    "\" is missing"));
	is_str(refusal(a, "database = \"x\" y"), STR("t.conf:1: there is text "
	    "behind the closing \""));
	is_str(refusal(a, "max_requests = 1\nmax_requests = 1"),
	    STR("t.conf:2: max_requests was set already, in t.conf:1"));
	is_str(refusal(a, "database = \xff"), STR("t.conf: not a text file in "
	    "UTF-8"));
	ok(config_parse(a, STR("a\0b"), "t.conf", true, &c, &err) == INVALID);
}

static void
test_a_password_in_a_public_file_is_refused(struct arena *a)
{
	struct str text = STR("database = \"host=x password=secret\"");
	struct str uri = STR("database = postgresql://u:secret@h/tilsit");
	struct config c;

	ok(config_parse(a, text, "t.conf", true, &c, &err) == INVALID);
	ok(str_find_str(str_c(err.text), STR("secret"), 0) ==
	    strlen(err.text));
	ok(config_parse(a, uri, "t.conf", true, &c, &err) == INVALID);
	ok(config_parse(a, text, "t.conf", false, &c, &err) == OK);
}

static void
test_shown_settings_are_a_file_without_passwords(struct arena *a)
{
	struct buf shown = buf_new(a), again = buf_new(a);
	struct config c, d;

	ok(config_parse(a, STR("database = \"password=swordfish\"\n"
	    "store_path = \"/a \\\"b\\\" # \\\\\"\nreserved_names = a b\n"
	    "statement_timeout_ms = 90s\nmax_requests = 0"), "t", false, &c,
	    &err) == OK);
	config_put_shown(&shown, &c);
	ok(str_find_str(buf_view(&shown), STR("swordfish"), 0) ==
	    shown.len);
	ok(config_parse(a, buf_view(&shown), "t", false, &d, &err) == OK);
	is_str(str_c(d.store_path), str_c(c.store_path));
	is_int(d.statement_timeout_ms, 90000);
	is_int(d.reserved_names.n, 2);
	config_put_shown(&again, &d);
	is_str(buf_view(&again), buf_view(&shown));
}

static void
test_the_example_without_its_marks_is_the_defaults(struct arena *a)
{
	struct buf example = buf_new(a), plain = buf_new(a);
	struct buf want = buf_new(a), got = buf_new(a);
	struct str line, rest;
	struct config c, d;

	config_put_example(&example);
	for (rest = buf_view(&example); rest.n > 0; ) {
		str_cut(rest, '\n', &line, &rest);
		ok(line.n <= 78);
		if (str_starts(line, STR("#")) &&
		    !str_starts(line, STR("# ")))
			line = str_sub(line, 1, line.n);
		buf_put(&plain, line);
		buf_byte(&plain, '\n');
	}
	ok(parse(a, "", &c) == OK);
	ok(parse(a, buf_view(&plain).p, &d) == OK);
	config_put_shown(&want, &c);
	config_put_shown(&got, &d);
	is_str(buf_view(&got), buf_view(&want));
}

static void
test_the_manual_page_has_every_setting(struct arena *a)
{
	struct buf man = buf_new(a), shown = buf_new(a);
	struct str line, rest, name;
	struct config c;

	config_put_man(&man);
	ok(parse(a, "", &c) == OK);
	config_put_shown(&shown, &c);
	for (rest = buf_view(&shown); rest.n > 0; ) {
		str_cut(rest, '\n', &line, &rest);
		str_cut(line, ' ', &name, &line);
		name = str_fmt(a, ".It Ic %.*s = ", STR_ARG(name));
		ok(str_find_str(buf_view(&man), name, 0) < man.len);
	}
	for (rest = buf_view(&man); rest.n > 0; ) {
		str_cut(rest, '\n', &line, &rest);
		ok(line.n > 0 && line.p[0] != '\'');
	}
}

/* Files */

static char folder[] = "/tmp/tilsit-config-XXXXXX";

static const char *
write_file(struct arena *a, const char *name, const char *text, mode_t mode)
{
	const char *path = str_fmt(a, "%s/%s", folder, name).p;
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) == EOF || fclose(f) == EOF ||
	    chmod(path, mode) == -1)
		ok(!"the file was written");
	return path;
}

static void
test_a_file_includes_another_with_the_secrets(struct arena *a)
{
	const char *conf, *secrets;
	struct config c;

	conf = write_file(a, "main.conf", "max_requests = 7\n"
	    "include = secrets.conf\nmax_connections = 8\n", 0644);
	secrets = write_file(a, "secrets.conf",
	    "database = password=x\n", 0640);
	ok(config_load(a, conf, &c, &err) == OK);
	is_int(c.max_requests, 7);
	is_str(str_c(c.database), STR("password=x"));
	is_int(c.max_connections, 8);

	ok(chmod(secrets, 0644) == 0);
	ok(config_load(a, conf, &c, &err) == INVALID);
	ok(str_starts(str_c(err.text), str_fmt(a, "%s:1: ", secrets)));

	write_file(a, "secrets.conf", "max_requests = 7\n", 0640);
	ok(config_load(a, conf, &c, &err) == INVALID);
	is_str(str_c(err.text), str_fmt(a, "%s:1: max_requests was set "
	    "already, in %s:1", secrets, conf));

	write_file(a, "secrets.conf", "include = main.conf\n", 0640);
	ok(config_load(a, conf, &c, &err) == INVALID);
	unlink(secrets);
	ok(config_load(a, conf, &c, &err) == UNAVAILABLE);
	unlink(conf);
}

static void
test_a_missing_or_huge_file_is_an_error(struct arena *a)
{
	char *big = arena_alloc(a, CONFIG_FILE_BYTES + 2);
	const char *path;
	struct config c;

	ok(config_load(a, "/nonexistent/t.conf", &c, &err) == UNAVAILABLE);
	is_str(str_c(err.text), STR("cannot read /nonexistent/t.conf: No such "
	    "file or directory"));
	ok(config_load(a, "/", &c, &err) == UNAVAILABLE);
	memset(big, '\n', CONFIG_FILE_BYTES + 1);
	path = write_file(a, "big.conf", big, 0644);
	ok(config_load(a, path, &c, &err) == INVALID);
	unlink(path);
}

static void
test_the_path_comes_from_argument_variable_or_rule(struct arena *a)
{
	(void)a;
	unsetenv(CONFIG_VARIABLE);
	is_str(str_c(config_path(NULL)), STR(CONFIG_PATH));
	setenv(CONFIG_VARIABLE, "/x", 1);
	is_str(str_c(config_path(NULL)), STR("/x"));
	is_str(str_c(config_path("/y")), STR("/y"));
}

int
main(void)
{
	if (!mkdtemp(folder))
		return 1;
	RUN(test_an_empty_file_gives_the_defaults);
	RUN(test_values_of_every_type);
	RUN(test_unknown_names_are_refused_with_the_nearest_one);
	RUN(test_bad_numbers_are_refused_with_the_range);
	RUN(test_other_bad_values_are_refused);
	RUN(test_bad_lines_are_refused);
	RUN(test_a_password_in_a_public_file_is_refused);
	RUN(test_shown_settings_are_a_file_without_passwords);
	RUN(test_the_example_without_its_marks_is_the_defaults);
	RUN(test_the_manual_page_has_every_setting);
	RUN(test_a_file_includes_another_with_the_secrets);
	RUN(test_a_missing_or_huge_file_is_an_error);
	RUN(test_the_path_comes_from_argument_variable_or_rule);
	rmdir(folder);
	return tap_done();
}
