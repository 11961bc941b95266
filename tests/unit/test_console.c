/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console without its server: forms, tokens and sessions, by a clock and randomness made up here; and pages of
 * made-up JSON.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tell/console_door.h"
#include "tell/console_html.h"
#include "tell/console_inside.h"
#include "tell/console_sentences.h"
#include "tell/form.h"

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct form *read_form(const char *text, int wanted)
{
	struct form *form = NULL;

	assert_int_equal(form_read(text, strlen(text), &form), wanted);
	return form;
}

static void forms(void **state)
{
	struct form *form = read_form("a=1&b=two+words&c=%C3%A9%0D%0A&d&&=x&a=2", 0);
	char many[2 * FORM_FIELDS_MAX + 4];

	(void)state;
	assert_int_equal(form->count, 6);
	assert_string_equal(form_get(form, "a"), "1");
	assert_string_equal(form_get(form, "b"), "two words");
	assert_string_equal(form_get(form, "c"), "\xc3\xa9\r\n");
	assert_string_equal(form_get(form, "d"), "");
	assert_string_equal(form_get(form, "z"), "");
	free(form);
	(void)read_form("a=%", -EBADMSG);
	(void)read_form("a=%4", -EBADMSG);
	(void)read_form("a=%4g", -EBADMSG);
	(void)read_form("a=%00", -EBADMSG);
	(void)read_form("a=%FF", -EBADMSG);
	(void)read_form("%FF=a", -EBADMSG);
	for (size_t i = 0; i <= FORM_FIELDS_MAX; i++)
		memcpy(many + 2 * i, "a&", 2);
	many[2 * FORM_FIELDS_MAX] = '\0';
	free(read_form(many, 0));
	many[2 * FORM_FIELDS_MAX] = 'a';
	many[2 * FORM_FIELDS_MAX + 1] = '\0';
	(void)read_form(many, -E2BIG);
	form = read_form("", 0);
	assert_int_equal(form->count, 0);
	free(form);
}

static void token_sums(void **state)
{
	uint8_t sum[DIGEST_SHA256_SIZE], wanted[DIGEST_SHA256_SIZE] = { 0x01, 0x23, 0x45, 0x67 };

	(void)state;
	assert_true(console_token_sum("sha256:" TOKEN " \n", sum));
	assert_memory_equal(sum, wanted, 4);
	assert_false(console_token_sum(TOKEN, sum));
	assert_false(console_token_sum("sha256:" TOKEN "0", sum));
	assert_false(console_token_sum("sha256:0123", sum));
	assert_false(console_token_sum("sha256:x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", sum));
	assert_false(console_token_sum("sha256:0", sum));
}

static struct console_door *door_with(enum console_role role)
{
	struct console_door *door = calloc(1, sizeof(*door));
	uint8_t sum[DIGEST_SHA256_SIZE];

	assert_non_null(door);
	digest_sha256(TOKEN, strlen(TOKEN), sum);
	assert_true(console_door_add(door, "ann", role, sum));
	return door;
}

static struct console_session *come_in(struct console_door *door, uint8_t random, int64_t now_ns,
                                       char cookie[CONSOLE_SECRET_SIZE])
{
	uint8_t octets[2 * CONSOLE_SECRET_OCTETS];
	struct console_session *session = NULL;

	memset(octets, random, sizeof(octets));
	octets[0] = 0xff;
	assert_int_equal(console_door_sign_in(door, TOKEN, LANGUAGE_EN, now_ns, octets, cookie, &session), 0);
	return session;
}

