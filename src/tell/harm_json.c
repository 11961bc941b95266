/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as tell/members.h has them. */
#include "tell/harm_json.h"

#include <stddef.h>
#include <string.h>

#include "tell/build.h"
#include "tell/members.h"

_Static_assert(HARM_JSON_ERROR_SIZE == MEMBERS_ERROR_SIZE, "what a reader of members writes");

/* clang-format off */
static const struct member wave_members[] = {
	AT(struct outage_wave, began, MOMENT, began_ns),
	AT(struct outage_wave, peak_began, MOMENT, peak_began_ns),
	AT(struct outage_wave, peak_ended, MOMENT, peak_ended_ns),
	AT(struct outage_wave, ended, MOMENT, ended_ns),
	AT(struct outage_wave, reports, WHOLE, reports),
	AT(struct outage_wave, excess, WHOLE, excess),
};

static const struct member place_members[] = {
	WORD_AT(struct outage_place, kind, kind, outage_place_kind_names),
	TEXT_AT(struct outage_place, region, region),
	AT(struct outage_place, network, SMALL, network),
	AT(struct outage_place, from, MOMENT, from_ns),
	AT(struct outage_place, to, MOMENT, to_ns),
	AT(struct outage_place, reports, WHOLE, reports),
	AT(struct outage_place, expected_milli, WHOLE, expected_milli),
	AT(struct outage_place, score_milli, SMALL, score_milli),
};

static const struct member symptom_members[] = {
	AT(struct outage, cannot_reach, WHOLE, symptoms[SYMPTOM_UNREACHABLE]),
	AT(struct outage, error_page, WHOLE, symptoms[SYMPTOM_ERROR_PAGE]),
	AT(struct outage, slow, WHOLE, symptoms[SYMPTOM_SLOW]),
	AT(struct outage, cannot_log_in, WHOLE, symptoms[SYMPTOM_LOGIN]),
	AT(struct outage, other, WHOLE, symptoms[SYMPTOM_OTHER]),
};

static const struct member outage_members[] = {
	TEXT_AT(struct outage, component, component),
	AT(struct outage, began, MOMENT, began_ns),
	AT(struct outage, alarm, MOMENT, alarm_ns),
	AT(struct outage, peak_began, MOMENT, peak_began_ns),
	AT(struct outage, peak_ended, MOMENT, peak_ended_ns),
	AT(struct outage, pronounced_from, MOMENT, pronounced_from_ns),
	AT(struct outage, pronounced_to, MOMENT, pronounced_to_ns),
	AT(struct outage, ended, MOMENT, ended_ns),
	AT(struct outage, reports, WHOLE, reports),
	AT(struct outage, peak_reports, WHOLE, peak_reports),
	AT(struct outage, excess, WHOLE, excess),
	AT(struct outage, raw, WHOLE, raw),
	AT(struct outage, shielded, WHOLE, shielded),
	WORD_AT(struct outage, basis, basis, outage_basis_names),
	{ "symptoms", MEMBER_PART, .members = symptom_members,
	  .members_count = sizeof(symptom_members) / sizeof(symptom_members[0]) },
	PARTS_AT(struct outage, waves, waves, OUTAGE_WAVES_MAX, wave_members),
	AT(struct outage, waves_joined, SMALL, waves_joined),
	AT(struct outage, global, FLAG, global),
	AT(struct outage, regions_up, SMALL, regions_up),
	AT(struct outage, regions, SMALL, regions),
	PARTS_AT(struct outage, places, places, OUTAGE_PLACES_MAX, place_members),
};

static const struct member belief_members[] = {
	AT(struct belief, log_odds_milli, LITTLE, log_odds),
	AT(struct belief, reports_milli, LITTLE, reports),
	AT(struct belief, probes_milli, LITTLE, probes),
	AT(struct belief, signals_milli, LITTLE, signals),
	AT(struct belief, permyriad, SMALL, permyriad),
	WORD_AT(struct belief, published, word, belief_word_names),
	WORD_AT(struct belief, fault, fault, belief_fault_names),
	AT(struct belief, vantages, SMALL, vantages),
	AT(struct belief, vantages_failed, SMALL, vantages_failed),
	AT(struct belief, vantages_unknown, SMALL, vantages_unknown),
};

static const struct member share_members[] = {
	AT(struct cause_share, low, SMALL, low),
	AT(struct cause_share, value, SMALL, value),
	AT(struct cause_share, high, SMALL, high),
};

static const struct member interval_members[] = {
	AT(struct cause_interval, from, MOMENT, from_ns),
	AT(struct cause_interval, to, MOMENT, to_ns),
	WORD_AT(struct cause_interval, cause, cause, cause_names),
	AT(struct cause_interval, several, FLAG, several),
	AT(struct cause_interval, reference, MAYBE, reference),
	AT(struct cause_interval, share, SMALL, share),
};

static const struct member causes_members[] = {
	PART_AT(struct cause_account, attack, shares[CAUSE_ATTACK], share_members),
	PART_AT(struct cause_account, own_change, shares[CAUSE_OWN_CHANGE], share_members),
	PART_AT(struct cause_account, provider, shares[CAUSE_PROVIDER], share_members),
	PART_AT(struct cause_account, unknown, shares[CAUSE_UNKNOWN], share_members),
	PARTS_AT(struct cause_account, intervals, intervals, CAUSE_INTERVALS_MAX, interval_members),
};

static const struct member harm_members[] = {
	PART_AT(struct harm, outage, outage, outage_members),
	PART_AT(struct harm, belief, belief, belief_members),
	PART_AT(struct harm, causes, causes, causes_members),
	AT(struct harm, incident, MAYBE, incident),
	AT(struct harm, delay_ns, SPAN, delay_ns),
};
/* clang-format on */

static const char schema_name[] = "schema";

json_t *harm_json(const struct harm *harm)
{
	struct build b = { .failed = false };
	json_t *root = json_object(), *members = members_write(&b, MEMBERS(harm_members), harm, 0);

	build_set(&b, root, schema_name, json_string(HARM_JSON_SCHEMA));
	if (json_object_update(root, members) != 0)
		b.failed = true;
	json_decref(members);
	if (!b.failed)
		return root;
	json_decref(root);
	return NULL;
}

int harm_json_read(const json_t *json, struct harm *harm, char error[HARM_JSON_ERROR_SIZE])
{
	struct members_reader r = { .error = error };
	const char *schema = json_string_value(json_object_get(json, schema_name));
	struct harm read;
	int result;

	memset(&read, 0, sizeof(read));
	error[0] = '\0';
	if (!schema || strcmp(schema, HARM_JSON_SCHEMA) != 0) {
		(void)members_enter(&r, schema_name, -1);
		return members_refuse(&r, "is not \"" HARM_JSON_SCHEMA "\"");
	}
	result = members_read(&r, json, MEMBERS(harm_members), &read, 0);
	if (result == 0 && !component_id_ok(read.outage.component)) {
		(void)members_enter(&r, "outage.component", -1);
		result = members_refuse(&r, "is none");
	}
	if (result == 0)
		*harm = read;
	return result;
}
