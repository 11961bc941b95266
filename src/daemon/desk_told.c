/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/desk_told.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "daemon/message.h"

#define SCHEMA "holdfast.told/1"
#define FILE_MAX (256u << 10)
#define FILE_MODE 0640
#define OUTAGE_ADVICE "holdfast outage show %s; to say so: holdfast statement draft"
#define CHECKS_ADVICE \
	"one place turns nothing on the page; who is sure does: holdfast page component set %s --status partial_outage"
#define DUE_ADVICE "holdfast statement list shows what is open"

/* ---- the file ---- */

static bool take_outage(struct desk_told *told, const json_t *item)
{
	const char *component = json_string_value(json_object_get(item, "component"));
	const char *word = json_string_value(json_object_get(item, "published"));
	struct desk_told_outage *outage = &told->outages[told->outage_count];
	json_int_t number = json_integer_value(json_object_get(item, "number"));

	if (told->outage_count == DESK_TOLD_MAX || !component || !component_id_ok(component) || number <= 0 || !word ||
	    !belief_word_find(word, &outage->word))
		return false;
	outage->number = (uint64_t)number;
	outage->began_ns = json_integer_value(json_object_get(item, "began_ns"));
	message_text(outage->component, sizeof(outage->component), component);
	told->outage_count++;
	return true;
}

static bool take_due(struct desk_told *told, const json_t *item)
{
	json_int_t thread = json_integer_value(json_object_get(item, "thread"));

	if (told->due_count == DESK_TOLD_MAX || thread <= 0)
		return false;
	told->dues[told->due_count++] =
		(struct desk_told_due){ (uint64_t)thread, json_integer_value(json_object_get(item, "due_ns")) };
	return true;
}

static bool take_check(struct desk_told *told, const json_t *item)
{
	const char *component = json_string_value(json_object_get(item, "component"));
	const char *what = json_string_value(json_object_get(item, "what"));
	struct serve_check *check = &told->checks[told->check_count];

	if (told->check_count == SERVE_COUNTS_MAX || !component || !component_id_ok(component) || !what)
		return false;
	message_text(check->component, sizeof(check->component), component);
	message_text(check->what, sizeof(check->what), what);
	check->since_ns = json_integer_value(json_object_get(item, "since_ns"));
	told->check_count++;
	return true;
}

static int take_all(struct desk_told *told, const json_t *json)
{
	const char *schema = json_string_value(json_object_get(json, "schema"));
	const json_t *item;
	size_t i;

	if (!schema || strcmp(schema, SCHEMA) != 0)
		return -EBADMSG;
	json_array_foreach(json_object_get(json, "outages"), i, item)
	{
		if (!take_outage(told, item))
			return -EBADMSG;
	}
	json_array_foreach(json_object_get(json, "due"), i, item)
	{
		if (!take_due(told, item))
			return -EBADMSG;
	}
	json_array_foreach(json_object_get(json, "checks"), i, item) /* of who told none, not there */
	{
		if (!take_check(told, item))
			return -EBADMSG;
	}
	return 0;
}

int desk_told_read(struct desk_told *told, const char *path)
{
	struct desk_told read = { .outage_count = 0 };
	void *octets = NULL;
	size_t length = 0;
	json_t *json;
	int result = file_load(path, FILE_MAX, &octets, &length);

	if (result != 0)
		return result;
	json = json_loadb(octets, length, JSON_REJECT_DUPLICATES, NULL);
	free(octets);
	result = json ? take_all(&read, json) : -EBADMSG;
	json_decref(json);
	if (result == 0)
		*told = read;
	return result;
}

static json_t *told_json(const struct desk_told *told)
{
	json_t *outages = json_array(), *dues = json_array(), *checks = json_array();

	for (uint32_t i = 0; i < told->outage_count; i++)
		(void)json_array_append_new(outages,
		                            json_pack("{sI ss ss sI}", "number", (json_int_t)told->outages[i].number,
		                                      "component", told->outages[i].component, "published",
		                                      belief_word_name(told->outages[i].word), "began_ns",
		                                      (json_int_t)told->outages[i].began_ns));
	for (uint32_t i = 0; i < told->due_count; i++)
		(void)json_array_append_new(dues, json_pack("{sI sI}", "thread", (json_int_t)told->dues[i].thread,
		                                            "due_ns", (json_int_t)told->dues[i].due_ns));
	for (uint32_t i = 0; i < told->check_count; i++)
		(void)json_array_append_new(checks, json_pack("{ss ss sI}", "component", told->checks[i].component,
		                                              "what", told->checks[i].what, "since_ns",
		                                              (json_int_t)told->checks[i].since_ns));
	return json_pack("{ss so so so}", "schema", SCHEMA, "outages", outages, "due", dues, "checks", checks);
}

