/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a pattern becomes a sentence. It is made by the same function when it is drafted and when it is checked, from the
 * values that its links hold and from nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "detect/vector.h"
#include "tell/statement_inside.h"

#define NBSP "\xc2\xa0"
#define ARGUMENTS_MAX 2
#define PHRASE_SIZE (STATEMENT_TEXT_MAX + 1)
#define MILLION 1000000
#define BILLION 1000000000
#define SIGNIFICANT 1000 /* of counts under a million three digits are told */
#define PERMYRIAD_PPM 100

/* clang-format off */
/* What the public is told of the traffic: of which kind it is, and no more. */
static const struct {
	enum vector_class class;
	const char *words[LANGUAGES];
} classes[] = {
	{ VECTOR_REFLECTION, { "answers from servers of third parties that were tricked into sending them to us",
	                       "des réponses de serveurs de tiers, détournés pour nous les envoyer" } },
	{ VECTOR_STATELESS, { "packets that belong to no conversation with our services",
	                      "des paquets qui n’appartiennent à aucun échange avec nos services" } },
	{ VECTOR_CONVERSATION, { "connections opened in far greater numbers than the service is used to",
	                         "des connexions ouvertes en bien plus grand nombre que d’ordinaire" } },
	{ VECTOR_APPLICATION, { "requests to our servers made to keep them busy",
	                        "des requêtes adressées à nos serveurs pour les occuper" } },
	{ VECTOR_SCAN, { "probes of what can be reached", "des sondages de ce qui est joignable" } },
};

/* Words of the record, as people read them. */
static const struct {
	const char *list, *word, *words[LANGUAGES];
} known[] = {
	{ "event", "change", { "a change of our own", "une modification de notre part" } },
	{ "event", "provider", { "a failure at a provider", "une défaillance chez un prestataire" } },
	{ "event", "maintenance", { "maintenance", "une maintenance" } },
	{ "cause", "attack", { "an attack", "une attaque" } },
	{ "cause", "own_change", { "a change of our own", "une modification de notre part" } },
	{ "cause", "provider", { "a failure at a provider", "une défaillance chez un prestataire" } },
	{ "cause", "unknown", { "a cause that is not known", "une cause inconnue" } },
	{ "verdict", "supported", { "is consistent with it", "est compatible avec cette affirmation" } },
	{ "verdict", "contradicted", { "speaks against it", "contredit cette affirmation" } },
	{ "verdict", "unsupported", { "does not decide it", "ne permet pas d’en décider" } },
	{ "verdict", "untestable", { "can neither show nor refute it", "ne peut ni l’établir ni la réfuter" } },
	{ "action", "drop", { "drop", "rejeter" } },
	{ "action", "rate_limit", { "limit the rate", "limiter le débit" } },
	{ "action", "challenge", { "challenge", "vérifier l’adresse" } },
	{ "action", "none", { "let pass", "laisser passer" } },
	{ "belief", "elevated_user_reports", { "more reports of users than usual", "plus de signalements que d’ordinaire" } },
	{ "belief", "investigating", { "a disturbance that was being looked into", "une perturbation à l’étude" } },
	{ "belief", "partial_outage", { "a partial outage", "une panne partielle" } },
	{ "belief", "major_outage", { "a major outage", "une panne majeure" } },
};
/* clang-format on */

bool statement_is_text(const char *text, size_t max)
{
	size_t length = 0;

	if (!text || !*text)
		return false;
	while (text[length]) {
		uint32_t code = 0;
		size_t octets = words_utf8(text + length, &code);

		if (octets == 0 || !words_is_printable(code) || length + octets > max)
			return false;
		length += octets;
	}
	return true;
}

/* ---- formats: each writes at most PHRASE_SIZE octets, or says that it cannot show this ---- */

static bool time_of(const json_t *value, struct capture_time *time)
{
	return json_is_string(value) && time_parse(json_string_value(value), time) == 0;
}

static bool put_time(const json_t *const *v, enum language l, char *text)
{
	struct capture_time time;

	return time_of(v[0], &time) && language_date_time(l, time, text);
}

static bool put_date(const json_t *const *v, enum language l, char *text)
{
	struct capture_time time;

	return time_of(v[0], &time) && language_date(l, time, text);
}

