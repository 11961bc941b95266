/* SPDX-License-Identifier: Apache-2.0 */
/* Components on record: what may be added, changed, removed; states and works that stay; a database without them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record/components.h"
#include "scratch_ledger.h"

static char seen[4096];

static struct component made(const char *id, const char *group)
{
	struct component component = {
		.showcase = true, .name = { id, "" }, .description = { "what", "quoi" }, .added_ns = 7
	};

	(void)snprintf(component.id, sizeof(component.id), "%s", id);
	(void)snprintf(component.group, sizeof(component.group), "%s", group);
	return component;
}

static int add(const char *id, const char *group, bool is_group)
{
	struct component component = made(id, group);

	component.is_group = is_group;
	return component_add(ledger, &component, &error);
}

static int note(void *context, const struct component *component)
{
	size_t length = strlen(seen);

	(void)context;
	(void)snprintf(seen + length, sizeof(seen) - length, "%u:%s:%s:%s:%s:%d%d:%lld ", (unsigned)component->position,
	               component->id, component->group, component->name[0], component->description[1],
	               component->is_group, component->showcase, (long long)component->removed_ns);
	return 0;
}

static const char *listed(bool removed)
{
	seen[0] = '\0';
	assert_int_equal(component_each(ledger, removed, note, NULL, &error), 0);
	return seen;
}

static void adding(void **state)
{
	struct component component;

	(void)state;
	assert_int_equal(add("core", "", true), 0);
	assert_int_equal(add("web", "core", false), 0);
	assert_int_equal(add("web", "core", false), -EEXIST);
	assert_int_equal(add("api", "web", false), -ENOENT); /* that is no group */
	assert_int_equal(add("api", "none", false), -ENOENT);
	assert_int_equal(add("more", "core", true), -EINVAL); /* a group in a group */
	assert_int_equal(add("We", "", false), -EINVAL);
	assert_int_equal(add("", "", false), -EINVAL);
	component = made("noname", "");
	component.name[0] = "";
	assert_int_equal(component_add(ledger, &component, &error), -EINVAL);
	component.name[1] = "\xff";
	assert_int_equal(component_add(ledger, &component, &error), -EINVAL);
	assert_string_equal(listed(false), "1:core::core:quoi:11:0 2:web:core:web:quoi:01:0 ");
}

static void bound(void **state)
{
	char id[COMPONENT_ID_SIZE];

	(void)state;
	for (unsigned i = 0; i < COMPONENTS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "c%u", i);
		assert_int_equal(add(id, "", false), 0);
	}
	assert_int_equal(add("one-more", "", false), -EDQUOT);
	assert_int_equal(component_remove(ledger, "c5", 9, &error), 0);
	assert_int_equal(add("one-more", "", false), 0);
}

static void changing(void **state)
{
	struct component component;

	(void)state;
	assert_int_equal(add("core", "", true), 0);
	assert_int_equal(add("web", "", false), 0);
	component = made("web", "core");
	component.position = 1;
	component.showcase = false;
	component.name[0] = "Website";
	component.updated_ns = 99;
	assert_int_equal(component_change(ledger, &component, &error), 0);
	assert_string_equal(listed(false), "1:core::core:quoi:11:0 1:web:core:Website:quoi:00:0 ");
	component = made("none", "");
	assert_int_equal(component_change(ledger, &component, &error), -ENOENT);
	/* A group that has something in it stays. */
	assert_int_equal(component_remove(ledger, "core", 9, &error), -EBUSY);
	assert_int_equal(component_remove(ledger, "web", 9, &error), 0);
	assert_int_equal(component_remove(ledger, "web", 9, &error), -ENOENT);
	assert_int_equal(component_remove(ledger, "core", 10, &error), 0);
	assert_string_equal(listed(false), "");
	assert_string_equal(listed(true), "1:core::core:quoi:11:10 1:web:core:Website:quoi:00:9 ");
	assert_int_equal(add("web", "", false), -EEXIST); /* its past is another's */
	assert_int_equal(component_change(ledger, &component, &error), -ENOENT);
	ledger_close(ledger);
	assert_int_equal(ledger_open(path, false, &ledger, &error), 0);
	assert_int_equal(add("api", "", false), -EROFS);
	component = made("web", "");
	assert_int_equal(component_change(ledger, &component, &error), -EROFS);
	assert_int_equal(component_remove(ledger, "web", 9, &error), -EROFS);
}

