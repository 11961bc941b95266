/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/incident_page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/share.h"
#include "base/time.h"
#include "cli/command.h"
#include "tell/facts.h"
#include "cli/rules_page.h"
#include "cli/say.h"
#include "tell/analysis.h"
#include "tell/series.h"
#include "tell/trace_json.h"

#define INDENT 2
#define HANG 4
#define WAVES_SHOWN 8
#define RULES_SHOWN 16

const char *incident_page_state(enum archive_state state)
{
	static const char *const words[ARCHIVE_STATES] = { "going on", "over", "", "its end was not seen" };

	return (unsigned)state < ARCHIVE_STATES ? words[state] : "";
}

const char *incident_page_lasted(const struct archive_incident *incident, struct capture_time now,
                                 char text[WORDS_SIZE])
{
	struct capture_time began = { incident->began_ns }, ended = { incident->ended_ns };

	text[0] = '\0';
	if (incident->ended_ns == 0 && incident->state != ARCHIVE_OPEN)
		return text;
	return words_duration(time_since(incident->ended_ns ? ended : now, began), text);
}

/* ---- pieces ---- */

static void bullet(const struct paper *paper, const char *text)
{
	struct draft d = { .length = 0 };

	draft_add(&d, "%s %s", paper->unicode ? "\u2022" : "*", text);
	paper_text(paper, INDENT, HANG, d.text);
}

/* A share of 0 to 1 as parts per million; nothing else is a share. */
static uint64_t ppm_of(const json_t *object, const char *key)
{
	double share = json_number_value(json_object_get(object, key));

	return share > 0 ? share < 1 ? (uint64_t)(share * PPM + 0.5) : PPM : 0;
}

static const char *clock_of(const json_t *object, const char *key, char text[WORDS_SIZE])
{
	struct capture_time time;

	return fact_time(object, key, &time) ? words_clock(time, text) : "?";
}

/* That one, of all that its generation found; the first where none has its id. */
static const json_t *find_incident(const json_t *analysis, uint64_t id)
{
	const json_t *found = analysis_json_find(analysis, id);

	return found ? found : json_array_get(json_object_get(analysis, "incidents"), 0);
}

/* ---- what, when, how large ---- */

static void write_headline(const struct paper *paper, const struct archive_incident *head, const json_t *incident,
                           struct capture_time now)
{
	const json_t *vectors = json_object_get(incident, "vectors");
	const char *title = fact_text(json_array_get(vectors, 0), "title");
	char pps[WORDS_SIZE], bps[WORDS_SIZE], at[WORDS_SIZE], lasted[WORDS_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, RED "ATTACK" PLAIN "  " BOLD "%s%s%s" PLAIN "  " BOLD "%s" PLAIN, head->service,
	          head->service[0] ? " " : "", head->target, *title ? title : head->vector);
	if (json_array_size(vectors) > 1)
		draft_add(&d, " and %zu more", json_array_size(vectors) - 1);
	paper_text(paper, 0, INDENT, d.text);
	d.length = 0;
	draft_add(&d, "Began %s UTC", words_date_time((struct capture_time){ head->began_ns }, at));
	if (head->state == ARCHIVE_OPEN)
		draft_add(&d, ", " RED "going on" PLAIN);
	else if (head->state == ARCHIVE_LEFT)
		draft_add(&d, ", " YELLOW "its end was not seen: the daemon ended before it" PLAIN);
	if (*incident_page_lasted(head, now, lasted))
		draft_add(&d, ", %s %s", head->state == ARCHIVE_OPEN ? "for" : "lasted", lasted);
	draft_add(&d, "; peak " BOLD "%s" PLAIN ", " BOLD "%s" PLAIN, words_scaled(head->peak_pps, "pps", pps),
	          words_scaled(head->peak_bps, "bit/s", bps));
	if (json_is_integer(json_object_get(incident, "detection_delay_ms")))
		draft_add(&d, "; seen %s after its first packet",
		          words_duration((int64_t)fact_count(incident, "detection_delay_ms") * NS_PER_MS, lasted));
	draft_add(&d, ".");
	paper_text(paper, 0, 0, d.text);
	d.length = 0;
	draft_add(&d, "In all %s packets", words_count(fact_count(incident, "packets"), pps));
	draft_add(&d, ", %s. ID %016" PRIx64, words_scaled(fact_count(incident, "bytes"), "B", bps), head->id);
	paper_text(paper, 0, 0, d.text);
}