int desk_told_write(const struct desk_told *told, const char *path)
{
	json_t *json = told_json(told);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int result = text ? file_replace(path, FILE_MODE, text, strlen(text), FILE_LASTING) : -ENOMEM;

	json_decref(json);
	free(text);
	return result;
}

/* ---- outages ---- */

static struct alert outage_alert(const struct desk_told_outage *outage, enum alert_change change, int64_t now_ns)
{
	struct alert alert = { .change = change,
		               .matter = ALERT_OF_OUTAGE,
		               .incident = outage->number,
		               .time_ns = now_ns,
		               .began_ns = outage->began_ns };

	message_text(alert.service, sizeof(alert.service), outage->component);
	(void)snprintf(alert.target, sizeof(alert.target), "o%" PRIu64, outage->number);
	message_text(alert.vector, sizeof(alert.vector), belief_word_name(outage->word));
	if (change == ALERT_BEGAN)
		(void)snprintf(alert.advice, sizeof(alert.advice), OUTAGE_ADVICE, alert.target);
	return alert;
}

static struct desk_told_outage *find_outage(struct desk_told *told, uint64_t number)
{
	for (uint32_t i = 0; i < told->outage_count; i++)
		if (told->outages[i].number == number)
			return &told->outages[i];
	return NULL;
}

static bool lasts(const struct reckon_result *result, uint64_t number)
{
	for (uint32_t i = 0; i < result->components_count; i++)
		if (result->components[i].outage == number)
			return true;
	return false;
}

static bool tell_outage(struct desk_told *told, const struct reckon_component *component, int64_t now_ns,
                        desk_told_say *say, void *context)
{
	struct desk_told_outage *outage = find_outage(told, component->outage);
	enum alert_change change = outage ? ALERT_WORSE : ALERT_BEGAN;
	struct alert alert;

	if (outage && outage->word == component->word)
		return false;
	if (!outage && told->outage_count == DESK_TOLD_MAX) {
		told->untold++;
		return false;
	}
	if (!outage)
		outage = &told->outages[told->outage_count++];
	*outage = (struct desk_told_outage){ .number = component->outage,
		                             .word = component->word,
		                             .began_ns = component->began_ns };
	message_text(outage->component, sizeof(outage->component), component->id);
	alert = outage_alert(outage, change, now_ns);
	say(context, &alert);
	return true;
}

bool desk_told_outages(struct desk_told *told, const struct reckon_result *result, int64_t now_ns, desk_told_say *say,
                       void *context)
{
	bool changed = false;

	for (uint32_t i = told->outage_count; i > 0; i--) {
		struct desk_told_outage *outage = &told->outages[i - 1];
		struct alert alert;

		if (lasts(result, outage->number))
			continue;
		alert = outage_alert(outage, ALERT_ENDED, now_ns);
		say(context, &alert);
		*outage = told->outages[--told->outage_count];
		changed = true;
	}
	for (uint32_t i = 0; i < result->components_count; i++)
		if (result->components[i].outage)
			changed = tell_outage(told, &result->components[i], now_ns, say, context) || changed;
	return changed;
}

/* ---- statements ---- */

static struct alert due_alert(const struct desk_told_due *due, enum alert_change change, int64_t now_ns)
{
	struct alert alert = { .change = change,
		               .matter = ALERT_OF_STATEMENT,
		               .incident = due->thread,
		               .time_ns = now_ns,
		               .began_ns = due->due_ns };

	(void)snprintf(alert.target, sizeof(alert.target), "s%" PRIu64, due->thread);
	if (change == ALERT_BEGAN)
		message_text(alert.advice, sizeof(alert.advice), DUE_ADVICE);
	return alert;
}

