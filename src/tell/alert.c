/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/alert.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "detect/incident_id.h"
#include "tell/build.h"
#include "tell/words.h"

#define SCHEMA "holdfast.alert/1"
#define CLIENT "Holdfast"
#define MINUTE_NS (60 * NS_PER_S)
#define PAGERDUTY_SUMMARY_MAX 1024 /* characters; alert_summary() makes no longer one */
#define FIRING_NS \
	(24 * 3600 * NS_PER_S) /* for Alertmanager an alert ends by itself unless it is told until when it holds */
#define SCRIPT_TEST_TARGET "192.0.2.1"

_Static_assert(ALERT_TEXT_SIZE <= PAGERDUTY_SUMMARY_MAX, "PagerDuty refuses longer ones");

static const struct change {
	const char *name;
	bool opens, closes;
} changes[ALERT_CHANGES] = {
	[ALERT_BEGAN] = { "began", true, false },         [ALERT_WORSE] = { "worse", true, false },
	[ALERT_ENDED] = { "ended", false, true },         [ALERT_LINK_FULL] = { "link_full", true, false },
	[ALERT_LINK_FREE] = { "link_free", false, true }, [ALERT_STANDING] = { "standing", true, false },
	[ALERT_TEST] = { "test", false, false },
};

const char *alert_change_name(enum alert_change change)
{
	return (unsigned)change < ALERT_CHANGES ? changes[change].name : "unknown";
}

bool alert_change_closes(enum alert_change change)
{
	return (unsigned)change < ALERT_CHANGES && changes[change].closes;
}

/* ---- texts ---- */

/* What can be shown, and is UTF-8; everything else is '?'. */
static const char *clean(const char *from, char *text, size_t size)
{
	size_t length = 0;

	while (*from && length < size - 1) {
		uint32_t code = 0;
		size_t octets = words_utf8(from, &code);

		if (octets == 0 || !words_is_printable(code)) {
			text[length++] = '?';
			from += octets ? octets : 1;
			continue;
		}
		if (length + octets > size - 1)
			break;
		memcpy(text + length, from, octets);
		length += octets;
		from += octets;
	}
	text[length] = '\0';
	return text;
}

bool alert_is_link(const struct alert *alert)
{
	return alert->change == ALERT_LINK_FULL || alert->change == ALERT_LINK_FREE;
}

const char *alert_key(const struct alert *alert, char text[ALERT_KEY_SIZE])
{
	if (alert->matter == ALERT_OF_CHECKS)
		(void)snprintf(text, ALERT_KEY_SIZE, "checks-%s", alert->service);
	else if (alert->matter == ALERT_OF_OUTAGE || alert->matter == ALERT_OF_STATEMENT)
		(void)snprintf(text, ALERT_KEY_SIZE, "%s-%" PRIu64,
		               alert->matter == ALERT_OF_OUTAGE ? "outage" : "statement", alert->incident);
	else if (alert->incident)
		incident_id_format(alert->incident, text);
	else
		(void)snprintf(text, ALERT_KEY_SIZE, "%s-%.49s", alert->change == ALERT_TEST ? "test" : "link",
		               alert->target);
	return text;
}

/* Nobody wraps lines here: ties are common spaces. */
static void untie(char *text)
{
	for (char *at = text; *at; at++)
		if (*at == WORDS_TIE[0])
			*at = ' ';
}

struct words {
	char host[ALERT_NAME_SIZE], service[ALERT_NAME_SIZE], target[PREFIX_TEXT_SIZE], vector[ALERT_NAME_SIZE];
	char advice[ALERT_ADVICE_SIZE], key[ALERT_KEY_SIZE], pps[WORDS_SIZE], bps[WORDS_SIZE], peak[WORDS_SIZE];
	char clock[WORDS_SIZE], lasted[WORDS_SIZE], passing[WORDS_SIZE];
	char what[PREFIX_TEXT_SIZE + ALERT_NAME_SIZE + 2]; /* "web 192.0.2.10" */
};

