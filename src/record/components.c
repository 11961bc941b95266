/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements as in ledger.c. What the number of rows is bounded by is asked before one is added; two who add at the
 * same time may end up one above it.
 */
#include "record/components.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record/ledger_inside.h"

/* clang-format off */
#define COLUMNS "id, parent, position, is_group, showcase, name_en, name_fr, description_en, description_fr," \
                " added_ns, updated_ns, removed_ns"

static const char component_added[] =
	"INSERT INTO component(" COLUMNS ") SELECT ?1, ?2,"
	" CASE ?3 WHEN 0 THEN (SELECT coalesce(max(position), 0) + 1 FROM component) ELSE ?3 END,"
	" ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 0"
	" WHERE NOT EXISTS(SELECT 1 FROM component WHERE id = ?1)";
static const char component_changed[] =
	"UPDATE component SET parent = ?2, position = CASE ?3 WHEN 0 THEN position ELSE ?3 END, showcase = ?5, name_en = ?6,"
	" name_fr = ?7, description_en = ?8, description_fr = ?9, updated_ns = ?10 WHERE id = ?1 AND removed_ns = 0"
	" AND is_group = ?4";
static const char component_removed[] =
	"UPDATE component SET removed_ns = ?2, updated_ns = ?2 WHERE id = ?1 AND removed_ns = 0";
static const char components[] = "SELECT " COLUMNS " FROM component WHERE ?1 OR removed_ns = 0 ORDER BY position, id";
static const char group_of[] = "SELECT count(*) FROM component WHERE id = ?1 AND is_group AND removed_ns = 0";
static const char members_of[] = "SELECT count(*) FROM component WHERE parent = ?1 AND removed_ns = 0";

static const char on_page[] = "SELECT count(*) FROM component WHERE id = ?1 AND removed_ns = 0";

static const char state_added[] =
	"INSERT INTO component_state(component, status, since_ns, cause, source, outage, added_ns, added_by)"
	" SELECT id, ?2, CASE ?3 WHEN 0 THEN max(?7, coalesce((SELECT max(since_ns) + 1 FROM component_state"
	" WHERE component = ?1 AND since_ns BETWEEN ?7 AND ?7 + 999999999), 0)) ELSE ?3 END, ?4, ?5, ?6, ?7, ?8"
	" FROM component WHERE id = ?1 AND removed_ns = 0 AND NOT is_group";
static const char states[] =
	"SELECT id, component, status, since_ns, cause, source, outage, added_ns, added_by FROM component_state"
	" WHERE ?1 IS NULL OR component = ?1 ORDER BY id";

static const char works_added[] =
	"INSERT INTO works(from_ns, until_ns, components, name_en, name_fr, text_en, text_fr, added_ns, added_by)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char works_ended[] = "INSERT INTO works_cancelled(works, at_ns, by) SELECT id, ?2, ?3 FROM works WHERE id = ?1";
static const char works[] =
	"SELECT id, from_ns, until_ns, components, name_en, name_fr, text_en, text_fr, added_ns, added_by,"
	" coalesce(at_ns, 0) FROM works LEFT JOIN works_cancelled ON works_cancelled.works = id ORDER BY id";

static const char *const sources[] = { [COMPONENT_SAID] = "operator", [COMPONENT_MEASURED] = "measured" };
/* clang-format on */

const char *component_source_name(enum component_source source)
{
	return sources[source];
}

static int refuse_component(struct record_error *error)
{
	return ledger_refuse(error, -ENOENT, "there is no such component",
	                     "'holdfast page component list' lists those there are");
}

/* What `sql` counts of the component. */
static int count_of(struct ledger *ledger, const char *sql, const char *id, int64_t *count, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_begin(ledger, sql, &statement, error);

	if (result != 0)
		return result;
	database_put_text(statement, 1, id);
	return ledger_ask(ledger, statement, count, error);
}

