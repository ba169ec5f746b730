/* Unit tests of lib/pkg/contact. */
#include "tap.h"

#include "pkg/contact.h"

static void
test_the_first_address_of_a_list(struct arena *a)
{
	(void)a;
	is_str(contact_first_email(STR("Ann <ann@x.org>, bob@x.org")),
	    STR("ann@x.org"));
	is_str(contact_first_email(STR(" bob@x.org , Ann <ann@x.org>")),
	    STR("bob@x.org"));
	is_str(contact_first_email(STR("\"Doe, \\\"J\\\" <x>\" <j@x.org>")),
	    STR("j@x.org"));
	is_str(contact_first_email(STR("Ann <ann@x.org")), STR("ann@x.org"));
	is_str(contact_first_email(STR("\"open")), STR("\"open"));
	is_str(contact_first_email(STR("\"\\")), STR("\"\\"));
	is_str(contact_first_email(STR("")), STR(""));
}

static void
test_addresses_that_are_taken(struct arena *a)
{
	static const char *const good[] = {
		"a@b.c", "first.last+tag@sub-domain.example.org",
		"o'hara@x.org", "\xc3\xa9@\xc3\xa9.org",
	};

	(void)a;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(contact_email_is_valid(str_c(good[i])));
}

static void
test_addresses_that_are_refused(struct arena *a)
{
	static const char *const bad[] = {
		"", "@", "a", "a@", "@b.c", "a@b", "a b@c.d", "a@b..c",
		"a@.b", "a@b.", ".a@b.c", "a.@b.c", "a..a@b.c", "a@-b.c",
		"a@b-.c", "a@b_.c", "a@b@c.d", "a\n@b.c", "a@b.c\r\n",
		"\"a\"@b.c", "a@[127.0.0.1]", "\xff@b.c",
	};
	char text[400];

	(void)a;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!contact_email_is_valid(str_c(bad[i])));
	ok(!contact_email_is_valid(STR("a\0@b.c")));
	memset(text, 'a', sizeof(text));
	memcpy(text + 65, "@b.c", 4);
	ok(!contact_email_is_valid((struct str){ text, 69 }));
	ok(contact_email_is_valid((struct str){ text + 1, 68 }));
	memcpy(text, "a@b.", 4);
	memset(text + 4, 'a', 64);
	ok(!contact_email_is_valid((struct str){ text, 68 }));
	ok(contact_email_is_valid((struct str){ text, 67 }));
}

static void
test_urls_that_are_taken(struct arena *a)
{
	static const char *const good[] = {
		"http://x", "https://example.org/", "HTTPS://X.org:8080?q#f",
		"https://u:p@x.org:/a%20b", "http://[::1]:80/",
		"https://\xc3\xa9.org/\xc3\xa9", "https://x/'~!$&()*+,;=@",
	};

	(void)a;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(contact_url_is_web(str_c(good[i])));
}

static void
test_urls_that_are_refused(struct arena *a)
{
	static const char *const bad[] = {
		"", "x", "http:", "http:/x", "http://", "http:///x", "//x",
		"ftp://x", "javascript:alert(1)", "javascript://x/%0aalert(1)",
		" http://x", "http://x ", "http://x/\"", "http://x/<b>",
		"http://x/\\", "http://x\n", "http://x:port/",
		"http://x:65536/", "http://[::1", "http://[]/", "http://:80/",
		"http://a b/", "http://a,b/", "http://x/\xff", "http://u@/",
	};
	char text[CONTACT_URL_MAX_BYTES + 1];

	(void)a;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!contact_url_is_web(str_c(bad[i])));
	ok(!contact_url_is_web(STR("http://x/\0")));
	memset(text, 'a', sizeof(text));
	memcpy(text, "http://", 7);
	ok(!contact_url_is_web((struct str){ text, sizeof(text) }));
	ok(contact_url_is_web((struct str){ text, sizeof(text) - 1 }));
}

int
main(void)
{
	RUN(test_the_first_address_of_a_list);
	RUN(test_addresses_that_are_taken);
	RUN(test_addresses_that_are_refused);
	RUN(test_urls_that_are_taken);
	RUN(test_urls_that_are_refused);
	return tap_done();
}
