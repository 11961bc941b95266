/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements: the table itself (both languages use the same facts, every fact is one); what is drafted of an incident
 * and of nothing; each link is found again, and not where the document was changed; what is no statement is refused;
 * forms.
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
#include <jansson.h>

#include "tell/statement.h"
#include "tell/statement_inside.h"

#define NBSP "\xc2\xa0"

static const char analysis_text[] =
	"{'schema':'holdfast.analysis/1','incidents':[{'id':'00000000000000aa'},{'id':'00000000000000ab',"
	"'began':'2026-03-10T09:40:00.000000Z','ended':'2026-03-10T11:10:30.000000Z',"
	"'detected':'2026-03-10T09:40:02.000000Z','vectors':[{'name':'syn_flood','title':'SYN flood'}],"
	"'waves':[{'began':'2026-03-10T09:40:00.000000Z','ended':'2026-03-10T10:00:00.000000Z','peak_pps':4100000},"
	"{'began':'2026-03-10T11:00:00.000000Z','ended':'2026-03-10T11:10:30.000000Z','peak_pps':90}],"
	"'packets':1234567890,'bytes':999,'peak_pps':4100000,'peak_bps':24000000,"
	"'sources':{'estimate':86400,'spoofing':{'verdict':'spoofed'}},'target':{'scope':'192.0.2.10/32'},"
	"'residual':0.012,'signatures':[{'match':'tcp and flags S','action':'drop','coverage':0.998}]}],"
	"'live':{'rules':[{'made':'2026-03-10T09:40:20.000000Z','packets':{'dropped':7000000}},"
	"{'made':'2026-03-10T09:40:05.000000Z','packets':{'dropped':500}}],"
	"'series':{'answered_pps':[100,null,300],'lost_pps':[0,null,4],'link_percent':[null,97],'link_lost_pps':[0]}}}";

static const char record_text[] =
	"{'incident':{'id':'00000000000000ab','state':'final','service':'web'},'word':{'since':'2026-03-10T09:41:00Z',"
	"'until':'2026-03-10T11:15:00Z','component':'web','component_fr':'web','text':null,'next_update':'2026-03-10T10:10:00Z','by':'ann'},"
	"'incidents_then':null,'events':[{'id':'e1','kind':'change','began':'2026-03-10T09:30:00Z','ended':null,"
	"'text':'new balancer'}],'claims':[],'outages':[],'statements':[],'corrects':null,"
	"'aware':{'at':'2026-03-10T09:45:00Z','by':'ann','due':{'nis2_24h':'2026-03-11T09:45:00Z'}}}";

static json_t *load(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	assert_non_null(copy);
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json = json_loads(copy, 0, NULL);
	assert_non_null(json);
	free(copy);
	return json;
}

static json_t *analysis, *record;

static int set_up(void **state)
{
	(void)state;
	analysis = load(analysis_text);
	record = load(record_text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(analysis);
	json_decref(record);
	return 0;
}

static struct statement_request request_of(enum statement_kind kind, enum language language)
{
	return (struct statement_request){ .kind = kind,
		                           .language = language,
		                           .incident = "00000000000000ab",
		                           .component = "web",
		                           .by = "ann",
		                           .now = { 1773135600LL * NS_PER_S },
		                           .next = { 1773137400LL * NS_PER_S },
		                           .corrects = "",
		                           .documents = { analysis, record },
		                           .analysis_sha256 = "",
		                           .record_sha256 = "" };
}

static json_t *draft(enum statement_kind kind, enum language language)
{
	struct statement_request request = request_of(kind, language);
	char error[STATEMENT_ERROR_SIZE] = "";
	json_t *statement = NULL;

	assert_int_equal(statement_draft(&request, &statement), 0);
	if (statement_read(statement, error) != 0)
		fail_msg("%s", error);
	return statement;
}

/* The text of the sentence that a template made, or NULL. */
static const char *sentence(const json_t *statement, const char *template)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(statement, "sentences"), i, one)
	{
		const char *name = json_string_value(json_object_get(one, "template"));

		if (name && strcmp(name, template) == 0)
			return json_string_value(json_object_get(one, "text"));
	}
	return NULL;
}

struct names {
	const char *names[2 * STATEMENT_LINKS_MAX];
	size_t lengths[2 * STATEMENT_LINKS_MAX], count;
};