static void find_words(const struct alert *alert, struct words *w)
{
	(void)clean(alert->host, w->host, sizeof(w->host));
	(void)clean(alert->service, w->service, sizeof(w->service));
	(void)clean(alert->target, w->target, sizeof(w->target));
	(void)clean(alert->vector, w->vector, sizeof(w->vector));
	(void)clean(alert->advice, w->advice, sizeof(w->advice));
	(void)alert_key(alert, w->key);
	(void)words_scaled(alert->pps, "pps", w->pps);
	(void)words_scaled(alert->bps, "bit/s", w->bps);
	(void)words_scaled(alert->peak_pps, "pps", w->peak);
	(void)words_clock((struct capture_time){ alert->began_ns }, w->clock);
	(void)words_duration(alert->time_ns - alert->began_ns, w->lasted);
	(void)words_share_down(1000000 - (alert->passing_ppm < 1000000 ? alert->passing_ppm : 1000000), w->passing);
	untie(w->pps);
	untie(w->bps);
	untie(w->peak);
	untie(w->lasted);
	untie(w->passing);
	(void)snprintf(w->what, sizeof(w->what), "%s%s%s", w->service, *w->service ? " " : "", w->target);
}

static void write_outage(const struct alert *alert, const struct words *w, char text[ALERT_TEXT_SIZE])
{
	char word[ALERT_NAME_SIZE];

	(void)snprintf(word, sizeof(word), "%s", w->vector);
	for (char *at = word; *at; at++)
		if (*at == '_')
			*at = ' ';
	if (alert->change == ALERT_ENDED)
		(void)snprintf(text, ALERT_TEXT_SIZE, "Outage of %s is over: it lasted %s", w->what, w->lasted);
	else if (alert->change != ALERT_STANDING)
		(void)snprintf(text, ALERT_TEXT_SIZE, "Outage of %s%s: %s, since %s UTC", w->what,
		               alert->change == ALERT_WORSE ? " has changed" : "", *word ? word : "not known",
		               w->clock);
	else
		text[0] = '\0';
}

static void write_statement(const struct alert *alert, const struct words *w, char text[ALERT_TEXT_SIZE])
{
	if (alert->change == ALERT_ENDED)
		(void)snprintf(text, ALERT_TEXT_SIZE, "The update of %s was published", w->target);
	else if (alert->change != ALERT_STANDING)
		(void)snprintf(text, ALERT_TEXT_SIZE,
		               "An update of %s was due at %s UTC, and nothing has been published", w->target,
		               w->clock);
	else
		text[0] = '\0';
}

static void write_checks(const struct alert *alert, const struct words *w, char text[ALERT_TEXT_SIZE])
{
	if (alert->change == ALERT_ENDED)
		(void)snprintf(text, ALERT_TEXT_SIZE, "Checks of %s are good again from here: they failed for %s",
		               w->service, w->lasted);
	else if (alert->change != ALERT_STANDING)
		(void)snprintf(text, ALERT_TEXT_SIZE, "Checks of %s fail from here: %s, since %s UTC", w->service,
		               w->vector, w->clock);
	else
		text[0] = '\0';
}

static void write_attack(const struct alert *alert, const struct words *w, char text[ALERT_TEXT_SIZE])
{
	switch ((enum alert_change)alert->change) {
	case ALERT_BEGAN:
	case ALERT_WORSE:
		(void)snprintf(text, ALERT_TEXT_SIZE, "%s on %s: %s, %s, %s, since %s UTC; %s%s",
		               alert->change == ALERT_BEGAN ? "Attack" : "Attack grows", w->what,
		               *w->vector ? w->vector : "unnamed", w->pps, w->bps, w->clock,
		               alert->enforcing ? w->passing : "mode observe: nothing is dropped",
		               alert->enforcing ? " of it is dropped" : "");
		break;
	case ALERT_ENDED:
		(void)snprintf(text, ALERT_TEXT_SIZE, "Attack on %s is over: %s, lasted %s, at most %s", w->what,
		               *w->vector ? w->vector : "unnamed", w->lasted, w->peak);
		break;
	case ALERT_LINK_FULL:
		(void)snprintf(
			text, ALERT_TEXT_SIZE,
			"Link %s is full (%s, %s): packets are lost before they can be filtered; only upstream can help",
			w->target, w->pps, w->bps);
		break;
	case ALERT_LINK_FREE:
		(void)snprintf(text, ALERT_TEXT_SIZE, "Link %s is no longer full", w->target);
		break;
	case ALERT_TEST:
		(void)snprintf(text, ALERT_TEXT_SIZE, "Test of alerts to %s: nothing is wrong", w->target);
		break;
	case ALERT_STANDING: /* told to nobody */
	case ALERT_CHANGES:
	default:
		text[0] = '\0';
		break;
	}
}