static const struct statements_thread *find_thread(const struct statements_thread *threads, uint32_t count,
                                                   uint64_t thread)
{
	for (uint32_t i = 0; i < count; i++)
		if (threads[i].thread == thread)
			return &threads[i];
	return NULL;
}

static bool is_told(const struct desk_told *told, const struct statements_thread *thread)
{
	for (uint32_t i = 0; i < told->due_count; i++)
		if (told->dues[i].thread == thread->thread)
			return true;
	return false;
}

bool desk_told_due(struct desk_told *told, const struct statements_thread *threads, uint32_t count, int64_t now_ns,
                   desk_told_say *say, void *context)
{
	bool changed = false;

	for (uint32_t i = told->due_count; i > 0; i--) {
		struct desk_told_due *due = &told->dues[i - 1];
		const struct statements_thread *thread = find_thread(threads, count, due->thread);
		struct alert alert;

		if (thread && thread->open && thread->due_ns == due->due_ns)
			continue;
		alert = due_alert(due, ALERT_ENDED, now_ns);
		say(context, &alert);
		*due = told->dues[--told->due_count];
		changed = true;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct statements_thread *thread = &threads[i];
		struct alert alert;

		if (!thread->open || thread->due_ns == 0 || now_ns < thread->due_ns || is_told(told, thread))
			continue;
		if (told->due_count == DESK_TOLD_MAX) {
			told->untold++;
			continue;
		}
		told->dues[told->due_count] = (struct desk_told_due){ thread->thread, thread->due_ns };
		alert = due_alert(&told->dues[told->due_count++], ALERT_BEGAN, now_ns);
		say(context, &alert);
		changed = true;
	}
	return changed;
}

/* ---- checks ---- */

static struct alert check_alert(const struct serve_check *check, enum alert_change change, int64_t now_ns)
{
	struct alert alert = { .change = change,
		               .matter = ALERT_OF_CHECKS,
		               .time_ns = now_ns,
		               .began_ns = check->since_ns,
		               .target = "checks" };

	message_text(alert.service, sizeof(alert.service), check->component);
	message_text(alert.vector, sizeof(alert.vector), check->what);
	if (change == ALERT_BEGAN)
		(void)snprintf(alert.advice, sizeof(alert.advice), CHECKS_ADVICE, check->component);
	return alert;
}

static const struct serve_check *find_check(const struct serve_check *checks, uint32_t count, const char *component)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(checks[i].component, component) == 0)
			return &checks[i];
	return NULL;
}

static bool has_outage(const struct desk_told *told, const char *component)
{
	for (uint32_t i = 0; i < told->outage_count; i++)
		if (strcmp(told->outages[i].component, component) == 0)
			return true;
	return false;
}

bool desk_told_checks(struct desk_told *told, const struct serve_check *checks, uint32_t count, int64_t now_ns,
                      desk_told_say *say, void *context)
{
	bool changed = false;

	for (uint32_t i = told->check_count; i > 0; i--) {
		struct serve_check *check = &told->checks[i - 1];
		struct alert alert;

		if (find_check(checks, count, check->component))
			continue;
		alert = check_alert(check, ALERT_ENDED, now_ns);
		say(context, &alert);
		*check = told->checks[--told->check_count];
		changed = true;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct alert alert;

		if (find_check(told->checks, told->check_count, checks[i].component) ||
		    has_outage(told, checks[i].component))
			continue;
		if (told->check_count == SERVE_COUNTS_MAX) {
			told->untold++;
			continue;
		}
		told->checks[told->check_count] = checks[i];
		alert = check_alert(&told->checks[told->check_count++], ALERT_BEGAN, now_ns);
		say(context, &alert);
		changed = true;
	}
	return changed;
}

void desk_told_standing(const struct desk_told *told, int64_t now_ns, desk_told_say *say, void *context)
{
	for (uint32_t i = 0; i < told->outage_count; i++) {
		struct alert alert = outage_alert(&told->outages[i], ALERT_STANDING, now_ns);

		say(context, &alert);
	}
	for (uint32_t i = 0; i < told->due_count; i++) {
		struct alert alert = due_alert(&told->dues[i], ALERT_STANDING, now_ns);

		say(context, &alert);
	}
	for (uint32_t i = 0; i < told->check_count; i++) {
		struct alert alert = check_alert(&told->checks[i], ALERT_STANDING, now_ns);

		say(context, &alert);
	}
}