static bool note_name(void *context, const char *name, size_t length)
{
	struct names *names = context;

	if (!statement_fact_find(name, length))
		return false;
	if (length > 3 && memcmp(name + length - 3, "_fr", 3) == 0) /* the same, as the French say it */
		length -= 3;
	for (size_t i = 0; i < names->count; i++)
		if (names->lengths[i] == length && memcmp(names->names[i], name, length) == 0)
			return true;
	names->names[names->count] = name;
	names->lengths[names->count++] = length;
	return true;
}

static void the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < statement_templates_count; i++) {
		const struct statement_template *t = &statement_templates[i];
		struct names both[LANGUAGES] = { { .count = 0 } };

		for (unsigned l = 0; l < LANGUAGES; l++)
			if (!statement_pattern_facts(t->text[l], note_name, &both[l]))
				fail_msg("%s: its text is no pattern, or has a fact that is none", t->name);
		if (both[0].count != both[1].count || both[0].count > STATEMENT_LINKS_MAX - STATEMENT_WHENS_MAX)
			fail_msg("%s: the languages do not use the same facts", t->name);
		for (size_t k = 0; k < both[0].count; k++) {
			size_t before = both[1].count;

			assert_true(note_name(&both[1], both[0].names[k], both[0].lengths[k]));
			if (both[1].count != before)
				fail_msg("%s: the languages do not use the same facts", t->name);
		}
		for (unsigned k = 0; k < STATEMENT_WHENS_MAX && t->when[k].fact; k++)
			if (!statement_fact_find(t->when[k].fact, strlen(t->when[k].fact)))
				fail_msg("%s: %s is no fact", t->name, t->when[k].fact);
		/* Whatever is told of evidence has some. */
		if (t->basis == STATEMENT_EVIDENCE && both[0].count == 0 && !t->when[0].fact)
			fail_msg("%s: it rests on nothing", t->name);
		/* What is for authorities is not for the public. */
		if (t->kinds >> STATEMENT_NIS2_24H && !(t->kinds & ((1u << STATEMENT_NIS2_24H) - 1)) && !t->internal)
			fail_msg("%s: it would be public", t->name);
		for (size_t k = 0; k < i; k++)
			if (strcmp(statement_templates[k].name, t->name) == 0)
				fail_msg("%s: there are two of that name", t->name);
	}
}

static void english(void **state)
{
	json_t *statement = draft(STATEMENT_POSTMORTEM, LANGUAGE_EN);
	char *text = statement_text(statement, STATEMENT_PUBLIC);

	(void)state;
	assert_string_equal(sentence(statement, "attack_over"),
	                    "From 10" NBSP "March" NBSP "2026, 09:40" NBSP "UTC to 11:10" NBSP "UTC (1" NBSP "h" NBSP
	                    "30" NBSP "min), a denial-of-service attack was directed at our services.");
	assert_string_equal(sentence(statement, "size"),
	                    "In the busiest tenth of a second it came at a rate of 4.1" NBSP
	                    "million packets a second and of 24" NBSP "Mbit/s.");
	assert_string_equal(sentence(statement, "users_lost"),
	                    "Around it our filters also dropped 1.0" NBSP
	                    "% of the packets of users whom our services were answering.");
	assert_string_equal(sentence(statement, "filter_made"),
	                    "The first filter against it was made 5.0" NBSP "s after it began.");
	assert_string_equal(sentence(statement, "link_full"),
	                    "At its fullest, a link carried 97" NBSP "% of what it can.");
	assert_null(sentence(statement, "users_spared"));
	assert_null(sentence(statement, "senders"));
	/* Rules, thresholds, capacity and addresses are for nobody else. */
	assert_null(strstr(text, "192.0.2.10"));
	assert_null(strstr(text, "flags S"));
	assert_null(strstr(text, "97"));
	assert_null(strstr(text, "new balancer"));
	assert_non_null(strstr(text, "a change of our own"));
	assert_true(strstr(text, "\n\nTimeline\n\n10" NBSP "March" NBSP "2026, 09:30" NBSP
	                         "UTC: a change of our own begins.\n10" NBSP "March" NBSP "2026, 09:40" NBSP
	                         "UTC: ") != NULL);
	free(text);
	json_decref(statement);
}