static void write_waves(const struct paper *paper, const json_t *incident)
{
	const json_t *waves = json_object_get(incident, "waves"), *wave;
	char began[WORDS_SIZE], ended[WORDS_SIZE], pps[WORDS_SIZE], bps[WORDS_SIZE];
	struct draft d = { .length = 0 };
	size_t i;

	if (json_array_size(waves) < 2) /* the one is the incident */
		return;
	paper_heading(paper, "WAVES");
	json_array_foreach(waves, i, wave)
	{
		if (i == WAVES_SHOWN)
			break;
		d.length = 0;
		draft_add(&d, "%2zu  %s to %s  peak %s, %s", i + 1, clock_of(wave, "began", began),
		          json_is_null(json_object_get(wave, "ended")) ? "now" : clock_of(wave, "ended", ended),
		          words_scaled(fact_count(wave, "peak_pps"), "pps", pps),
		          words_scaled(fact_count(wave, "peak_bps"), "bit/s", bps));
		paper_text(paper, INDENT, INDENT + HANG, d.text);
	}
	if (json_array_size(waves) <= WAVES_SHOWN)
		return;
	d.length = 0;
	draft_add(&d, "and %zu more", json_array_size(waves) - WAVES_SHOWN);
	paper_text(paper, INDENT, INDENT, d.text);
}

static void write_vectors(const struct paper *paper, const json_t *incident)
{
	const json_t *vectors = json_object_get(incident, "vectors"), *vector;
	char share[WORDS_SIZE];
	size_t i;

	paper_heading(paper, "WHAT IT IS");
	json_array_foreach(vectors, i, vector)
	{
		struct draft d = { .length = 0 };

		draft_add(&d, "%s" WORDS_TIE "of the packets: " BOLD "%s" PLAIN ". %s",
		          words_share_down(ppm_of(vector, "share"), share), fact_text(vector, "title"),
		          fact_text(vector, "explanation"));
		bullet(paper, d.text);
	}
}

static void write_sources(const struct paper *paper, const json_t *incident)
{
	const json_t *sources = json_object_get(incident, "sources"), *spoofing = json_object_get(sources, "spoofing");
	const json_t *reasons = json_object_get(spoofing, "reasons"), *reason;
	const char *verdict = fact_text(spoofing, "verdict");
	char count[WORDS_SIZE];
	struct draft d = { .length = 0 };
	size_t i;

	paper_heading(paper, "SOURCES");
	draft_add(&d, "About " BOLD "%s" PLAIN " addresses", words_count(fact_count(sources, "estimate"), count));
	if (*verdict)
		draft_add(&d, ": %s", verdict);
	paper_text(paper, INDENT, INDENT, d.text);
	json_array_foreach(reasons, i, reason)
	{
		if (json_is_string(reason))
			bullet(paper, json_string_value(reason));
	}
}

/* ---- what is done about it, what that costs ---- */

static bool stands(const json_t *rule)
{
	const char *state = fact_text(rule, "state");

	return strcmp(state, "enforced") == 0 || strcmp(state, "armed") == 0 || strcmp(state, "shadow") == 0;
}