static void sessions(void **state)
{
	struct console_door *door = door_with(CONSOLE_OPERATE);
	char cookie[CONSOLE_SECRET_SIZE], other[CONSOLE_SECRET_SIZE], csrf[CONSOLE_SECRET_SIZE];
	struct console_session *session = come_in(door, 1, NS_PER_S, cookie);
	int64_t at = NS_PER_S;

	(void)state;
	assert_int_equal(strlen(cookie), CONSOLE_SECRET_SIZE - 1);
	assert_ptr_equal(console_door_find(door, cookie, 2 * NS_PER_S), session);
	assert_string_equal(session->token->name, "ann");
	(void)snprintf(csrf, sizeof(csrf), "%s", session->csrf);
	assert_true(console_door_csrf(session, csrf));
	csrf[63] = csrf[63] == '0' ? '1' : '0';
	assert_false(console_door_csrf(session, csrf));
	assert_false(console_door_csrf(session, ""));
	assert_null(console_door_find(door, "", 2 * NS_PER_S));
	assert_true(come_in(door, 2, NS_PER_S, other) != session);
	/* Used, it lasts as long as a session may; unused, it is over. */
	for (; at < CONSOLE_SESSION_NS; at += CONSOLE_IDLE_NS - 1)
		assert_ptr_equal(console_door_find(door, cookie, at), session);
	assert_null(console_door_find(door, cookie, NS_PER_S + CONSOLE_SESSION_NS));
	assert_null(console_door_find(door, other, NS_PER_S + CONSOLE_IDLE_NS));
	session = come_in(door, 3, at, cookie);
	console_door_sign_out(session);
	assert_null(console_door_find(door, cookie, at));
	/* Where all are taken, the one that was unused for longest goes. */
	for (unsigned i = 0; i <= CONSOLE_SESSIONS_MAX; i++)
		(void)come_in(door, (uint8_t)(i + 4), at + (int64_t)i, i == 0 ? other : cookie);
	assert_int_equal(door->pushed_out, 1);
	assert_null(console_door_find(door, other, at + CONSOLE_SESSIONS_MAX));
	assert_non_null(console_door_find(door, cookie, at + CONSOLE_SESSIONS_MAX));
	free(door);
}

static void attempts(void **state)
{
	struct console_door *door = door_with(CONSOLE_READ);
	uint8_t random[2 * CONSOLE_SECRET_OCTETS] = { 0 };
	char cookie[CONSOLE_SECRET_SIZE];
	struct console_session *session;
	int64_t at = 1000 * NS_PER_S;

	(void)state;
	for (unsigned i = 0; i < CONSOLE_ATTEMPTS_MAX; i++)
		assert_int_equal(console_door_sign_in(door, "x", LANGUAGE_EN, at, random, cookie, &session), -EACCES);
	assert_int_equal(console_door_sign_in(door, "x", LANGUAGE_EN, at, random, cookie, &session), -EAGAIN);
	assert_int_equal(console_door_sign_in(door, TOKEN, LANGUAGE_EN, at, random, cookie, &session), -EAGAIN);
	at += CONSOLE_ATTEMPT_NS;
	assert_int_equal(console_door_sign_in(door, "x", LANGUAGE_EN, at, random, cookie, &session), -EACCES);
	assert_int_equal(console_door_sign_in(door, TOKEN, LANGUAGE_EN, at, random, cookie, &session), -EAGAIN);
	at += CONSOLE_ATTEMPT_NS;
	assert_int_equal(console_door_sign_in(door, TOKEN, LANGUAGE_EN, at, random, cookie, &session), 0);
	assert_int_equal(door->refused, CONSOLE_ATTEMPTS_MAX + 1);
	assert_int_equal(door->limited, 3);
	free(door);
}

static void cookies(void **state)
{
	char value[CONSOLE_SECRET_SIZE];

	(void)state;
	console_cookie("a=b; holdfast=" TOKEN "; c=d", "holdfast", value);
	assert_string_equal(value, TOKEN);
	console_cookie("holdfast=short; holdfast=" TOKEN, "holdfast", value);
	assert_string_equal(value, TOKEN);
	console_cookie("xholdfast=" TOKEN, "holdfast", value);
	assert_string_equal(value, "");
	console_cookie("", "holdfast", value);
	assert_string_equal(value, "");
}

/* ---- pages ---- */