static void french(void **state)
{
	json_t *statement = draft(STATEMENT_POSTMORTEM, LANGUAGE_FR);

	(void)state;
	assert_string_equal(statement_title(statement), "Ce qui s’est passé et ce que nous en retenons" NBSP ": web");
	assert_string_equal(sentence(statement, "attack_over"),
	                    "Du 10" NBSP "mars" NBSP "2026 à" NBSP "09:40" NBSP "UTC à" NBSP "11:10" NBSP "UTC (1" NBSP
	                    "h" NBSP "30" NBSP
	                    "min), nos services ont été la cible d’une attaque par déni de service.");
	assert_string_equal(sentence(statement, "size"),
	                    "Dans son dixième de seconde le plus intense, elle est arrivée à raison de 4,1" NBSP
	                    "millions de paquets par seconde et de 24" NBSP "Mbit/s.");
	assert_string_equal(sentence(statement, "amount"),
	                    "Elle comptait environ 1,2" NBSP "milliard de paquets, soit 999" NBSP "o en tout.");
	json_decref(statement);
}

static void of_nothing(void **state)
{
	struct statement_request request = request_of(STATEMENT_FIRST_NOTICE, LANGUAGE_EN);
	json_t *words =
		load("{'word':{'since':'2026-03-10T09:40:00Z','component':null,'component_fr':null,'next_update':"
	             "'2026-03-10T10:10:00Z'},'incident':null}");
	json_t *statement = NULL;
	char *text;

	(void)state;
	request.documents = (struct statement_documents){ NULL, words };
	request.incident = "";
	request.component = "";
	assert_int_equal(statement_draft(&request, &statement), 0);
	text = statement_text(statement, STATEMENT_PUBLIC);
	assert_string_equal(text,
	                    "Since 10" NBSP "March" NBSP "2026, 09:40" NBSP
	                    "UTC, some people cannot reach us. We are investigating. Next update by 10:10" NBSP "UTC.");
	free(text);
	json_decref(statement);
	/* Of a post-mortem without any record nothing is said, and each lack is named. */
	request.kind = STATEMENT_POSTMORTEM;
	request.documents = (struct statement_documents){ NULL, NULL };
	assert_int_equal(statement_draft(&request, &statement), 0);
	assert_int_equal(json_array_size(json_object_get(statement, "sentences")), 0);
	assert_true(json_array_size(json_object_get(statement, "left_out")) > 10);
	json_decref(statement);
	json_decref(words);
}

/* A note that may be as long as a sentence makes one that is longer: it is left out, and that is noted. */
static void too_long(void **state)
{
	char note[STATEMENT_TEXT_MAX + 1];
	json_t *event = json_array_get(json_object_get(record, "events"), 0), *statement, *one;
	bool noted = false;
	size_t i;

	(void)state;
	memset(note, 'x', sizeof(note) - 1);
	note[sizeof(note) - 1] = '\0';
	assert_int_equal(json_object_set_new(event, "text", json_string(note)), 0);
	statement = draft(STATEMENT_UPDATE, LANGUAGE_EN);
	assert_null(sentence(statement, "event_text"));
	json_array_foreach(json_object_get(statement, "left_out"), i, one)
	{
		const char *template = json_string_value(json_object_get(one, "template"));

		if (strcmp(template, "event_text") == 0)
			noted = strstr(json_string_value(json_object_get(one, "why")), "too long") != NULL;
	}
	assert_true(noted);
	json_decref(statement);
	assert_int_equal(json_object_set_new(event, "text", json_string("new balancer")), 0);
}

static void asked_wrongly(void **state)
{
	struct statement_request request = request_of(STATEMENT_UPDATE, LANGUAGE_EN);
	static const char *const bad[] = { "00000000000000ac", "xyz", "00000000000000AB", "00000000000000a\n" };
	json_t *statement = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		request.incident = bad[i];
		assert_int_equal(statement_draft(&request, &statement), -EINVAL);
	}
	request.incident = "";
	request.component = "a\033b";
	assert_int_equal(statement_draft(&request, &statement), -EINVAL);
	request.component = "";
	request.by = "";
	assert_int_equal(statement_draft(&request, &statement), -EINVAL);
}

static json_t *at(json_t *json, const char *path)
{
	json_t *value = json;
	char copy[128], *rest = copy, *part;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	while ((part = strtok_r(rest, "/", &rest)))
		value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
		                             : json_object_get(value, part);
	return value;
}

