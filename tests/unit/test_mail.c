/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail, webhooks, and the Base64 that both are made of: what is good, what is refused, and that nothing becomes a
 * header.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "tell/mail.h"
#include "tell/subscribe_page.h"
#include "tell/webhook.h"

static void base64_there_and_back(void **state)
{
	static const char *const good[] = {
		"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
	}; /* RFC 4648, 10 */
	static const char *const bad[] = { "Z",    "Zg",   "Zg=",  "Zg===",    "Z===", "=",
		                           "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9v\n" };
	char text[BASE64_SIZE(6)];
	uint8_t octets[8];
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(base64_read(good[i], strlen(good[i]), octets, sizeof(octets), &count), 0);
		assert_int_equal(count, i);
		assert_memory_equal(octets, "foobar", count);
		base64_write("foobar", i, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(base64_read(bad[i], strlen(bad[i]), octets, sizeof(octets), &count), -EBADMSG);
	assert_int_equal(base64_read("Zm9vYmFy", 8, octets, 5, &count), -ENOSPC);
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		bool stranger;
		const char *read; /* NULL: none */
	} rows[] = {
		{ "ann@Example.ORG", true, "ann@example.org" },
		{ "Ann.B+c=d/e@example.org", true, "Ann.B+c=d/e@example.org" },
		{ "root@localhost", false, "root@localhost" },
		{ "root@localhost", true, NULL },
		{ "a@192.0.2.1", true, NULL },
		{ "a@[192.0.2.1]", false, NULL },
		{ "\"a b\"@example.org", false, NULL },
		{ "a.@example.org", false, NULL },
		{ ".a@example.org", false, NULL },
		{ "a..b@example.org", false, NULL },
		{ "a@b@example.org", false, NULL },
		{ "a@", false, NULL },
		{ "@example.org", false, NULL },
		{ "a", false, NULL },
		{ "", false, NULL },
		{ "a@-b.org", false, NULL },
		{ "a@b-.org", false, NULL },
		{ "a@b..org", false, NULL },
		{ "a@b.org.", false, NULL },
		{ "a@b_c.org", false, NULL },
		{ "a@example.org\r\nBcc: b@example.org", false, NULL },
		{ "a@example.org ", false, NULL },
		{ "\xc3\xa9@example.org", false, NULL },
		{ "a,b@example.org", false, NULL },
		{ "<a@example.org>", false, NULL },
	};
	char address[MAIL_ADDRESS_SIZE], edge[400];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(mail_address_read(rows[i].text, rows[i].stranger, address),
		                 rows[i].read ? 0 : -EINVAL);
		if (rows[i].read)
			assert_string_equal(address, rows[i].read);
	}
	(void)snprintf(edge, sizeof(edge), "%0*d@example.org", MAIL_LOCAL_MAX, 1);
	assert_int_equal(mail_address_read(edge, true, address), 0);
	(void)snprintf(edge, sizeof(edge), "%0*d@example.org", MAIL_LOCAL_MAX + 1, 1);
	assert_int_equal(mail_address_read(edge, true, address), -EINVAL);
	(void)snprintf(edge, sizeof(edge), "a@%0*d.org", MAIL_LABEL_MAX, 1);
	assert_int_equal(mail_address_read(edge, true, address), 0);
	(void)snprintf(edge, sizeof(edge), "a@%0*d.org", MAIL_LABEL_MAX + 1, 1);
	assert_int_equal(mail_address_read(edge, true, address), -EINVAL);
	(void)snprintf(edge, sizeof(edge), "a@%060d.%060d.%060d.%060d.%07d", 1, 1, 1, 1, 1);
	assert_int_equal(strlen(edge), 253);
	assert_int_equal(mail_address_read(edge, false, address), 0);
	(void)snprintf(edge, sizeof(edge), "a@%060d.%060d.%060d.%060d.%09d", 1, 1, 1, 1, 1);
	assert_int_equal(mail_address_read(edge, false, address), -EINVAL);
}

static const struct mail plain = { .from = "status@example.org",
	                           .to = "ann@example.org",
	                           .from_name = "",
	                           .subject = "News",
	                           .body = "One line.\n",
	                           .id = "abc",
	                           .unsubscribe = "",
	                           .date_s = 1764240000 };