static void write_rule(const struct paper *paper, const json_t *rule)
{
	const json_t *packets = json_object_get(rule, "packets");
	const char *id = fact_text(rule, "id"), *why = fact_text(rule, "why");
	char text[WORDS_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, BOLD "%s" PLAIN "  %s, %s", *id ? id : "(none)", fact_text(rule, "action"),
	          fact_text(rule, "state"));
	if (*why)
		draft_add(&d, ": %s", why);
	paper_text(paper, INDENT, INDENT + HANG, d.text);
	d.length = 0;
	draft_add(&d, "%s to %s", fact_text(rule, "match"), fact_text(rule, "scope"));
	rules_page_add_sources(&d, rule);
	paper_line(paper, INDENT + HANG, d.text); /* unbroken: it is to be copied */
	d.length = 0;
	if (json_is_true(json_object_get(rule, "fallback")) && strcmp(why, fact_text(rule, "reason")) != 0)
		paper_text(paper, INDENT + HANG, INDENT + HANG, fact_text(rule, "reason"));
	draft_add(&d, "matched %s", words_count(fact_count(packets, "matched"), text));
	draft_add(&d, ", dropped %s", words_count(fact_count(packets, "dropped"), text));
	draft_add(&d, "; of answered conversations it hit %s", words_count(fact_count(packets, "answered"), text));
	draft_add(&d, " and spared %s", words_count(fact_count(packets, "spared"), text));
	if (fact_count(packets, "known") || fact_count(packets, "known_lost")) {
		draft_add(&d, "; of known sources %s passed", words_count(fact_count(packets, "known"), text));
		draft_add(&d, " and %s did not", words_count(fact_count(packets, "known_lost"), text));
	}
	draft_add(&d, "; of %s let through to see,", words_count(fact_count(packets, "probes"), text));
	draft_add(&d, " %s completed a handshake", words_count(fact_count(packets, "completed"), text));
	paper_text(paper, INDENT + HANG, INDENT + HANG, d.text);
}

static void write_rules(const struct paper *paper, const json_t *rules)
{
	struct draft d = { .length = 0 };
	const json_t *rule;
	size_t i;

	paper_heading(paper, "RULES");
	if (json_array_size(rules) == 0)
		paper_text(paper, INDENT, INDENT, "None was made.");
	json_array_foreach(rules, i, rule)
	{
		if (i == RULES_SHOWN)
			break;
		write_rule(paper, rule);
	}
	if (json_array_size(rules) > RULES_SHOWN) {
		draft_add(&d, "and %zu more; --json has them all", json_array_size(rules) - RULES_SHOWN);
		paper_text(paper, INDENT, INDENT, d.text);
	}
}

/* Of packets that belonged to conversations the host had answered: what rules took. */
static void write_users(const struct paper *paper, const struct archive_incident *head, const json_t *live)
{
	const json_t *rules = json_object_get(live, "rules");
	struct capture_time began = { head->began_ns }, ended = { head->ended_ns ? head->ended_ns : INT64_MAX };
	struct series *series = malloc(sizeof(*series));
	uint64_t hit = 0, spared = 0, completed = 0;
	char text[WORDS_SIZE];
	struct draft measured = { .length = 0 };
	struct draft d = { .length = 0 };
	const json_t *rule;
	size_t i;

	if (series && series_read(json_object_get(live, "series"), series))
		series_say(series, began, ended, &measured);
	free(series);
	if (json_array_size(rules) == 0 && measured.length == 0)
		return;
	json_array_foreach(rules, i, rule)
	{
		const json_t *packets = json_object_get(rule, "packets");

		hit += fact_count(packets, "answered");
		spared += fact_count(packets, "spared");
		completed += fact_count(packets, "completed");
	}
	paper_heading(paper, "USERS");
	if (measured.length)
		paper_text(paper, INDENT, INDENT, measured.text);
	if (json_array_size(rules) == 0)
		return;
	if (hit <= spared)
		draft_add(&d, GREEN "The shield saw these rules drop no packet of an answered conversation." PLAIN);
	else
		draft_add(&d, YELLOW "%s packets of answered conversations were dropped" PLAIN ", %s",
		          words_count(hit - spared, text), "unless the mode was observe.");
	if (completed)
		draft_add(&d, " %s of those let through to see were users, who completed a handshake.",
		          words_count(completed, text));
	paper_text(paper, INDENT, INDENT, d.text);
}

/* ---- what to do ---- */