static int check_component(struct ledger *ledger, const struct component *component, struct record_error *error)
{
	const struct ledger_text all[] = { { "name", component->name[LANGUAGE_EN] },
		                           { "French name", component->name[LANGUAGE_FR] },
		                           { "description", component->description[LANGUAGE_EN] },
		                           { "French description", component->description[LANGUAGE_FR] } };
	int64_t groups = 0;
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result != 0)
		return result;
	if (!component_id_ok(component->id))
		return ledger_refuse(error, -EINVAL, "that cannot be the ID of a component",
		                     "write 1 to 32 of a-z, 0-9 and '-'");
	if (!component->name[LANGUAGE_EN][0] && !component->name[LANGUAGE_FR][0])
		return ledger_refuse(error, -EINVAL, "a component wants a name in one language at least", "");
	if (!component->group[0])
		return 0;
	if (component->is_group)
		return ledger_refuse(error, -EINVAL, "a group cannot be in a group", "");
	result = count_of(ledger, group_of, component->group, &groups, error);
	return result != 0 || groups ? result
	                             : ledger_refuse(error, -ENOENT, "there is no such group",
	                                             "'holdfast page component add ID --is-group' makes one");
}

static void put_component(sqlite3_stmt *statement, const struct component *component, int64_t at_ns)
{
	database_put_text(statement, 1, component->id);
	database_put_text(statement, 2, component->group);
	database_put_number(statement, 3, component->position);
	database_put_number(statement, 4, component->is_group);
	database_put_number(statement, 5, component->showcase);
	database_put_text(statement, 6, component->name[LANGUAGE_EN]);
	database_put_text(statement, 7, component->name[LANGUAGE_FR]);
	database_put_text(statement, 8, component->description[LANGUAGE_EN]);
	database_put_text(statement, 9, component->description[LANGUAGE_FR]);
	database_put_number(statement, 10, at_ns);
}

/* Ends the statement; `missing` where it changed nothing. */
static int change_one(struct ledger *ledger, sqlite3_stmt *statement, int missing, struct record_error *error)
{
	int result = ledger_add(ledger, statement, 0, NULL, error);

	return result != 0 ? result : sqlite3_changes(ledger->database) == 1 ? 0 : missing;
}

int component_add(struct ledger *ledger, const struct component *component, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t rows = 0;
	int result, code;

	if (!ledger->write)
		return ledger_refuse(error, -EROFS, "the record was opened to be read", "");
	result = check_component(ledger, component, error);
	if (result != 0)
		return result;
	code = database_ask(ledger->database, "SELECT count(*) FROM component WHERE removed_ns = 0", &rows);
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", ledger->database, code);
	if (rows >= COMPONENTS_MAX)
		return ledger_refuse(error, -EDQUOT, "there are as many components as a page shows",
		                     "remove one first");
	result = ledger_begin_to_add(ledger, component_added, "SELECT count(*) FROM component", &statement, error);
	if (result != 0)
		return result;
	put_component(statement, component, component->added_ns);
	result = change_one(ledger, statement, -EEXIST, error);
	return result != -EEXIST
	               ? result
	               : ledger_refuse(error, -EEXIST, "there is or was a component of that ID", "name another");
}

int component_change(struct ledger *ledger, const struct component *component, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = check_component(ledger, component, error);

	if (result == 0)
		result = ledger_begin_to_add(ledger, component_changed, "SELECT 0", &statement, error);
	if (result != 0)
		return result;
	put_component(statement, component, component->updated_ns);
	result = change_one(ledger, statement, -ENOENT, error);
	return result == -ENOENT ? refuse_component(error) : result;
}

int component_remove(struct ledger *ledger, const char *id, int64_t at_ns, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t members = 0;
	int result = ledger_begin_to_add(ledger, component_removed, "SELECT 0", &statement, error);

	if (result != 0)
		return result;
	result = count_of(ledger, members_of, id, &members, error);
	if (result == 0 && members)
		result = ledger_refuse(error, -EBUSY, "there are components in that group", "remove them first");
	if (result != 0) {
		(void)sqlite3_finalize(statement);
		return result;
	}
	database_put_text(statement, 1, id);
	database_put_number(statement, 2, at_ns);
	result = change_one(ledger, statement, -ENOENT, error);
	return result == -ENOENT ? refuse_component(error) : result;
}

/* ---- states ---- */

const char *component_state_wrong(const struct component_state *state)
{
	static const char *const causes[] = { "", "attack", "own_change", "provider", "unknown" };

	if (state->since_ns > state->added_ns)
		return "a state cannot begin in the future: it lies ahead; what is planned are works";
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strcmp(causes[i], state->cause) == 0)
			return "";
	return "there is no such cause; there are attack, own_change, provider, unknown";
}