static bool put_clock(const json_t *const *v, enum language l, char *text)
{
	struct capture_time time;

	(void)l;
	return time_of(v[0], &time) && language_clock(time, text);
}

/* "to 11:00 UTC": a second time with its preposition, its date only where it is another than the first's. */
static bool put_until(const json_t *const *v, enum language l, char *text)
{
	static const char *const words[LANGUAGES][2] = { { "to ", "to " }, { "à" WORDS_TIE, "au " } };
	char moment[LANGUAGE_TEXT_SIZE];
	struct capture_time from, to;
	struct language_time a, b;
	bool other;

	if (!time_of(v[0], &from) || !time_of(v[1], &to))
		return false;
	a = language_time(from);
	b = language_time(to);
	other = a.year != b.year || a.month != b.month || a.day != b.day;
	(void)snprintf(text, PHRASE_SIZE, "%s%s", words[l][other],
	               other ? language_date_time(l, to, moment) : language_clock(to, moment));
	return true;
}

static bool put_span(const json_t *const *v, enum language l, char *text)
{
	struct capture_time from, to;

	return time_of(v[0], &from) && time_of(v[1], &to) && time_since(to, from) >= 0 &&
	       language_duration(l, time_since(to, from), text);
}

static bool put_count(const json_t *const *v, enum language l, char *text)
{
	uint64_t n;

	return statement_whole(v[0], &n) && language_count(l, n, text);
}

/* Three digits, and millions in words. Returns whether `what` has to be joined by "de". */
static bool put_large(uint64_t n, enum language l, char *text)
{
	static const char *const units[][LANGUAGES] = { { "million", "million" }, { "billion", "milliard" } };
	char number[WORDS_SIZE];
	uint64_t step = 1, unit = n < BILLION - BILLION / 2000 ? MILLION : BILLION;
	uint64_t whole = n / unit, tenths = n % unit * 10 / unit;

	while (n / step >= SIGNIFICANT)
		step *= 10;
	if (n < MILLION - MILLION / 2000) {
		(void)language_count(l, (n + step / 2) / step * step, text);
		return false;
	}
	if (whole < 10 && tenths)
		(void)snprintf(number, sizeof(number), "%" PRIu64 ".%" PRIu64, whole, tenths);
	else
		(void)words_count(whole, number);
	(void)snprintf(text, PHRASE_SIZE, "%s" WORDS_TIE "%s%s", language_decimal(l, number), units[unit == BILLION][l],
	               l == LANGUAGE_FR && whole >= 2 ? "s" : "");
	return true;
}

static bool put_about(const json_t *const *v, enum language l, char *text)
{
	uint64_t n;

	if (!statement_whole(v[0], &n))
		return false;
	(void)put_large(n, l, text);
	return true;
}

/* A number with what it is of; in French millions are joined to it. */
static bool put_of(const json_t *value, const char *const words[LANGUAGES], enum language l, char *text)
{
	uint64_t n;
	bool joined;
	size_t length;

	if (!statement_whole(value, &n))
		return false;
	joined = put_large(n, l, text) && l == LANGUAGE_FR;
	length = strlen(text);
	(void)snprintf(text + length, PHRASE_SIZE - length, "%s %s", joined ? " de" : "", words[l]);
	return true;
}

static bool put_pps(const json_t *const *v, enum language l, char *text)
{
	static const char *const words[LANGUAGES] = { "packets a second", "paquets par seconde" };

	return put_of(v[0], words, l, text);
}

static bool put_packets(const json_t *const *v, enum language l, char *text)
{
	static const char *const words[LANGUAGES] = { "packets", "paquets" };

	return put_of(v[0], words, l, text);
}

static bool put_scaled(const json_t *value, const char *unit, enum language l, char *text)
{
	uint64_t n;

	return statement_whole(value, &n) && words_scaled(n, unit, text) && language_decimal(l, text);
}

static bool put_bits(const json_t *const *v, enum language l, char *text)
{
	return put_scaled(v[0], "bit/s", l, text);
}

static bool put_octets(const json_t *const *v, enum language l, char *text)
{
	return put_scaled(v[0], l == LANGUAGE_FR ? "o" : "B", l, text);
}