/* Every link of every kind holds, and a change of what it points to is found, in the sentence that says so. */
static void links(void **state)
{
	struct statement_documents documents = { analysis, record };
	size_t tried = 0;

	(void)state;
	for (unsigned kind = 0; kind < STATEMENT_KINDS; kind++) {
		for (unsigned language = 0; language < LANGUAGES; language++) {
			json_t *statement = draft((enum statement_kind)kind, (enum language)language), *one, *link;
			size_t i, k;

			assert_int_equal(statement_check(statement, &documents, NULL, NULL), 0);
			json_array_foreach(json_object_get(statement, "sentences"), i, one)
			{
				json_array_foreach(json_object_get(one, "evidence"), k, link)
				{
					const char *path = json_string_value(json_object_get(link, "at"));
					bool of_analysis = strcmp(json_string_value(json_object_get(link, "in")),
					                          "analysis.json") == 0;
					json_t *value =
						strchr(path, '*') ? NULL : at(of_analysis ? analysis : record, path);
					json_t *copy;

					if (!json_is_integer(value))
						continue;
					copy = json_integer(json_integer_value(value));
					assert_int_equal(json_integer_set(value, json_integer_value(copy) + 1), 0);
					assert_true(statement_check(statement, &documents, NULL, NULL) > 0);
					assert_int_equal(json_integer_set(value, json_integer_value(copy)), 0);
					json_decref(copy);
					tried++;
				}
			}
			/* Nothing at all is there. */
			documents = (struct statement_documents){ NULL, NULL };
			if (statement_links(statement))
				assert_true(statement_check(statement, &documents, NULL, NULL) > 0);
			documents = (struct statement_documents){ analysis, record };
			json_decref(statement);
		}
	}
	assert_true(tried > 20);
}

static void words_changed(void **state)
{
	struct statement_documents documents = { analysis, record };
	json_t *statement = draft(STATEMENT_UPDATE, LANGUAGE_EN);
	json_t *text = at(statement, "/sentences/0/text");

	(void)state;
	assert_int_equal(json_string_set(text, "All is well."), 0);
	assert_int_equal(statement_check(statement, &documents, NULL, NULL), 1);
	json_decref(statement);
}

static void no_statements(void **state)
{
	static const struct {
		const char *path, *value;
	} changes[] = {
		{ "/schema", "'holdfast.statement/2'" },
		{ "/kind", "'rumour'" },
		{ "/lang", "'tlh'" },
		{ "/incident", "'12'" },
		{ "/made", "null" },
		{ "/made_by", "''" },
		{ "/next_update", "'soon'" },
		{ "/title", "'a\\u202eb'" },
		{ "/claims", "[1]" },
		{ "/sources", "{'analysis.json':'00'}" },
		{ "/sources", "{'other.json':'00'}" },
		{ "/left_out", "[{}]" },
		{ "/sentences", "{}" },
		{ "/sentences/0", "{}" },
		{ "/sentences/0/text", "''" },
		{ "/sentences/0/text", "'a\\nb'" },
		{ "/sentences/0/audience", "'everybody'" },
		{ "/sentences/0/basis", "'rumour'" },
		{ "/sentences/0/basis", "'word'" },
		{ "/sentences/0/by", "'ann'" },
		{ "/sentences/0/evidence", "[]" },
		{ "/sentences/0/evidence/0", "{}" },
		{ "/sentences/0/evidence/0/at", "'began'" },
		{ "/sentences/0/evidence/0/in", "'/etc/passwd'" },
		{ "/sentences/0/evidence/0/is", "'guess'" },
		{ "/sentences/0/evidence/0/value", "{}" },
		{ "/sentences/0/pattern", "null" },
		{ "/sentences/0/pattern", "'{began'" },
		{ "/sentences/0/pattern", "'{began:rumour}'" },
		{ "/sentences/0/pattern", "'{began?one}'" },
		{ "/sentences/0/template", "null" },
	};
	char error[STATEMENT_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		json_t *statement = draft(STATEMENT_UPDATE, LANGUAGE_EN), *parent;
		char path[64], wrapped[128], *name;
		json_t *value;

		(void)snprintf(path, sizeof(path), "%s", changes[i].path);
		(void)snprintf(wrapped, sizeof(wrapped), "[%s]", changes[i].value);
		name = strrchr(path, '/');
		*name++ = '\0';
		parent = *path ? at(statement, path) : statement;
		value = load(wrapped);
		if (json_is_array(parent))
			assert_int_equal(json_array_set(parent, strtoul(name, NULL, 10), json_array_get(value, 0)), 0);
		else
			assert_int_equal(json_object_set(parent, name, json_array_get(value, 0)), 0);
		error[0] = '\0';
		if (statement_read(statement, error) != -EBADMSG || !error[0])
			fail_msg("%s := %s is taken", changes[i].path, changes[i].value);
		json_decref(value);
		json_decref(statement);
	}
}