int component_state_add(struct ledger *ledger, const struct component_state *state, uint64_t *number,
                        struct record_error *error)
{
	const struct ledger_text all[] = { { "cause", state->cause }, { "name of who adds", state->added_by } };
	sqlite3_stmt *statement = NULL;
	const char *wrong = component_state_wrong(state);
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0 && *wrong)
		result = ledger_refuse(error, -EINVAL, wrong, "");
	if (result == 0)
		result = ledger_begin_to_add(ledger, state_added, "SELECT count(*) FROM component_state", &statement,
		                             error);
	if (result != 0)
		return result;
	database_put_text(statement, 1, state->component);
	database_put_text(statement, 2, component_status_name(state->status));
	database_put_number(statement, 3, state->since_ns);
	database_put_text(statement, 4, state->cause);
	database_put_text(statement, 5, sources[state->source]);
	database_put_number(statement, 6, (int64_t)state->outage);
	database_put_number(statement, 7, state->added_ns);
	database_put_text(statement, 8, state->added_by);
	result = change_one(ledger, statement, -ENOENT, error);
	if (result == -ENOENT)
		return refuse_component(error);
	if (result == 0 && number)
		*number = (uint64_t)sqlite3_last_insert_rowid(ledger->database);
	return result;
}

/* ---- planned works ---- */

const char *component_works_wrong(const struct component_works *row)
{
	if (row->until_ns <= row->from_ns)
		return "the works end before they begin";
	if (!row->name[LANGUAGE_EN][0] && !row->name[LANGUAGE_FR][0])
		return "the works want a name in one language at least";
	return row->components[strspn(row->components, ",")] ? "" : "the works touch nothing: name the components";
}

/* Whether all of the list are on the page. */
static int check_known(struct ledger *ledger, const char *list, struct record_error *error)
{
	int64_t found = 1;
	int result = 0;

	for (const char *at = list; *at && found && result == 0; at += strspn(at, ",")) {
		size_t length = strcspn(at, ",");
		char id[COMPONENT_ID_SIZE] = "";

		if (length >= sizeof(id)) {
			found = 0;
			break;
		}
		memcpy(id, at, length);
		if (length)
			result = count_of(ledger, on_page, id, &found, error);
		at += length;
	}
	return result != 0 || found ? result
	                            : ledger_refuse(error, -ENOENT, "not all of these components are on the page",
	                                            "'holdfast page component list' lists those that are");
}

int component_works_add(struct ledger *ledger, const struct component_works *row, char id[LEDGER_ID_SIZE],
                        struct record_error *error)
{
	const struct ledger_text all[] = {
		{ "list of components", row->components }, { "name", row->name[LANGUAGE_EN] },
		{ "French name", row->name[LANGUAGE_FR] }, { "text", row->text[LANGUAGE_EN] },
		{ "French text", row->text[LANGUAGE_FR] }, { "name of who adds", row->added_by }
	};
	sqlite3_stmt *statement = NULL;
	const char *wrong = component_works_wrong(row);
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0 && *wrong)
		result = ledger_refuse(error, -EINVAL, wrong, "");
	if (result == 0)
		result = check_known(ledger, row->components, error);
	if (result == 0)
		result = ledger_begin_to_add(ledger, works_added, "SELECT count(*) FROM works", &statement, error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, row->from_ns);
	database_put_number(statement, 2, row->until_ns);
	database_put_text(statement, 3, row->components);
	database_put_text(statement, 4, row->name[LANGUAGE_EN]);
	database_put_text(statement, 5, row->name[LANGUAGE_FR]);
	database_put_text(statement, 6, row->text[LANGUAGE_EN]);
	database_put_text(statement, 7, row->text[LANGUAGE_FR]);
	database_put_number(statement, 8, row->added_ns);
	database_put_text(statement, 9, row->added_by);
	return ledger_add(ledger, statement, 'm', id, error);
}

int component_works_cancel(struct ledger *ledger, const char *id, int64_t at_ns, const char *by,
                           struct record_error *error)
{
	const struct ledger_text all[] = { { "name of who cancels", by } };
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_texts(all, 1, error);