/* A share of 1 as parts of a million: at most six decimals are told of one. */
static bool ppm_of(const json_t *value, uint64_t *ppm)
{
	double share = json_is_number(value) ? json_number_value(value) : -1;

	if (!(share >= 0 && share <= 1))
		return false;
	*ppm = (uint64_t)(share * PPM + 0.5);
	return true;
}

static bool put_share_down(const json_t *const *v, enum language l, char *text)
{
	uint64_t ppm;

	return ppm_of(v[0], &ppm) && words_share_down(ppm, text) && language_decimal(l, text);
}

static bool put_share_up(const json_t *const *v, enum language l, char *text)
{
	uint64_t ppm;

	return ppm_of(v[0], &ppm) && words_share_up(ppm, text) && language_decimal(l, text);
}

/* Hundredths of a per cent. */
static bool put_permyriad(const json_t *const *v, enum language l, char *text)
{
	uint64_t n;

	return statement_whole(v[0], &n) && n <= PPM / PERMYRIAD_PPM && words_share_down(n * PERMYRIAD_PPM, text) &&
	       language_decimal(l, text);
}

/* What of the first the second is, never too little. */
static bool put_share_of(const json_t *const *v, enum language l, char *text)
{
	uint64_t part, whole, ppm;

	if (!statement_whole(v[0], &part) || !statement_whole(v[1], &whole) || whole == 0 || part > whole)
		return false;
	ppm = share_ppm(part, whole);
	if (ppm == 0 && part)
		ppm = 1;
	return words_share_up(ppm, text) && language_decimal(l, text);
}

static bool put_text(const json_t *const *v, enum language l, char *text)
{
	(void)l;
	if (!statement_is_text(json_string_value(v[0]), PHRASE_SIZE - 1))
		return false;
	(void)snprintf(text, PHRASE_SIZE, "%s", json_string_value(v[0]));
	return true;
}

static bool put_vector(const json_t *const *v, enum language l, char *text)
{
	const char *name = json_string_value(v[0]);

	for (size_t i = 0; name && i < vector_count(); i++) {
		const struct vector *vector = vector_get((uint8_t)i);

		if (strcmp(vector->name, name) != 0 || i == VECTOR_NONE)
			continue;
		for (size_t k = 0; k < sizeof(classes) / sizeof(classes[0]); k++)
			if (classes[k].class == vector->class)
				(void)snprintf(text, PHRASE_SIZE, "%s", classes[k].words[l]);
		return true;
	}
	return false;
}

static bool put_known(const char *list, const json_t *value, enum language l, char *text)
{
	const char *word = json_string_value(value);

	for (size_t i = 0; word && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].list, list) == 0 && strcmp(known[i].word, word) == 0) {
			(void)snprintf(text, PHRASE_SIZE, "%s", known[i].words[l]);
			return true;
		}
	return false;
}

#define KNOWN(name)                                                                 \
	static bool put_##name(const json_t *const *v, enum language l, char *text) \
	{                                                                           \
		return put_known(#name, v[0], l, text);                             \
	}
KNOWN(event)
KNOWN(cause)
KNOWN(verdict)
KNOWN(action)
KNOWN(belief)

static const struct format {
	const char *name;
	unsigned arguments;
	bool (*put)(const json_t *const *values, enum language language, char *text);
} formats[] = {
	{ "time", 1, put_time },         { "date", 1, put_date },           { "clock", 1, put_clock },
	{ "until", 2, put_until },       { "span", 2, put_span },           { "count", 1, put_count },
	{ "about", 1, put_about },       { "packets", 1, put_packets },     { "pps", 1, put_pps },
	{ "bits", 1, put_bits },         { "octets", 1, put_octets },       { "share_down", 1, put_share_down },
	{ "share_up", 1, put_share_up }, { "permyriad", 1, put_permyriad }, { "share_of", 2, put_share_of },
	{ "text", 1, put_text },         { "vector", 1, put_vector },       { "event", 1, put_event },
	{ "cause", 1, put_cause },       { "verdict", 1, put_verdict },     { "action", 1, put_action },
	{ "belief", 1, put_belief },
};

/* ---- patterns ---- */

/* What stands between braces. */
struct slot {
	const char *facts[ARGUMENTS_MAX];
	size_t lengths[ARGUMENTS_MAX];
	unsigned count;
	const struct format *format; /* NULL: one of two words */
	const char *one, *many;
	size_t one_length, many_length;
	const char *end; /* behind the brace */
};

static const struct format *format_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strlen(formats[i].name) == length && memcmp(formats[i].name, name, length) == 0)
			return &formats[i];
	return NULL;
}