static char *shown(enum console_role role, enum language language,
                   void (*show)(const struct console_view *view, const json_t *json), const char *json)
{
	struct console_door *door = door_with(role);
	char cookie[CONSOLE_SECRET_SIZE], *text = NULL;
	struct console_session *session = come_in(door, 1, NS_PER_S, cookie);
	json_t *object = json_loads(json, 0, NULL);
	size_t size;
	struct console_view view = { .out = open_memstream(&text, &size),
		                     .language = language,
		                     .session = session,
		                     .now_ns = 1773135600 * NS_PER_S,
		                     .done = "",
		                     .error = "" };

	assert_non_null(object);
	show(&view, object);
	assert_int_equal(fclose(view.out), 0);
	json_decref(object);
	free(door);
	return text;
}

#define STATEMENT(state, approvals, more)                                                                                                                 \
	"{\"id\":\"s1\",\"thread\":\"s1\",\"revision\":2,\"sha256\":\"abcdef0123456789\",\"kind\":\"update\",\"state\":\"" state                          \
	"\",\"public\":true,\"approvals\":" approvals                                                                                                     \
	",\"approvals_wanted\":2,\"text\":\"One <two>.\",\"acts\":[{\"act\":\"approved\","                                                                \
	"\"revision\":2,\"by\":\"bob\",\"at\":\"2026-03-10T09:41:00Z\"}],\"mistakes\":[{\"sentence\":1,\"text\":\"its links make another text of it\"}]," \
	"\"statement\":{\"lang\":\"en\",\"title\":\"T\",\"left_out\":[{\"template\":\"peak\",\"why\":\"null\"}],\"sentences\":["                          \
	"{\"audience\":\"internal\",\"basis\":\"evidence\",\"text\":\"<b>\",\"evidence\":[{\"fact\":\"began\",\"in\":\"analysis.json\","                  \
	"\"at\":\"/x\",\"is\":\"value\",\"value\":7}]},{\"audience\":\"public\",\"basis\":\"form\",\"text\":\"f\"}]}" more                                \
	"}"

static void has(const char *page, const char *words)
{
	if (!strstr(page, words))
		fail_msg("'%s' is not in %s", words, page);
}

static void has_not(const char *page, const char *words)
{
	if (strstr(page, words))
		fail_msg("'%s' is in %s", words, page);
}

static void matters(void **state)
{
	static const char json[] =
		"{\"thread\":\"s1\",\"incident\":\"0123456789abcdef\",\"suggested\":\"2026-03-10T09:40:02Z\","
		"\"statements\":[" STATEMENT("draft", "1", "") "]}";
	static const char ready[] = "{\"thread\":\"s1\",\"statements\":[" STATEMENT("approved", "2", "") "]}";
	static const char over[] = "{\"thread\":\"s1\",\"statements\":[" STATEMENT("published", "2", "") "]}";
	char *page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_matter, json);

	(void)state;
	has(page, "&lt;b&gt;");
	has_not(page, "<b>");
	has(page, "does not hold: its links make another text of it");
	has(page, "A form: it says nothing");
	has(page, "action=\"/approve/s1\"");
	has(page, "two different people have to approve. 1 has.");
	has(page, "approved, revision 2, by bob");
	has(page, "The machine recognised it at 10&nbsp;March");
	has(page, "action=\"/aware/0123456789abcdef\"");
	has_not(page, "/publish/");
	free(page);
	page = shown(CONSOLE_READ, LANGUAGE_FR, console_html_matter, json);
	has(page, "ne tient pas : ses liens donnent un autre texte");
	has(page, "<strong>projet</strong>");
	has(page, "approuvé, révision 2, par bob");
	has(page, "<code>began</code>, valeur, ");
	has_not(page, "lang=\"en\">draft");
	has_not(page, "action=\"/approve");
	has_not(page, "action=\"/aware");
	free(page);
	page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_matter, ready);
	has_not(page, "/publish/s1");
	has_not(page, "action=\"/approve");
	free(page);
	page = shown(CONSOLE_PUBLISH, LANGUAGE_EN, console_html_matter, ready);
	has(page, "href=\"/publish/s1\"");
	free(page);
	page = shown(CONSOLE_PUBLISH, LANGUAGE_EN, console_html_matter, over);
	has(page, "href=\"/withdraw/s1\"");
	has(page, "href=\"/draft?corrects=s1\"");
	has(page, "href=\"/draft?lang=en&amp;translates=s1\"");
	has_not(page, "href=\"/edit/s1\"");
	free(page);
}