static void write_summary(const struct alert *alert, const struct words *w, char text[ALERT_TEXT_SIZE])
{
	if (alert->matter == ALERT_OF_CHECKS)
		write_checks(alert, w, text);
	else if (alert->matter == ALERT_OF_OUTAGE)
		write_outage(alert, w, text);
	else if (alert->matter == ALERT_OF_STATEMENT)
		write_statement(alert, w, text);
	else
		write_attack(alert, w, text);
}

const char *alert_summary(const struct alert *alert, char text[ALERT_TEXT_SIZE])
{
	struct words w;

	find_words(alert, &w);
	write_summary(alert, &w, text);
	return text;
}

/* ---- bodies ---- */

struct body {
	struct build build;
	const struct alert_target *target;
	const struct alert *alert;
	const char *key;
	struct words words;
	char summary[ALERT_TEXT_SIZE];
	struct alert_request *request;
};

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

/* Those of checks that fail. */
static json_t *checks_json(struct body *body)
{
	const struct alert *alert = body->alert;
	json_t *facts = json_object();

	build_set(&body->build, facts, "change", json_string(alert_change_name((enum alert_change)alert->change)));
	build_set(&body->build, facts, "component", json_string(body->words.service));
	build_set(&body->build, facts, "failing", text_or_null(body->words.vector));
	build_set(&body->build, facts, "began", build_time(alert->began_ns));
	build_set(&body->build, facts, "time", build_time(alert->time_ns));
	build_set(&body->build, facts, "advice", text_or_null(body->words.advice));
	return facts;
}

/* Those of an outage, or of a statement that is due. */
static json_t *word_json(struct body *body)
{
	const struct alert *alert = body->alert;
	bool outage = alert->matter == ALERT_OF_OUTAGE;
	json_t *facts = json_object();

	build_set(&body->build, facts, "change", json_string(alert_change_name((enum alert_change)alert->change)));
	build_set(&body->build, facts, outage ? "outage" : "statement", json_string(body->words.target));
	build_set(&body->build, facts, "component", text_or_null(body->words.service));
	if (outage)
		build_set(&body->build, facts, "published", text_or_null(body->words.vector));
	build_set(&body->build, facts, outage ? "began" : "due", build_time(alert->began_ns));
	build_set(&body->build, facts, "time", build_time(alert->time_ns));
	build_set(&body->build, facts, "advice", text_or_null(body->words.advice));
	return facts;
}

/* The facts, by our own names. */
static json_t *attack_json(struct body *body)
{
	const struct alert *alert = body->alert;
	const struct words *w = &body->words;
	json_t *facts = json_object();
	char id[ALERT_KEY_SIZE];

	build_set(&body->build, facts, "change", json_string(alert_change_name((enum alert_change)alert->change)));
	build_set(&body->build, facts, "incident", alert->incident ? json_string(alert_key(alert, id)) : json_null());
	build_set(&body->build, facts, "service", text_or_null(w->service));
	build_set(&body->build, facts, "target", text_or_null(w->target));
	build_set(&body->build, facts, "vector", text_or_null(w->vector));
	build_set(&body->build, facts, "pps", build_integer(alert->pps));
	build_set(&body->build, facts, "bps", build_integer(alert->bps));
	build_set(&body->build, facts, "peak_pps", build_integer(alert->peak_pps));
	build_set(&body->build, facts, "passing_ppm", build_integer(alert->passing_ppm));
	build_set(&body->build, facts, "mode", json_string(alert->enforcing ? "enforce" : "observe"));
	build_set(&body->build, facts, "began", build_time(alert->began_ns));
	build_set(&body->build, facts, "time", build_time(alert->time_ns));
	build_set(&body->build, facts, "advice", text_or_null(w->advice));
	return facts;
}

static json_t *facts_json(struct body *body)
{
	static json_t *(*const facts[ALERT_MATTERS])(struct body *) = {
		[ALERT_OF_ATTACK] = attack_json,
		[ALERT_OF_OUTAGE] = word_json,
		[ALERT_OF_STATEMENT] = word_json,
		[ALERT_OF_CHECKS] = checks_json,
	};

	return facts[body->alert->matter](body);
}

static json_t *webhook_body(struct body *body)
{
	json_t *facts = facts_json(body), *object = json_object();

	build_set(&body->build, object, "schema", json_string(SCHEMA));
	build_set(&body->build, object, "host", json_string(body->words.host));
	build_set(&body->build, object, "key", json_string(body->words.key));
	build_set(&body->build, object, "summary", json_string(body->summary));
	build_set(&body->build, object, "alert", facts);
	return object;
}