static int note_state(void *context, const struct component_state *state)
{
	size_t length = strlen(seen);

	(void)context;
	(void)snprintf(seen + length, sizeof(seen) - length, "%llu:%s:%s:%lld:%s:%s:%llu:%s ",
	               (unsigned long long)state->number, state->component, component_status_name(state->status),
	               (long long)state->since_ns, state->cause, component_source_name(state->source),
	               (unsigned long long)state->outage, state->added_by);
	return 0;
}

static void states(void **state)
{
	struct component_state one = { .component = "web",
		                       .status = COMPONENT_DEGRADED,
		                       .since_ns = 5,
		                       .cause = "attack",
		                       .source = COMPONENT_MEASURED,
		                       .outage = 3,
		                       .added_ns = 6,
		                       .added_by = "alice" };
	uint64_t number = 0;

	(void)state;
	assert_int_equal(add("core", "", true), 0);
	assert_int_equal(add("web", "", false), 0);
	assert_int_equal(component_state_add(ledger, &one, &number, &error), 0);
	assert_int_equal(number, 1);
	one.status = COMPONENT_OPERATIONAL;
	one.source = COMPONENT_SAID;
	one.cause = "";
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), 0);
	memcpy(one.component, "core", 5);
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), -ENOENT);
	memcpy(one.component, "none", 5);
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), -ENOENT);
	one.cause = "\xff";
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), -EINVAL);
	one.cause = "bears";
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), -EINVAL);
	one.cause = "";
	one.since_ns = one.added_ns + 1;
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), -EINVAL);
	seen[0] = '\0';
	assert_int_equal(component_state_each(ledger, "web", note_state, NULL, &error), 0);
	assert_string_equal(
		seen, "1:web:degraded_performance:5:attack:measured:3:alice 2:web:operational:5::operator:3:alice ");
	seen[0] = '\0';
	assert_int_equal(component_state_each(ledger, "core", note_state, NULL, &error), 0);
	assert_string_equal(seen, "");
	/* Nobody changes what was said. */
	scratch_execute("UPDATE component_state SET status = 'operational'", SQLITE_CONSTRAINT);
	scratch_execute("DELETE FROM component_state", SQLITE_CONSTRAINT);
	scratch_execute("DELETE FROM component", SQLITE_CONSTRAINT);
	scratch_execute("UPDATE component SET id = 'other' WHERE id = 'web'", SQLITE_CONSTRAINT);
}

/*
 * What is set now, and again within the same second, keeps its order and its own time; what names a time takes
 * another's place.
 */
static void states_of_one_second(void **state)
{
	static const enum component_status each[] = { COMPONENT_DEGRADED, COMPONENT_MAJOR_OUTAGE, COMPONENT_OPERATIONAL,
		                                      COMPONENT_DEGRADED, COMPONENT_OPERATIONAL };
	static const int64_t added_ns[] = { 1000000000, 1000000000, 1000000000, 1999999999, 999999000 };
	struct component_state one = { .component = "web", .cause = "", .added_by = "alice" };

	(void)state;
	assert_int_equal(add("web", "", false), 0);
	assert_int_equal(add("api", "", false), 0);
	for (unsigned i = 0; i < 5; i++) {
		one.status = each[i];
		one.added_ns = added_ns[i];
		assert_int_equal(component_state_add(ledger, &one, NULL, &error), 0);
	}
	memcpy(one.component, "api", 4); /* another's states are none of its own */
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), 0);
	seen[0] = '\0';
	assert_int_equal(component_state_each(ledger, NULL, note_state, NULL, &error), 0);
	assert_string_equal(seen, "1:web:degraded_performance:1000000000::operator:0:alice "
	                          "2:web:major_outage:1000000001::operator:0:alice "
	                          "3:web:operational:1000000002::operator:0:alice "
	                          "4:web:degraded_performance:1999999999::operator:0:alice "
	                          "5:web:operational:1000000003::operator:0:alice "
	                          "6:api:operational:999999000::operator:0:alice ");
}