static void statements(void **state)
{
	char *page = shown(CONSOLE_PUBLISH, LANGUAGE_EN, console_html_publish, STATEMENT("approved", "2", ""));

	(void)state;
	has(page, "One &lt;two&gt;.");
	has(page, "name=\"hash\" value=\"abcdef0123456789\"");
	free(page);
	page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_edit, STATEMENT("draft", "0", ""));
	has(page, "name=\"revision\" value=\"2\"");
	has(page, "name=\"a1\" value=\"internal\" checked");
	has(page, "name=\"k1\"");
	has_not(page, "name=\"k2\"");
	has(page, "name=\"t3\"");
	free(page);
	page = shown(CONSOLE_PUBLISH, LANGUAGE_FR, console_html_withdraw, STATEMENT("published", "2", ""));
	has(page, "Motif");
	free(page);
}

static void overviews(void **state)
{
	static const char json[] =
		"{\"due\":[{\"of\":\"law\",\"incident\":\"0123456789abcdef\",\"kind\":\"nis2_24h\",\"due\":\"2026-03-10T09:30:00Z\",\"overdue\":true},"
		"{\"of\":\"word\",\"thread\":\"s1\",\"after\":\"s3\",\"title\":\"T\",\"lang\":\"en\",\"last\":\"2026-03-10T09:20:00Z\",\"due\":\"2026-03-10T09:50:30Z\",\"overdue\":false},"
		"{\"of\":\"law\",\"incident\":\"0123456789abcdef\",\"kind\":\"nis2_month\",\"due\":\"2026-04-10T09:30:00Z\",\"draft\":\"s5\",\"draft_thread\":\"s4\"},"
		"{\"of\":\"law\",\"incident\":\"0123456789abcdef\",\"kind\":\"nis2_72h\",\"due\":\"2026-03-10T09:30:00Z\",\"submitted\":\"2026-03-10T09:20:00Z\"}],"
		"\"outages\":[{\"component\":\"web\",\"began\":\"2026-03-10T09:30:00Z\",\"ended\":null,\"belief\":98,\"published\":\"major_outage\",\"cause\":\"own_change\"}],"
		"\"incidents\":[{\"id\":\"0123456789abcdef\",\"vector\":\"udp_flood\",\"service\":\"web\",\"began\":\"2026-03-10T09:30:00Z\",\"ended\":\"2026-03-10T09:35:00Z\"}],"
		"\"statements\":[{\"id\":\"s1\",\"thread\":\"s1\",\"kind\":\"update\",\"state\":\"draft\",\"lang\":\"en\",\"title\":\"T\"}]}";
	char *page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_overview, json);

	(void)state;
	has(page, "<li><strong>in 10&nbsp;min</strong>"); /* whole minutes */
	has(page, "<li class=\"late\"><strong>overdue since 10&nbsp;min</strong>");
	has(page, "Last said 20&nbsp;min ago.");
	has(page, "href=\"/draft?after=s3\"");
	has(page, "href=\"/draft?kind=nis2_24h&amp;incident=0123456789abcdef\"");
	has(page, "href=\"/matter/s4#s5\">Open s5</a>");
	has(page, "<li class=\"over\"><strong>handed in on 10&nbsp;March");
	has(page, "98&nbsp;%");
	has(page, "it lasts");
	has(page, "<td>major outage</td><td>a change of our own</td>");
	has(page, "href=\"/draft?incident=0123456789abcdef\"");
	free(page);
	page = shown(CONSOLE_READ, LANGUAGE_FR, console_html_overview, json);
	has(page, "<td>panne majeure</td><td>un changement de notre part</td>");
	has(page, "<td>projet</td>");
	has(page, "en retard de 10&nbsp;min");
	has_not(page, "/draft");
	free(page);
	page = shown(CONSOLE_READ, LANGUAGE_EN, console_html_overview, "{}");
	has(page, "nothing is due");
	has_not(page, "/draft");
	free(page);
}