static void a_mail(void **state)
{
	struct mail mail = plain;
	char *octets, *second;
	size_t length, other;

	(void)state;
	assert_int_equal(mail_write(&mail, &octets, &length), 0);
	assert_string_equal(
		octets, "Date: Thu, 27 Nov 2025 10:40:00 +0000\r\nFrom: status@example.org\r\nTo: ann@example.org\r\n"
			"Message-ID: <abc@example.org>\r\nSubject: News\r\nAuto-Submitted: auto-generated\r\n"
			"Content-Language: en\r\nMIME-Version: 1.0\r\n"
			"Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n\r\nOne line.\r\n");
	assert_int_equal(length, strlen(octets));
	assert_int_equal(mail_write(&mail, &second, &other), 0);
	assert_string_equal(octets, second);
	free(second);
	free(octets);
	mail.body = ".\n..x\n tail \t\n\xc3\xa9t\xc3\xa9 = 1\n\x01\nno end";
	mail.unsubscribe = "https://example.org/u?token=1";
	assert_int_equal(mail_write(&mail, &octets, &length), 0);
	assert_non_null(
		strstr(octets, "\r\n\r\n=2E\r\n=2E.x\r\n tail =09\r\n=C3=A9t=C3=A9 =3D 1\r\n=01\r\nno end\r\n"));
	assert_non_null(strstr(octets, "List-Unsubscribe: <https://example.org/u?token=1>\r\n"
	                               "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
	free(octets);
}

/* Long lines, long subjects: nothing is longer than 78 octets, and no letter is cut. */
static void long_texts(void **state)
{
	char body[2000] = "", subject[600] = "";
	struct mail mail = plain;
	char *octets;
	size_t length;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		memcpy(body + 4 * i, i % 7 ? "ab\xc3\xa9" : "x  =", 5);
	for (unsigned i = 0; i < 200; i++)
		memcpy(subject + 2 * i, "\xc3\xa9", 3);
	mail.body = body;
	mail.subject = mail.from_name = subject;
	assert_int_equal(mail_write(&mail, &octets, &length), 0);
	for (const char *line = octets; *line; line += strcspn(line, "\n") + 1) {
		assert_true(strcspn(line, "\n") <= 78);
		assert_true(line[strcspn(line, "\n") - 1] == '\r');
	}
	assert_non_null(strstr(octets, "Subject: =?UTF-8?B?w6nDqcOp"));
	free(octets);
}

static void refused_mails(void **state)
{
	struct mail mails[9];
	char *octets, *large;
	size_t length;

	(void)state;
	large = calloc(1, MAIL_BODY_MAX + 2);
	assert_non_null(large);
	memset(large, 'x', MAIL_BODY_MAX + 1);
	for (unsigned i = 0; i < 9; i++)
		mails[i] = plain;
	mails[0].subject = "a\r\nBcc: b@example.org";
	mails[1].from_name = "a\nb";
	mails[2].to = "a@b@c";
	mails[3].from = "nobody";
	mails[4].id = "a>b";
	mails[5].unsubscribe = "https://a/>\r\nX: y";
	mails[6].unsubscribe = "https://\xc3\xa9/";
	mails[7].id = "";
	mails[8].date_s = -1;
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(mail_write(&mails[i], &octets, &length), -EINVAL);
	mails[0] = plain;
	mails[0].body = large;
	assert_int_equal(mail_write(&mails[0], &octets, &length), -EFBIG);
	free(large);
}

/* ---- a page to speak of ---- */

static const struct status_change changes[] = { { 100 * NS_PER_S, COMPONENT_PARTIAL_OUTAGE },
	                                        { 200 * NS_PER_S, COMPONENT_OPERATIONAL } };
static const struct status_component web = { .id = "web",
	                                     .name = { "Website", "Site web" },
	                                     .description = { "", "" },
	                                     .group = "",
	                                     .showcase = true,
	                                     .changes = changes,
	                                     .changes_count = 2 };
static const char *const concerned[] = { "web", "gone" };
static const struct status_incident incident = {
	.id = "i1", .name = { "Trouble", "Ennuis" }, .components = concerned, .components_count = 2
};
static const struct status_page page = { .title = { "Example", "Exemple" },
	                                 .url = "https://status.example.org",
	                                 .key = "",
	                                 .languages = { LANGUAGE_EN, LANGUAGE_FR },
	                                 .languages_count = 2,
	                                 .generated_ns = 300 * NS_PER_S,
	                                 .components = &web,
	                                 .components_count = 1,
	                                 .incidents = &incident,
	                                 .incidents_count = 1 };

static void what_mails_say(void **state)
{
	struct mail_news news = { .page = &page,
		                  .language = LANGUAGE_FR,
		                  .incident = "i1",
		                  .component = "",
		                  .title = "Titre",
		                  .text = "Le texte.",
		                  .correction = true,
		                  .to = "ann@example.org",
		                  .unsubscribe = "https://u" };
	char subject[MAIL_SUBJECT_MAX + 1], *body;

	(void)state;
	assert_int_equal(mail_news_write(&news, subject, &body), 0);
	assert_string_equal(subject, "[Exemple] Titre");
	assert_non_null(strstr(body, "corrige"));
	assert_non_null(strstr(body, "Le texte."));
	assert_non_null(strstr(body, "- Site web\n"));
	assert_non_null(strstr(body, "https://status.example.org/fr/"));
	assert_null(strstr(body, WORDS_TIE));
	free(body);
	news.withdrawn = true;
	assert_int_equal(mail_news_write(&news, subject, &body), 0);
	assert_non_null(strstr(body, "retir"));
	free(body);
	news.incident = "i2";
	assert_int_equal(mail_news_write(&news, subject, &body), -ENOENT);
	news.incident = "";
	news.component = "web";
	news.language = LANGUAGE_EN;
	news.since_ns = 100 * NS_PER_S;
	assert_int_equal(mail_news_write(&news, subject, &body), 0);
	assert_non_null(strstr(body, "Website is now: "));
	free(body);
	news.since_ns = 150 * NS_PER_S;
	assert_int_equal(mail_news_write(&news, subject, &body), -ENOENT);
	assert_int_equal(mail_question_write(&page, LANGUAGE_EN, "ann@example.org", "https://c", subject, &body), 0);
	assert_non_null(strstr(body, "https://c\n"));
	free(body);
}

static void what_mails_say_of_works(void **state)
{
	static const struct status_update update = { .id = "m1",
		                                     .body = { "Disks are exchanged.", "" },
		                                     .phase = STATUS_SCHEDULED };
	static const struct status_incident planned = { .id = "m1",
		                                        .name = { "New disks", "Nouveaux disques" },
		                                        .scheduled_from_ns = 3600 * NS_PER_S,
		                                        .scheduled_until_ns = 7200 * NS_PER_S,
		                                        .components = concerned,
		                                        .components_count = 1,
		                                        .updates = &update,
		                                        .updates_count = 1 };
	static const struct {
		enum mail_works works;
		enum language language;
		const char *subject, *said;
	} rows[] = {
		{ MAIL_WORKS_ANNOUNCED, LANGUAGE_EN, "[Example] Planned works – New disks",
		  "begin on 1 January 1970, 01:00" },
		{ MAIL_WORKS_BEGUN, LANGUAGE_EN, "[Example] Planned works have begun – New disks",
		  "last until 1 January 1970, 02:00" },
		{ MAIL_WORKS_ENDED, LANGUAGE_FR, "[Exemple] Les travaux planifiés sont terminés – Nouveaux disques",
		  "terminés depuis le 1" },
		{ MAIL_WORKS_OFF, LANGUAGE_FR, "[Exemple] Les travaux planifiés sont annulés – Nouveaux disques",
		  "sont annulés." },
	};
	struct status_page with = page;

	(void)state;
	with.incidents = &planned;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool off = rows[i].works == MAIL_WORKS_OFF;
		const struct mail_news news = { .page = off ? &page : &with,
			                        .language = rows[i].language,
			                        .incident = "m1",
			                        .component = "",
			                        .title = "",
			                        .text = "",
			                        .works = rows[i].works,
			                        .given = off ? &planned : NULL,
			                        .to = "ann@example.org",
			                        .unsubscribe = "https://u" };
		char subject[MAIL_SUBJECT_MAX + 1], *body;

		assert_int_equal(mail_news_write(&news, subject, &body), 0);
		assert_string_equal(subject, rows[i].subject);
		if (!strstr(body, rows[i].said))
			fail_msg("%s", body);
		/* A text that is in one language alone is told in that. */
		assert_int_equal(strstr(body, "Disks are exchanged.") != NULL, !off);
		assert_non_null(strstr(body, rows[i].language == LANGUAGE_FR ? "- Site web\n" : "- Website\n"));
		assert_non_null(strstr(body, "https://u\n"));
		free(body);
	}
}

static void webhooks(void **state)
{
	/* Standard Webhooks' own example: libraries/javascript/src/index.test.ts and others of its repository. */
	static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek", body[] = "{\"test\": 2432232314}";
	struct webhook_event event = { .incident = "i1", .component = "", .id = "msg_1" };
	char lines[WEBHOOK_HEADERS][WEBHOOK_HEADER_SIZE], *text;
	struct webhook_secret secret;
	size_t length;

	(void)state;
	assert_int_equal(webhook_secret_read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &secret), 0);
	assert_int_equal(secret.count, 24);
	webhook_sign(&secret, id, 1614265330, body, strlen(body), lines);
	assert_string_equal(lines[0], "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek");
	assert_string_equal(lines[1], "webhook-timestamp: 1614265330");
	assert_string_equal(lines[2], "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	assert_int_equal(webhook_secret_read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", &secret), -EINVAL);
	assert_int_equal(webhook_secret_read("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &secret), -EINVAL);
	assert_int_equal(webhook_body(&page, &event, &text, &length), 0);
	assert_non_null(strstr(text, "\"incident\""));
	assert_int_equal(strlen(text), length);
	assert_non_null(strstr(text, "\"name\": \"Trouble\""));
	free(text);
	event.language = LANGUAGE_FR;
	assert_int_equal(webhook_body(&page, &event, &text, &length), 0);
	assert_non_null(strstr(text, "\"name\": \"Ennuis\""));
	free(text);
	event.incident = "i9";
	assert_int_equal(webhook_body(&page, &event, &text, &length), -ENOENT);
	event.incident = "";
	event.component = "web";
	event.since_ns = 200 * NS_PER_S;
	assert_int_equal(webhook_body(&page, &event, &text, &length), 0);
	assert_non_null(strstr(text, "\"old_status\": \"partial_outage\""));
	free(text);
	event.component = "mail";
	assert_int_equal(webhook_body(&page, &event, &text, &length), -ENOENT);
}

static void pages(void **state)
{
	static const struct subscribe_page_component components[] = { { "api", "<b>API</b>" }, { "web", "Site" } };
	struct subscribe_page of = { .title = "<b>", .token = "c1", .components = components };
	char text[65536] = "";

	(void)state;
	for (unsigned language = 0; language < LANGUAGES; language++)
		for (unsigned kind = 0; kind < SUBSCRIBE_PAGES; kind++) {
			FILE *out = fmemopen(text, sizeof(text), "w");

			assert_non_null(out);
			of.language = (enum language)language;
			of.kind = (enum subscribe_page_kind)kind;
			of.title = kind % 2 ? "<b>" : "";
			of.components_count = language ? 2 : 1; /* of one there is nothing to choose */
			assert_int_equal(subscribe_page_write(out, &of), 0);
			assert_int_equal(fclose(out), 0);
			assert_null(strstr(text, "<b>"));
			assert_int_equal(strstr(text, "<button") != NULL,
			                 kind == SUBSCRIBE_FORM || kind == SUBSCRIBE_WRONG ||
			                         kind == SUBSCRIBE_CONFIRM || kind == SUBSCRIBE_LEAVE);
			assert_int_equal(strstr(text, "name=\"component\" value=\"web\"") != NULL,
			                 language && (kind == SUBSCRIBE_FORM || kind == SUBSCRIBE_WRONG));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_there_and_back),
		cmocka_unit_test(addresses),
		cmocka_unit_test(a_mail),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(refused_mails),
		cmocka_unit_test(what_mails_say),
		cmocka_unit_test(what_mails_say_of_works),
		cmocka_unit_test(webhooks),
		cmocka_unit_test(pages),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
