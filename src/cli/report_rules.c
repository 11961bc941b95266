/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/prefix.h"
#include "cli/say.h"
#include "defend/match.h"
#include "defend/rule.h"
#include "tell/analysis.h"

#define REPORT_SIZE_MAX ((size_t)256 << 20) /* octets of a report; more is refused */
#define PLACE_SIZE 64                       /* "incidents[12].signatures[3].match" */
#define WHAT_SIZE 200

struct source {
	FILE *file;
	size_t total;
	int error;
	bool too_long;
};

static size_t source_read(void *buffer, size_t length, void *data)
{
	struct source *source = data;
	size_t got = fread(buffer, 1, length, source->file);

	if (got == 0 && ferror(source->file)) {
		source->error = errno;
		return (size_t)-1;
	}
	source->total += got;
	if (source->total > REPORT_SIZE_MAX) {
		source->too_long = true;
		return (size_t)-1;
	}
	return got;
}

json_t *report_load(const char *path)
{
	bool standard_input = strcmp(path, "-") == 0;
	struct source source = { .file = standard_input ? stdin : fopen(path, "rbe") };
	json_error_t error;
	json_t *report;

	if (!source.file) {
		say_error(path, "cannot open: %s; name a report of 'holdfast analyze --json'", strerror(errno));
		return NULL;
	}
	report = json_load_callback(source_read, &source, JSON_REJECT_DUPLICATES, &error);
	if (!report) {
		if (source.error)
			say_error(say_input(path), "cannot read: %s; name a report of 'holdfast analyze --json'",
			          strerror(source.error));
		else if (source.too_long)
			say_error(say_input(path), "longer than %zu MiB; split the report", REPORT_SIZE_MAX >> 20);
		else
			say_error(say_input(path),
			          "line %d, column %d: %s; write it anew with 'holdfast analyze --json'", error.line,
			          error.column, error.text);
	}
	if (!standard_input)
		(void)fclose(source.file);
	return report;
}

struct place {
	const char *path; /* of the report */
	char text[PLACE_SIZE];
};

__attribute__((format(printf, 2, 3))) static struct place *place_at(struct place *place, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(place->text, sizeof(place->text), format, arguments);
	va_end(arguments);
	return place;
}

__attribute__((format(printf, 2, 3))) static int refuse(const struct place *place, const char *format, ...)
{
	char what[WHAT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	say_error(say_input(place->path), "%s: %s; correct the report", place->text, what);
	return -EINVAL;
}

static int read_scope(struct place *place, size_t i, const json_t *incident, struct prefix *scope)
{
	const char *text = json_string_value(json_object_get(json_object_get(incident, "target"), "scope"));

	place_at(place, "incidents[%zu].target.scope", i);
	if (!text)
		return refuse(place, "missing or no string");
	if (prefix_parse(text, scope) != 0)
		return refuse(place, "expected a prefix such as 192.0.2.10/32, found '%.60s'", text);
	return 0;
}

static int read_match(struct place *place, size_t i, size_t j, const json_t *signature, struct match *match)
{
	const char *text = json_string_value(json_object_get(signature, "match"));
	struct match_error error;

	place_at(place, "incidents[%zu].signatures[%zu].match", i, j);
	if (!text)
		return refuse(place, "missing or no string");
	if (match_parse(text, match, &error) != 0)
		return refuse(place, "character %zu: %s", error.offset + 1, error.message);
	return 0;
}

static int read_action(struct place *place, size_t i, size_t j, const json_t *signature, struct rule *rule)
{
	const char *text = json_string_value(json_object_get(signature, "action"));
	const json_t *rate = json_object_get(signature, "rate_limit_pps");
	json_int_t pps;

	place_at(place, "incidents[%zu].signatures[%zu].action", i, j);
	if (!text)
		return refuse(place, "missing or no string");
	if (rule_action_parse(text, &rule->action) != 0)
		return refuse(place, "expected drop, rate_limit, challenge or none, found '%.60s'", text);
	if (rule->action != RULE_RATE_LIMIT)
		return 0;
	place_at(place, "incidents[%zu].signatures[%zu].rate_limit_pps", i, j);
	if (!json_is_integer(rate))
		return refuse(place, "missing or no integer, and the action is rate_limit");
	pps = json_integer_value(rate);
	if (pps < 0 || pps > UINT32_MAX)
		return refuse(place, "expected packets a second, 0..%" PRIu32 ", found %" JSON_INTEGER_FORMAT,
		              UINT32_MAX, pps);
	rule->rate_pps = (uint32_t)pps;
	return 0;
}

static int read_incident(struct place *place, size_t i, const json_t *incident, struct rules *rules)
{
	const json_t *signatures = json_object_get(incident, "signatures"), *signature;
	struct prefix scope;
	size_t j;

	if (!json_is_object(incident))
		return refuse(place_at(place, "incidents[%zu]", i), "expected an object");
	if (!json_is_array(signatures))
		return refuse(place_at(place, "incidents[%zu].signatures", i), "missing or no array");
	if (read_scope(place, i, incident, &scope) != 0)
		return -EINVAL;
	json_array_foreach(signatures, j, signature)
	{
		struct rule rule = { .scope = scope };
		unsigned index = rules->sieve.count;

		if (!json_is_object(signature))
			return refuse(place_at(place, "incidents[%zu].signatures[%zu]", i, j), "expected an object");
		if (read_match(place, i, j, signature, &rule.match) != 0 ||
		    read_action(place, i, j, signature, &rule) != 0)
			return -EINVAL;
		if (sieve_add(&rules->sieve, &rule) != 0) {
			say_error(say_input(place->path),
			          "incidents[%zu].signatures[%zu]: more than %d rules; split the report", i, j,
			          SIEVE_RULES_MAX);
			return -ENOSPC;
		}
		rules->incidents[index] = json_string_value(json_object_get(incident, "id"));
		rules->may_drop = rules->may_drop || rule.action == RULE_DROP || rule.action == RULE_RATE_LIMIT;
	}
	return 0;
}

int rules_read(const char *path, struct rules *rules)
{
	struct place place = { .path = path };
	json_t *report = report_load(path);
	const json_t *incidents, *incident;
	const char *schema;
	size_t i;

	if (!report)
		return -EINVAL;
	sieve_init(&rules->sieve);
	rules->may_drop = false;
	schema = json_string_value(json_object_get(report, "schema"));
	incidents = json_object_get(report, "incidents");
	if (!schema || strcmp(schema, ANALYSIS_SCHEMA) != 0) {
		say_error(say_input(path),
		          "its schema is not \"" ANALYSIS_SCHEMA "\"; name a report of 'holdfast analyze --json'");
		goto undo_report;
	}
	if (!json_is_array(incidents)) {
		(void)refuse(place_at(&place, "incidents"), "missing or no array");
		goto undo_report;
	}
	json_array_foreach(incidents, i, incident)
	{
		if (read_incident(&place, i, incident, rules) != 0)
			goto undo_report;
	}
	rules->report = report;
	return 0;
undo_report:
	json_decref(report);
	return -EINVAL;
}

void rules_fini(struct rules *rules)
{
	json_decref(rules->report);
	rules->report = NULL;
}