	if (result == 0)
		result = ledger_begin_to_add(ledger, works_ended, "SELECT count(*) FROM works_cancelled", &statement,
		                             error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, ledger_number(id, 'm'));
	database_put_number(statement, 2, at_ns);
	database_put_text(statement, 3, by);
	result = ledger_add_once(ledger, statement, "those works are cancelled already", error);
	if (result == 0 && sqlite3_changes(ledger->database) == 0)
		return ledger_refuse(error, -ENOENT, "there are no such works",
		                     "'holdfast page works list' lists those there are");
	return result;
}

/* ---- listing ---- */

struct listing {
	int (*component)(void *context, const struct component *component);
	int (*state)(void *context, const struct component_state *state);
	int (*works)(void *context, const struct component_works *works);
	void *context;
};

static int component_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct component component = {
		.position = (uint32_t)sqlite3_column_int64(statement, 2),
		.is_group = sqlite3_column_int(statement, 3),
		.showcase = sqlite3_column_int(statement, 4),
		.name = { [LANGUAGE_EN] = database_text(statement, 5), [LANGUAGE_FR] = database_text(statement, 6) },
		.description = { [LANGUAGE_EN] = database_text(statement, 7),
		                 [LANGUAGE_FR] = database_text(statement, 8) },
		.added_ns = sqlite3_column_int64(statement, 9),
		.updated_ns = sqlite3_column_int64(statement, 10),
		.removed_ns = sqlite3_column_int64(statement, 11),
	};

	database_copy_text(statement, 0, component.id, sizeof(component.id));
	database_copy_text(statement, 1, component.group, sizeof(component.group));
	return listing->component(listing->context, &component);
}

int component_each(struct ledger *ledger, bool removed, int (*each)(void *context, const struct component *component),
                   void *context, struct record_error *error)
{
	struct listing listing = { .component = each, .context = context };

	return ledger_list(ledger, COMPONENTS_SCHEMA, components, removed, component_row, &listing, error);
}

static int state_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct component_state state = {
		.number = (uint64_t)sqlite3_column_int64(statement, 0),
		.since_ns = sqlite3_column_int64(statement, 3),
		.cause = database_text(statement, 4),
		.source = strcmp(database_text(statement, 5), sources[COMPONENT_MEASURED]) == 0 ? COMPONENT_MEASURED
		                                                                                : COMPONENT_SAID,
		.outage = (uint64_t)sqlite3_column_int64(statement, 6),
		.added_ns = sqlite3_column_int64(statement, 7),
		.added_by = database_text(statement, 8),
	};

	if (!component_status_find(database_text(statement, 2), &state.status))
		return 0;
	database_copy_text(statement, 1, state.component, sizeof(state.component));
	return listing->state(listing->context, &state);
}

int component_state_each(struct ledger *ledger, const char *id,
                         int (*each)(void *context, const struct component_state *state), void *context,
                         struct record_error *error)
{
	struct listing listing = { .state = each, .context = context };
	sqlite3_stmt *statement = NULL;
	int result = 0;

	if (ledger->schema < COMPONENTS_SCHEMA)
		return 0;
	result = ledger_begin(ledger, states, &statement, error);
	if (result != 0)
		return result;
	if (id)
		database_put_text(statement, 1, id);
	return ledger_each_row(ledger, statement, state_row, &listing, error);
}

static int works_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct component_works row = {
		.from_ns = sqlite3_column_int64(statement, 1),
		.until_ns = sqlite3_column_int64(statement, 2),
		.components = database_text(statement, 3),
		.name = { [LANGUAGE_EN] = database_text(statement, 4), [LANGUAGE_FR] = database_text(statement, 5) },
		.text = { [LANGUAGE_EN] = database_text(statement, 6), [LANGUAGE_FR] = database_text(statement, 7) },
		.added_ns = sqlite3_column_int64(statement, 8),
		.added_by = database_text(statement, 9),
		.cancelled_ns = sqlite3_column_int64(statement, 10),
	};

	ledger_write_id(row.id, 'm', sqlite3_column_int64(statement, 0));
	return listing->works(listing->context, &row);
}

int component_works_each(struct ledger *ledger, int (*each)(void *context, const struct component_works *works),
                         void *context, struct record_error *error)
{
	struct listing listing = { .works = each, .context = context };

	return ledger_list(ledger, COMPONENTS_SCHEMA, works, 0, works_row, &listing, error);
}