static const char *severity(const struct alert *alert)
{
	return alert->change == ALERT_TEST ? "info" : "critical";
}

static json_t *pagerduty_body(struct body *body)
{
	const struct alert *alert = body->alert;
	json_t *object = json_object();

	build_set(&body->build, object, "routing_key", json_string(body->key));
	build_set(&body->build, object, "dedup_key", json_string(body->words.key));
	build_set(&body->build, object, "client", json_string(CLIENT));
	build_set(&body->build, object, "event_action",
	          json_string(changes[alert->change].closes ? "resolve" : "trigger"));
	if (!changes[alert->change].closes) {
		json_t *payload = json_object();

		build_set(&body->build, payload, "summary", json_string(body->summary));
		build_set(&body->build, payload, "source", json_string(body->words.host));
		build_set(&body->build, payload, "severity", json_string(severity(alert)));
		build_set(&body->build, payload, "timestamp", build_time(alert->time_ns));
		build_set(&body->build, payload, "component", json_string(body->words.what));
		build_set(&body->build, payload, "class",
		          json_string(*body->words.vector ? body->words.vector
		                                          : alert_change_name((enum alert_change)alert->change)));
		build_set(&body->build, payload, "custom_details", facts_json(body));
		build_set(&body->build, object, "payload", payload);
	}
	return object;
}

/* The sentence, what to do about it, and whence it comes. */
static void add_lines(const struct body *body, char *text, size_t size)
{
	static const char *const commands[ALERT_MATTERS] = { ": holdfast incident ", ": holdfast outage show ",
		                                             ": holdfast statement show ", "" };
	const struct words *w = &body->words;
	const struct alert *alert = body->alert;

	(void)snprintf(text, size, "%s%s%s\n%s%s%s", body->summary, *w->advice ? "\n" : "", w->advice, w->host,
	               alert->incident ? commands[alert->matter] : "",
	               !alert->incident                   ? ""
	               : alert->matter == ALERT_OF_ATTACK ? w->key
	                                                  : w->target);
}

#define LINES_SIZE (ALERT_TEXT_SIZE + ALERT_ADVICE_SIZE + ALERT_NAME_SIZE + ALERT_KEY_SIZE + 32)

/* Slack's own marks begin with these; links and mentions cannot be made without them. */
static void escape_for_slack(const char *from, char *text, size_t size)
{
	size_t length = 0;

	for (; *from && length + sizeof("&amp;") < size; from++) {
		const char *as = *from == '&' ? "&amp;" : *from == '<' ? "&lt;" : *from == '>' ? "&gt;" : NULL;

		length += as ? (size_t)snprintf(text + length, size - length, "%s", as) : 1;
		if (!as)
			text[length - 1] = *from;
	}
	text[length] = '\0';
}

static json_t *slack_body(struct body *body)
{
	char lines[LINES_SIZE], escaped[LINES_SIZE * 2];
	json_t *object = json_object();

	add_lines(body, lines, sizeof(lines));
	escape_for_slack(lines, escaped, sizeof(escaped));
	build_set(&body->build, object, "text", json_string(escaped));
	return object;
}

static json_t *telegram_body(struct body *body)
{
	json_t *object = json_object();
	char lines[LINES_SIZE];

	add_lines(body, lines, sizeof(lines));
	build_set(&body->build, object, "chat_id", json_string(body->target->chat));
	build_set(&body->build, object, "text", json_string(lines)); /* no parse_mode: plain text */
	build_set(&body->build, object, "disable_web_page_preview", json_true());
	return object;
}