static int note_works(void *context, const struct component_works *works)
{
	size_t length = strlen(seen);

	(void)context;
	(void)snprintf(seen + length, sizeof(seen) - length, "%s:%lld:%lld:%s:%s:%s:%lld ", works->id,
	               (long long)works->from_ns, (long long)works->until_ns, works->components, works->name[1],
	               works->text[0], (long long)works->cancelled_ns);
	return 0;
}

static void works(void **state)
{
	struct component_works one = { .from_ns = 10,
		                       .until_ns = 20,
		                       .components = "web,api",
		                       .name = { "New", "Neuf" },
		                       .text = { "short", "" },
		                       .added_ns = 3,
		                       .added_by = "bob" };
	char id[LEDGER_ID_SIZE];

	(void)state;
	assert_int_equal(add("web", "", false), 0);
	assert_int_equal(component_works_add(ledger, &one, id, &error), -ENOENT);
	assert_string_equal(error.message, "not all of these components are on the page");
	assert_int_equal(add("api", "", false), 0);
	assert_int_equal(component_works_add(ledger, &one, id, &error), 0);
	assert_string_equal(id, "m1");
	one.components = "web,a-name-that-is-longer-than-any-component-has";
	assert_int_equal(component_works_add(ledger, &one, id, &error), -ENOENT);
	one.components = ",";
	assert_int_equal(component_works_add(ledger, &one, id, &error), -EINVAL);
	one.components = "web";
	one.name[0] = one.name[1] = "";
	assert_int_equal(component_works_add(ledger, &one, id, &error), -EINVAL);
	one.name[1] = "Neuf";
	assert_string_equal(component_works_wrong(&one), "");
	one.until_ns = 10;
	assert_int_equal(component_works_add(ledger, &one, id, &error), -EINVAL);
	assert_int_equal(component_works_cancel(ledger, "m2", 15, "bob", &error), -ENOENT);
	assert_int_equal(component_works_cancel(ledger, "x1", 15, "bob", &error), -ENOENT);
	assert_int_equal(component_works_cancel(ledger, "m1", 15, "bob", &error), 0);
	assert_int_equal(component_works_cancel(ledger, "m1", 16, "bob", &error), -EALREADY);
	seen[0] = '\0';
	assert_int_equal(component_works_each(ledger, note_works, NULL, &error), 0);
	assert_string_equal(seen, "m1:10:20:web,api:Neuf:short:15 ");
	scratch_execute("DELETE FROM works_cancelled", SQLITE_CONSTRAINT);
}

/* One of an older schema, opened to be read, has none. */
static void older(void **state)
{
	(void)state;
	ledger_close(ledger);
	scratch_execute("DROP TABLE works_cancelled; PRAGMA user_version = 3", SQLITE_OK);
	assert_int_equal(ledger_open(path, false, &ledger, &error), 0);
	assert_string_equal(listed(true), "");
	assert_int_equal(component_state_each(ledger, NULL, note_state, NULL, &error), 0);
	assert_int_equal(component_works_each(ledger, note_works, NULL, &error), 0);
	assert_string_equal(seen, "");
}

int main(void)
{
#define WITH_RECORD(test) cmocka_unit_test_setup_teardown(test, scratch_begin, scratch_end)
	const struct CMUnitTest tests[] = {
		WITH_RECORD(adding),
		WITH_RECORD(bound),
		WITH_RECORD(changing),
		WITH_RECORD(states),
		WITH_RECORD(states_of_one_second),
		WITH_RECORD(works),
		WITH_RECORD(older),
	};

	return cmocka_run_group_tests_name("components", tests, NULL, NULL);
}