static void write_signatures(const struct paper *paper, const json_t *incident)
{
	const json_t *signatures = json_object_get(incident, "signatures"), *signature;
	char share[WORDS_SIZE];
	size_t i;

	json_array_foreach(signatures, i, signature)
	{
		const char *reason = fact_text(signature, "reason");
		struct draft d = { .length = 0 };

		draft_add(&d, BOLD "%s" PLAIN "  %s", fact_text(signature, "action"), fact_text(signature, "match"));
		paper_line(paper, INDENT, d.text);
		d.length = 0;
		draft_add(&d, "catches %s of it", words_share_down(ppm_of(signature, "coverage"), share));
		if (json_is_number(json_object_get(signature, "false_positive_bound")))
			draft_add(&d, "; costs at most %s of normal packets",
			          words_share_up(ppm_of(signature, "false_positive_bound"), share));
		else
			draft_add(&d, "; what it costs is not known");
		draft_add(&d, "%s%s", *reason ? ": " : "", reason);
		paper_text(paper, INDENT + HANG, INDENT + HANG, d.text);
	}
}

static void write_actions(const struct paper *paper, const struct archive_incident *head, const json_t *incident,
                          const json_t *rules, bool has_stream)
{
	const char *advice = fact_text(incident, "advice");
	bool is_open = head->state == ARCHIVE_OPEN;
	struct draft d = { .length = 0 };
	const json_t *rule;
	size_t i;

	paper_heading(paper, "WHAT STOPS IT");
	write_signatures(paper, incident);
	if (*advice)
		paper_text(paper, INDENT, INDENT, advice);
	else if (json_array_size(json_object_get(incident, "signatures")) == 0)
		paper_text(paper, INDENT, INDENT, "Nothing was found that would.");
	paper_heading(paper, "WHAT TO DO");
	if (is_open)
		paper_line(paper, INDENT, "NOW   holdfast status --watch");
	json_array_foreach(rules, i, rule)
	{
		if (!is_open || !stands(rule) || !*fact_text(rule, "id"))
			continue;
		d.length = 0;
		draft_add(&d, "UNDO  holdfast release %s", fact_text(rule, "id"));
		paper_line(paper, INDENT, d.text);
	}
	if (!is_open)
		paper_line(paper, INDENT, "What is still in force, and how to undo it: holdfast rules");
	d.length = 0;
	if (has_stream)
		draft_add(&d, "MORE  holdfast report %016" PRIx64 " --html report.html", head->id);
	else
		draft_add(&d, "Its stream is not kept: there can be no report of it, only this.");
	paper_line(paper, INDENT, d.text);
}

/* ---- where it came from, and what was claimed ---- */

static int write_trace(const struct paper *paper, const struct archive_incident *head, const json_t *incident,
                       const struct claims *claims)
{
	const json_t *json = json_object_get(incident, "trace");
	const struct analysis_claim *told = NULL;
	size_t count = claims_about(claims, head->id, &told);
	struct trace *trace = json_is_object(json) ? malloc(sizeof(*trace)) : NULL;
	char error[TRACE_JSON_ERROR_SIZE];
	int result = trace ? trace_json_read(json, trace, error) : -ENOENT;

	if (result == 0) {
		result = page_write_trace(paper, trace, told, count);
		trace_fini(trace);
		if (result != 0)
			say_error("incident", "%s; free some memory", strerror(-result));
	} else if (trace) {
		say_error("incident", "its trace cannot be read: %s; 'holdfast report' makes it anew", error);
	} else if (count || json_is_object(json)) {
		say_error("incident", json_is_object(json) ? "out of memory; free some"
		                                           : "no trace of it was recorded, on which claims could be "
		                                             "tested; 'holdfast claim list' has them");
	}
	free(trace);
	return result == 0 || result == -ENOENT ? COMMAND_DONE : COMMAND_BAD;
}

int incident_page_write(const struct paper *paper, const struct archive_incident *head, const json_t *analysis,
                        bool has_stream, struct capture_time now, const struct claims *claims)
{
	const json_t *incident = find_incident(analysis, head->id);
	const json_t *rules = json_object_get(json_object_get(analysis, "live"), "rules");
	int status;

	write_headline(paper, head, incident, now);
	write_vectors(paper, incident);
	write_waves(paper, incident);
	write_sources(paper, incident);
	status = write_trace(paper, head, incident, claims);
	write_rules(paper, rules);
	write_users(paper, head, json_object_get(analysis, "live"));
	write_actions(paper, head, incident, rules, has_stream);
	return status;
}