/* Labels are what Alertmanager knows an alert by: they are the same from the beginning to the end. */
static json_t *alertmanager_body(struct body *body)
{
	const struct alert *alert = body->alert;
	json_t *list = json_array(), *item = json_object(), *labels = json_object(), *annotations = json_object();

	build_set(&body->build, labels, "alertname",
	          json_string(alert->matter == ALERT_OF_OUTAGE      ? "HoldfastOutage"
	                      : alert->matter == ALERT_OF_STATEMENT ? "HoldfastStatementDue"
	                      : alert->matter == ALERT_OF_CHECKS    ? "HoldfastChecksFail"
	                      : alert->incident                     ? "HoldfastAttack"
	                      : alert_is_link(alert)                ? "HoldfastLinkFull"
	                                                            : "HoldfastTest"));
	build_set(&body->build, labels, alert->incident && alert->matter == ALERT_OF_ATTACK ? "incident" : "key",
	          json_string(body->words.key));
	build_set(&body->build, labels, "severity", json_string(severity(alert)));
	build_set(&body->build, labels, "instance", json_string(body->words.host));
	if (*body->words.service)
		build_set(&body->build, labels, "service", json_string(body->words.service));
	build_set(&body->build, annotations, "summary", json_string(body->summary));
	build_set(&body->build, annotations, "target", json_string(body->words.target));
	if (*body->words.vector && alert->matter == ALERT_OF_ATTACK)
		build_set(&body->build, annotations, "vector", json_string(body->words.vector));
	if (*body->words.advice)
		build_set(&body->build, annotations, "description", json_string(body->words.advice));
	build_set(&body->build, item, "labels", labels);
	build_set(&body->build, item, "annotations", annotations);
	build_set(&body->build, item, "startsAt", build_time(alert->began_ns));
	build_set(&body->build, item, "endsAt",
	          build_time(alert->change == ALERT_TEST     ? alert->time_ns + MINUTE_NS
	                     : changes[alert->change].closes ? alert->time_ns
	                                                     : alert->time_ns + FIRING_NS));
	build_append(&body->build, list, item);
	return list;
}

/* ---- types ---- */

/* clang-format off */
static const struct type {
	const char *name;
	const char *url;  /* where none is said; NULL: one must be */
	const char *path; /* behind it */
	bool takes_url, wants_key, may_have_key;
	json_t *(*body)(struct body *body);
} types[ALERT_TYPES] = {
	[ALERT_PAGERDUTY]    = { "pagerduty", "https://events.pagerduty.com", "/v2/enqueue", true, true, true, pagerduty_body },
	[ALERT_SLACK]        = { "slack", "", "", false, true, true, slack_body }, /* the URL is the key */
	[ALERT_TELEGRAM]     = { "telegram", "https://api.telegram.org", "", true, true, true, telegram_body },
	[ALERT_ALERTMANAGER] = { "alertmanager", NULL, "/api/v2/alerts", true, false, true, alertmanager_body },
	[ALERT_WEBHOOK]      = { "webhook", NULL, "", true, false, true, webhook_body },
	[ALERT_SCRIPT]       = { "script", "", "", false, false, false, NULL },
};
/* clang-format on */

const char *alert_type_name(enum alert_type type)
{
	return (unsigned)type < ALERT_TYPES ? types[type].name : "unknown";
}

int alert_type_parse(const char *text, enum alert_type *type)
{
	for (unsigned i = 0; i < ALERT_TYPES; i++)
		if (strcmp(types[i].name, text) == 0) {
			*type = (enum alert_type)i;
			return 0;
		}
	return -EINVAL;
}

bool alert_type_wants_key(enum alert_type type)
{
	return types[type].wants_key;
}

bool alert_type_takes_key(enum alert_type type)
{
	return types[type].may_have_key;
}

bool alert_type_wants_url(enum alert_type type)
{
	return !types[type].url;
}

bool alert_type_takes_url(enum alert_type type)
{
	return types[type].takes_url;
}

/* ---- addresses ---- */

static const char *host_of(const char *url)
{
	static const char *const schemes[] = { "https://", "http://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url + strlen(schemes[i]);
	return NULL;
}

/* Nothing in it that could become a header, a second line, or another host for whom else reads it. */
bool alert_url_is_good(const char *url)
{
	const char *host = host_of(url);
	size_t length = host ? strcspn(host, "/?#") : 0;

	if (length == 0 || memchr(host, '@', length))
		return false;
	for (const char *at = url; *at; at++)
		if (*at <= ' ' || *at >= '\177' || strchr("\"<>\\^`{|}", *at))
			return false;
	return true;
}

bool alert_url_is_safe(const char *url)
{
	static const char *const own[] = { "127.0.0.1", "localhost", "[::1]" };
	const char *host = host_of(url);

	if (!alert_url_is_good(url))
		return false;
	if (strncmp(url, "https:", strlen("https:")) == 0)
		return true;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		size_t length = strlen(own[i]);

		if (strncmp(host, own[i], length) == 0 && strchr(":/?#", host[length])) /* or its end */
			return true;
	}
	return false;
}

/* A key goes into a header, a path or a text: letters, digits and what such keys have beside them. */
static bool is_key(const char *key)
{
	for (; *key; key++)
		if (*key <= ' ' || *key >= '\177' || strchr("/\\\"?#%<>", *key))
			return false;
	return true;
}