/* What is due is in the head of every page. */
static void alarms(void **state)
{
	static const struct {
		unsigned overdue;
		int64_t next_s;
		const char *has, *has_not;
	} all[] = {
		{ 0, 0, "<h1>Audit log", "class=\"alarm" },
		{ 0, 600, "<p class=\"alarm\"><a href=\"/\">Next due in 10&nbsp;min.</a>", "late" },
		{ 3, 0, "<p class=\"alarm late\"><a href=\"/\">Overdue: 3.</a>", "Next due" },
		{ 1, 60, "Overdue: 1. Next due in 1&nbsp;min.</a>", "class=\"alarm\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct console_door *door = door_with(CONSOLE_READ);
		char cookie[CONSOLE_SECRET_SIZE], *text = NULL;
		size_t size;
		struct console_view view = { .out = open_memstream(&text, &size),
			                     .session = come_in(door, 1, NS_PER_S, cookie),
			                     .now_ns = 1000 * NS_PER_S,
			                     .done = "",
			                     .error = "",
			                     .overdue = all[i].overdue,
			                     .next_due_ns = all[i].next_s ? (1000 + all[i].next_s) * NS_PER_S : 0 };

		console_html_audit(&view, NULL);
		assert_int_equal(fclose(view.out), 0);
		has(text, all[i].has);
		has_not(text, all[i].has_not);
		free(text);
		free(door);
	}
}

/* ---- words ---- */

static unsigned holes(const char *text)
{
	unsigned count = 0;

	for (; (text = strstr(text, "%s")) != NULL; text += 2)
		count++;
	return count;
}

static void all_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONSOLE_WORDS_COUNT; i++) {
		const char *en = console_word(LANGUAGE_EN, (enum console_word)i);
		const char *fr = console_word(LANGUAGE_FR, (enum console_word)i);

		assert_true(*en && *fr);
		if (holes(en) != holes(fr))
			fail_msg("'%s' and '%s' have not the same holes", en, fr);
	}
	for (size_t i = 0; i < console_terms_count; i++)
		assert_ptr_equal(console_term_find(console_terms[i].group, console_terms[i].name), &console_terms[i]);
	assert_null(console_term_find(CONSOLE_STATES, "edit"));
}

static void sentence(const char *english, const char *french)
{
	char text[CONSOLE_SENTENCE_SIZE];

	assert_true(console_sentence(LANGUAGE_EN, english, text));
	assert_string_equal(text, english);
	assert_int_equal(console_sentence(LANGUAGE_FR, english, text), french != NULL);
	if (french)
		assert_string_equal(text, french);
}