/* `at` is behind the brace. */
static bool read_slot(const char *at, struct slot *slot)
{
	*slot = (struct slot){ .count = 0 };
	do {
		size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");

		if (length == 0 || length > STATEMENT_NAME_MAX || slot->count == ARGUMENTS_MAX)
			return false;
		slot->facts[slot->count] = at;
		slot->lengths[slot->count++] = length;
		at += length;
	} while (*at++ == ',');
	if (at[-1] == ':') {
		size_t length = strcspn(at, "}");

		slot->format = format_find(at, length);
		slot->end = at + length;
		if (!slot->format || slot->format->arguments != slot->count)
			return false;
	} else if (at[-1] == '?') {
		slot->one = at;
		slot->one_length = strcspn(at, "|}");
		at += slot->one_length;
		if (*at != '|' || slot->count != 1)
			return false;
		slot->many = at + 1;
		slot->many_length = strcspn(at + 1, "}");
		slot->end = slot->many + slot->many_length;
	} else {
		return false;
	}
	return *slot->end++ == '}';
}

bool statement_pattern_facts(const char *pattern, bool (*each)(void *context, const char *name, size_t length),
                             void *context)
{
	struct slot slot;

	while (*(pattern += strcspn(pattern, "{"))) {
		if (!read_slot(pattern + 1, &slot))
			return false;
		for (unsigned i = 0; i < slot.count; i++)
			if (!each(context, slot.facts[i], slot.lengths[i]))
				return false;
		pattern = slot.end;
	}
	return true;
}

static const json_t *value_of(const json_t *links, const char *name, size_t length)
{
	json_t *link;
	size_t i;

	json_array_foreach(links, i, link)
	{
		const char *fact = json_string_value(json_object_get(link, "fact"));

		if (fact && strlen(fact) == length && memcmp(fact, name, length) == 0)
			return json_object_get(link, "value");
	}
	return NULL;
}

static bool fill_slot(FILE *out, const struct slot *slot, const json_t *links, enum language language)
{
	const json_t *values[ARGUMENTS_MAX];
	char phrase[PHRASE_SIZE] = "";
	uint64_t n;

	for (unsigned i = 0; i < slot->count; i++) {
		values[i] = value_of(links, slot->facts[i], slot->lengths[i]);
		if (!values[i])
			return false;
	}
	if (slot->format)
		return slot->format->put(values, language, phrase) && fputs(phrase, out) != EOF;
	if (!statement_whole(values[0], &n))
		return false;
	/* In French none is one, too. */
	if (n == 1 || (n == 0 && language == LANGUAGE_FR))
		return fwrite(slot->one, 1, slot->one_length, out) == slot->one_length;
	return fwrite(slot->many, 1, slot->many_length, out) == slot->many_length;
}

/* Ties become what they are outside of this house. */
static char *without_ties(const char *text)
{
	size_t ties = 0;
	char *clean, *to;

	for (const char *at = text; *at; at++)
		ties += *at == WORDS_TIE[0];
	clean = malloc(strlen(text) + ties * (sizeof(NBSP) - 2) + 1);
	to = clean;
	for (const char *at = text; clean && *at; at++) {
		if (*at == WORDS_TIE[0]) {
			memcpy(to, NBSP, sizeof(NBSP) - 1);
			to += sizeof(NBSP) - 1;
		} else {
			*to++ = *at;
		}
	}
	if (clean)
		*to = '\0';
	return clean;
}

char *statement_fill(const char *pattern, const json_t *links, enum language language)
{
	char *text = NULL, *clean = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out != NULL;
	struct slot slot;

	while (good && *pattern) {
		size_t plain = strcspn(pattern, "{");

		good = fwrite(pattern, 1, plain, out) == plain;
		pattern += plain;
		if (!*pattern)
			break;
		good = good && read_slot(pattern + 1, &slot) && fill_slot(out, &slot, links, language);
		pattern = good ? slot.end : pattern;
	}
	if (out && fclose(out) != 0)
		good = false;
	if (good)
		clean = without_ties(text);
	free(text);
	return clean;
}