static int find_url(const struct body *body, struct alert_request *request)
{
	const struct type *type = &types[body->target->type];
	const char *url = *body->target->url ? body->target->url : type->url;
	const char *key = body->key;
	size_t length;
	int written;

	if (body->target->type == ALERT_SLACK) {
		if (!alert_url_is_safe(key))
			return -EINVAL;
		(void)snprintf(request->url, sizeof(request->url), "%s", key);
		return 0;
	}
	if ((type->wants_key && !*key) || !is_key(key) || !url || !alert_url_is_good(url) ||
	    (*key && !alert_url_is_safe(url)))
		return -EINVAL;
	length = strlen(url);
	/* What a path is put behind ends without a slash of its own. */
	while ((*type->path || body->target->type == ALERT_TELEGRAM) && length && url[length - 1] == '/')
		length--;
	if (body->target->type == ALERT_TELEGRAM)
		written = snprintf(request->url, sizeof(request->url), "%.*s/bot%s/sendMessage", (int)length, url, key);
	else
		written = snprintf(request->url, sizeof(request->url), "%.*s%s", (int)length, url, type->path);
	if (*key && (body->target->type == ALERT_WEBHOOK || body->target->type == ALERT_ALERTMANAGER))
		(void)snprintf(request->authorization, sizeof(request->authorization), "Authorization: Bearer %s", key);
	return written > 0 && (size_t)written < sizeof(request->url) ? 0 : -EINVAL;
}

/* ---- FastNetMon's notify script ---- */

/*
 * It knows that an address is under attack and that it no longer is. Of what has become worse, and of links, it is told
 * nothing, nor of outages, statements and checks. A test is neither a ban nor its end.
 */
static int script_request(const struct body *body, struct alert_request *request)
{
	static const char *const words[ALERT_CHANGES] = {
		[ALERT_BEGAN] = "ban", [ALERT_ENDED] = "unban", [ALERT_TEST] = "test"
	};
	const struct alert *alert = body->alert;
	const struct words *w = &body->words;
	const char *word = words[alert->change];
	int length;

	if (!word || alert->matter != ALERT_OF_ATTACK)
		return -ENOENT;
	(void)snprintf(request->arguments[0], PREFIX_TEXT_SIZE, "%s",
	               alert->change == ALERT_TEST ? SCRIPT_TEST_TARGET : w->target);
	(void)snprintf(request->arguments[1], PREFIX_TEXT_SIZE, "incoming");
	(void)snprintf(request->arguments[2], PREFIX_TEXT_SIZE, "%" PRIu64,
	               alert->change == ALERT_ENDED ? alert->peak_pps : alert->pps);
	(void)snprintf(request->arguments[3], PREFIX_TEXT_SIZE, "%s", word);
	length = asprintf(&request->body,
	                  "%s\n\nIP: %s\nService: %s\nAttack type: %s\nAttack direction: incoming\nIncident: %s\n"
	                  "Total incoming pps: %" PRIu64 "\nTotal incoming bps: %" PRIu64 "\nPeak pps: %" PRIu64
	                  "\nHost: %s\n",
	                  body->summary, request->arguments[0], *w->service ? w->service : "none",
	                  *w->vector ? w->vector : "unknown", w->key, alert->pps, alert->bps, alert->peak_pps, w->host);
	if (length < 0) {
		request->body = NULL;
		return -ENOMEM;
	}
	request->length = (size_t)length;
	return 0;
}

int alert_request(const struct alert_target *target, const char *key, const struct alert *alert,
                  struct alert_request *request)
{
	struct body body = { .target = target, .alert = alert, .key = key };
	struct alert_request made = { .body = NULL };
	json_t *json;
	int result;

	if (target->type >= ALERT_TYPES || alert->change >= ALERT_CHANGES || alert->matter >= ALERT_MATTERS)
		return -EINVAL;
	find_words(alert, &body.words);
	write_summary(alert, &body.words, body.summary);
	if (target->type == ALERT_SCRIPT) {
		result = script_request(&body, &made);
	} else {
		result = find_url(&body, &made);
		if (result != 0)
			return result;
		json = types[target->type].body(&body);
		made.body = body.build.failed ? NULL : json_dumps(json, JSON_COMPACT);
		json_decref(json);
		result = made.body ? 0 : -ENOMEM;
		made.length = made.body ? strlen(made.body) : 0;
	}
	if (result == 0)
		*request = made;
	return result;
}

void alert_request_fini(struct alert_request *request)
{
	free(request->body);
	memset(request, 0, sizeof(*request)); /* there were keys in it */
}