static void sentences(void **state)
{
	char much[2 * CONSOLE_SENTENCE_SIZE], text[CONSOLE_SENTENCE_SIZE];

	(void)state;
	sentence("nothing is changed", "rien n’est changé");
	sentence("there is no s12", "s12 n’existe pas");
	sentence("there is no s", NULL);
	sentence("there is no such thing", NULL); /* a number's hole takes digits alone */
	sentence("line 3: there is no sentence 7", "ligne 3 : la phrase 7 n’existe pas");
	sentence("the event is longer than 4096 octets", "trop long, plus de 4096 octets : l’événement");
	sentence("the horse is longer than 4096 octets", "trop long, plus de 4096 octets : horse");
	sentence("it is done, but the audit log could not be written: the record cannot be written: database is locked",
	         "c’est fait, mais le journal d’audit n’a pu être écrit : le registre ne peut être écrit : "
	         "la base est verrouillée");
	sentence("sum of /a/*, of analysis.json, is 3", "la somme de /a/*, dans analysis.json, est 3");
	sentence("it rains", NULL);
	sentence("nothing is changed at all", NULL);
	sentence("", NULL);
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	assert_false(console_sentence(LANGUAGE_FR, much, text));
	assert_true(console_sentence(LANGUAGE_EN, much, text));
	assert_int_equal(strlen(text), CONSOLE_SENTENCE_SIZE - 1);
	/* What grows beyond what there is room for is cut. */
	memcpy(much, "there is no claim ", 18);
	much[CONSOLE_SENTENCE_SIZE - 1] = '\0';
	assert_true(console_sentence(LANGUAGE_FR, much, text));
	assert_int_equal(strlen(text), CONSOLE_SENTENCE_SIZE - 1);
}

static void lists(void **state)
{
	char *page = shown(
		CONSOLE_OPERATE, LANGUAGE_EN, console_html_draft,
		"{\"incidents\":[{\"id\":\"0123456789abcdef\",\"vector\":\"syn_flood\"}],\"incident\":\"0123456789abcdef\"}");

	(void)state;
	has(page, "value=\"0123456789abcdef\" selected");
	has_not(page, "value=\"correction\"");
	free(page);
	page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_draft, "{\"corrects\":\"s\\\"4\"}");
	has(page, "name=\"corrects\" value=\"s&quot;4\"");
	has(page, "value=\"correction\"");
	has_not(page, "name=\"phase\"");
	free(page);
	page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_draft,
	             "{\"kind\":\"nis2_24h\",\"claims\":[{\"id\":\"c1\",\"by\":\"<who>\",\"text\":\"what\"}]}");
	has(page, "value=\"nis2_24h\" selected");
	has(page, "value=\"c1\">c1, &lt;who&gt; \xc2\xb7 what</option>");
	has(page, "<option value=\"identified\">the cause is known</option>");
	has(page, "name=\"next\"");
	free(page);
	page = shown(CONSOLE_OPERATE, LANGUAGE_FR, console_html_draft, "{\"translates\":\"s1\",\"lang\":\"fr\"}");
	has(page, "name=\"translates\" value=\"s1\"");
	has(page, "<option value=\"en\">English</option></select>");
	has_not(page, "value=\"fr\"");
	has_not(page, "name=\"since\"");
	free(page);
	page = shown(
		CONSOLE_OPERATE, LANGUAGE_EN, console_html_components,
		"{\"components\":[{\"id\":\"web\",\"name\":\"Web\",\"hidden\":true},{\"id\":\"api\",\"name\":\"API\",\"status\":\"major_outage\"},"
		"{\"id\":\"core\",\"name\":\"Core\",\"is_group\":true}]}");
	has(page, "not said");
	has(page, "not shown");
	has(page, "a group");
	has(page, "action=\"/components\"");
	has(page, "action=\"/component-add\"");
	has(page, "<option value=\"own_change\">a change of our own</option>");
	has(page, "<option value=\"core\">Core</option>");
	free(page);
	page = shown(CONSOLE_READ, LANGUAGE_EN, console_html_components, "{}");
	has(page, "There are no components");
	free(page);
	page = shown(
		CONSOLE_OPERATE, LANGUAGE_FR, console_html_component,
		"{\"id\":\"web\",\"name_en\":\"<W>\",\"group\":\"core\",\"hidden\":true,\"components\":[{\"id\":\"core\",\"name\":\"Core\",\"is_group\":true}]}");
	has(page, "value=\"&lt;W&gt;\"");
	has(page, "<option value=\"core\" selected>");
	has(page, "name=\"hidden\" value=\"1\" checked");
	has(page, "action=\"/component-remove/web\"");
	free(page);
	page = shown(
		CONSOLE_OPERATE, LANGUAGE_FR, console_html_works,
		"{\"works\":[{\"id\":\"m1\",\"name\":\"<R>\",\"plan\":\"under_way\"},{\"id\":\"m2\",\"plan\":\"over\"},{\"id\":\"m3\",\"plan\":\"cancelled\"}],"
		"\"components\":[{\"id\":\"web\",\"name\":\"W\"}]}");
	has(page, "m1 \xc2\xb7 &lt;R&gt;");
	has(page, "en cours");
	has(page, "annulés");
	has(page, "action=\"/works-cancel/m1\"");
	has_not(page, "action=\"/works-cancel/m2\"");
	has(page, "name=\"c-web\" value=\"1\"");
	free(page);
	page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_works, "{}");
	has(page, "No works are planned");
	has(page, "There are no components");
	free(page);
	page = shown(CONSOLE_OPERATE, LANGUAGE_EN, console_html_events,
	             "{\"events\":[{\"text\":\"<i>\",\"kind\":\"provider\",\"began\":\"2026-03-10T09:30:00Z\"}]}");
	has(page, "&lt;i&gt;");
	free(page);
	page = shown(CONSOLE_READ, LANGUAGE_EN, console_html_events, "{}");
	has_not(page, "action=\"/events\"");
	free(page);
	page = shown(
		CONSOLE_READ, LANGUAGE_EN, console_html_audit,
		"{\"audit\":[{\"who\":\"ann\",\"what\":\"edit\",\"object\":\"s1\",\"revision\":3,\"outcome\":\"refused\",\"message\":\"nothing is changed\"}]}");
	has(page, "s1, 3");
	has(page, "statement edited");
	has(page, "refused: nothing is changed");
	free(page);
	page = shown(
		CONSOLE_READ, LANGUAGE_FR, console_html_audit,
		"{\"audit\":[{\"who\":\"ann\",\"what\":\"edit\",\"outcome\":\"refused\",\"message\":\"nothing is changed\"},"
		"{\"what\":\"<new>\",\"outcome\":\"failed\",\"message\":\"it <rains>\"}]}");
	has(page, "refusé" WORDS_TIE ": rien n’est changé");
	has(page, "<code>&lt;new&gt;</code>");
	has(page,
	    "échoué" WORDS_TIE
	    ": Cela n’a pas pu se faire. Le système l’a dit en anglais : <span lang=\"en\">it &lt;rains&gt;</span>");
	free(page);
	page = shown(CONSOLE_READ, LANGUAGE_FR, console_html_audit, "{}");
	has(page, "Rien n\xe2\x80\x99"
	          "a encore");
	free(page);
}