static void resolved(void **state)
{
	static const struct {
		const char *at;
		enum statement_is is;
		const char *value; /* NULL: nothing */
	} rows[] = {
		{ "/incidents/1/peak_pps", STATEMENT_VALUE, "4100000" },
		{ "/incidents/1/waves", STATEMENT_COUNT, "2" },
		{ "/incidents/*/id", STATEMENT_COUNT, "2" },
		{ "/live/rules/*/packets/dropped", STATEMENT_SUM, "7000500" },
		{ "/live/rules/*/made", STATEMENT_MIN, "\"2026-03-10T09:40:05.000000Z\"" },
		{ "/live/rules/*/made", STATEMENT_MAX, "\"2026-03-10T09:40:20.000000Z\"" },
		{ "/live/series/link_percent/*", STATEMENT_MAX, "97" },
		{ "/live/series/nothing/*", STATEMENT_MAX, NULL },
		{ "/live/rules/*/made", STATEMENT_SUM, NULL },
		{ "/live/rules/*/packets", STATEMENT_MAX, NULL },
		{ "/live/rules/*/made", STATEMENT_VALUE, NULL },
		{ "/incidents/01/id", STATEMENT_VALUE, NULL },
		{ "/incidents/-1/id", STATEMENT_VALUE, NULL },
		{ "/incidents/99999999999999999999999/id", STATEMENT_VALUE, NULL },
		{ "/incidents/1/id/deeper", STATEMENT_VALUE, NULL },
		{ "/incidents/1/sources", STATEMENT_COUNT, NULL },
		{ "/inc~0idents", STATEMENT_VALUE, NULL },
		{ "incidents", STATEMENT_VALUE, NULL },
		{ "", STATEMENT_VALUE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *value = statement_resolve(analysis, rows[i].at, rows[i].is);
		char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

		if ((text == NULL) != (rows[i].value == NULL) || (text && strcmp(text, rows[i].value) != 0))
			fail_msg("%s: %s", rows[i].at, text ? text : "nothing");
		free(text);
		json_decref(value);
	}
	assert_null(statement_resolve(NULL, "/a", STATEMENT_VALUE));
}

static void edited(void **state)
{
	json_t *statement = draft(STATEMENT_UPDATE, LANGUAGE_EN), *other = NULL, *one;
	char error[STATEMENT_ERROR_SIZE] = "";
	size_t count = json_array_size(json_object_get(statement, "sentences"));

	(void)state;
	assert_int_equal(statement_edit(statement, 1, "We are sorry.", STATEMENT_PUBLIC, false, "bob", &other, error),
	                 0);
	one = at(other, "/sentences/0");
	assert_string_equal(json_string_value(json_object_get(one, "basis")), "word");
	assert_string_equal(json_string_value(json_object_get(one, "by")), "bob");
	assert_int_equal(json_array_size(json_object_get(one, "evidence")), 0);
	json_decref(other);
	assert_int_equal(statement_edit(statement, 1, "We are sorry.", STATEMENT_PUBLIC, true, "bob", &other, error),
	                 0);
	assert_true(json_array_size(at(other, "/sentences/0/evidence")) > 0);
	json_decref(other);
	assert_int_equal(statement_edit(statement, 1, NULL, STATEMENT_PUBLIC, false, "bob", &other, error), 0);
	assert_int_equal(json_array_size(json_object_get(other, "sentences")), count - 1);
	json_decref(other);
	assert_int_equal(statement_edit(statement, count + 1, "More.", STATEMENT_INTERNAL, false, "bob", &other, error),
	                 0);
	assert_string_equal(
		json_string_value(at(at(other, "/sentences"), "999")
	                                  ? NULL
	                                  : json_object_get(json_array_get(json_object_get(other, "sentences"), count),
	                                                    "audience")),
		"internal");
	json_decref(other);
	assert_int_equal(statement_edit(statement, count + 2, "More.", STATEMENT_INTERNAL, false, "bob", &other, error),
	                 -EBADMSG);
	assert_int_equal(statement_edit(statement, count + 1, NULL, STATEMENT_INTERNAL, false, "bob", &other, error),
	                 -EBADMSG);
	assert_int_equal(statement_edit(statement, 0, "More.", STATEMENT_INTERNAL, false, "bob", &other, error),
	                 -EBADMSG);
	assert_int_equal(statement_edit(statement, 1, "a\tb", STATEMENT_INTERNAL, false, "bob", &other, error),
	                 -EBADMSG);
	json_decref(statement);
}

static void forms(void **state)
{
	static const struct {
		const char *form, *error;
	} bad[] = {
		{ "", "the title is missing" },
		{ "words\n", "line 1: words before" },
		{ "[title]\nT\n[title]\nT\n", "there is one title" },
		{ "[title]\n[1 public]\na\n", "no words" },
		{ "[title]\nT\n[1 public]\na\n[1 public]\nb\n", "is there twice" },
		{ "[title]\nT\n[99 public]\na\n", "there is no sentence 99" },
		{ "[title]\nT\n[1 secret]\na\n", "begins a part" },
		{ "[title]\nT\n[1 public forever]\na\n", "begins a part" },
		{ "[title]\nT\n[1]\na\n", "begins a part" },
		{ "[title]\nT\n[1 public\na\n", "begins a part" },
		{ "[title]\nT\n[1x public]\na\n", "there is no sentence" },
		{ "[title]\nT\n[+ public]\n\xff\n", "no UTF-8" },
	};
	json_t *statement = draft(STATEMENT_UPDATE, LANGUAGE_EN), *other = NULL;
	char error[STATEMENT_ERROR_SIZE], *form = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&form, &size);

	(void)state;
	assert_int_equal(statement_form_write(statement, "s1", 1, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(statement_form_read(statement, form, "bob", &other, error), -EALREADY);
	free(form);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		if (statement_form_read(statement, bad[i].form, "bob", &other, error) != -EBADMSG ||
		    !strstr(error, bad[i].error))
			fail_msg("%zu: %s", i, error);
	}
	assert_int_equal(statement_form_read(
				 statement,
				 "[title]\nNew\n# a note\n[+ internal]\n\\[x] is\n  broken  \n[2 public keep]\nKept.\n",
				 "bob", &other, error),
	                 0);
	assert_string_equal(statement_title(other), "New");
	assert_string_equal(json_string_value(at(other, "/sentences/0/text")), "[x] is broken");
	assert_true(json_array_size(at(other, "/sentences/1/evidence")) > 0);
	json_decref(other);
	json_decref(statement);
}

static void due(void **state)
{
	struct capture_time aware, got, none = { 0 };
	char text[TIME_TEXT_SIZE];

	(void)state;
	assert_int_equal(time_parse("2026-01-28T12:00:00Z", &aware), 0);
	got = statement_due(STATEMENT_NIS2_24H, aware, none);
	assert_string_equal(time_format(got, text), "2026-01-29T12:00:00.000000Z");
	got = statement_due(STATEMENT_NIS2_72H, aware, none);
	assert_string_equal(time_format(got, text), "2026-01-31T12:00:00.000000Z");
	got = statement_due(STATEMENT_GDPR_33, aware, none);
	assert_string_equal(time_format(got, text), "2026-01-31T12:00:00.000000Z");
	got = statement_due(STATEMENT_NIS2_MONTH, aware, none); /* February has no 31st */
	assert_string_equal(time_format(got, text), "2026-02-28T12:00:00.000000Z");
	assert_int_equal(time_parse("2027-12-31T01:02:03Z", &aware), 0);
	got = statement_due(STATEMENT_NIS2_MONTH, none, aware);
	assert_string_equal(time_format(got, text), "2028-01-31T01:02:03.000000Z");
	got = statement_due(STATEMENT_UPDATE, aware, none);
	assert_int_equal(got.ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),     cmocka_unit_test(english),       cmocka_unit_test(french),
		cmocka_unit_test(of_nothing),    cmocka_unit_test(resolved),      cmocka_unit_test(asked_wrongly),
		cmocka_unit_test(too_long),      cmocka_unit_test(links),         cmocka_unit_test(edited),
		cmocka_unit_test(words_changed), cmocka_unit_test(no_statements), cmocka_unit_test(forms),
		cmocka_unit_test(due),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