static void no_session(void **state)
{
	char *text = NULL;
	size_t size;
	struct console_view view = {
		.out = open_memstream(&text, &size), .language = LANGUAGE_EN, .done = "edit s1", .error = "<wrong>"
	};

	(void)state;
	console_html_sign_in(&view, CONSOLE_WAIT);
	console_html_sign_in(&view, CONSOLE_UNKNOWN);
	console_html_trouble(&view, CONSOLE_NOT_ALLOWED);
	console_html_trouble(&view, CONSOLE_FAILED);
	console_html_style(view.out);
	assert_int_equal(fclose(view.out), 0);
	has(text, "wait a minute");
	has(text, "No token of that kind");
	has(text, "Done: statement edited (s1)");
	has(text, "&lt;wrong&gt;");
	has(text, "may not do that");
	has(text, "prefers-color-scheme: dark");
	has_not(text, "csrf");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),      cmocka_unit_test(token_sums), cmocka_unit_test(sessions),
		cmocka_unit_test(attempts),   cmocka_unit_test(cookies),    cmocka_unit_test(matters),
		cmocka_unit_test(statements), cmocka_unit_test(overviews),  cmocka_unit_test(lists),
		cmocka_unit_test(no_session), cmocka_unit_test(alarms),     cmocka_unit_test(all_words),
		cmocka_unit_test(sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
