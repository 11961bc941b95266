/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tell/console_inside.h"

static const char *const words[CONSOLE_WORDS_COUNT][LANGUAGES] = {
#define X(name, en, fr) [CONSOLE_WORD_##name] = { [LANGUAGE_EN] = (en), [LANGUAGE_FR] = (fr) },
	CONSOLE_WORDS(X)
#undef X
};

/* clang-format off */
#define TERM(group, name, word) { name, CONSOLE_##group, CONSOLE_WORD_##word }
const struct console_term console_terms[] = {
	TERM(STATES, "draft", STATE_DRAFT),
	TERM(STATES, "approved", STATE_APPROVED),
	TERM(STATES, "published", STATE_PUBLISHED),
	TERM(STATES, "submitted", STATE_SUBMITTED),
	TERM(STATES, "withdrawn", STATE_WITHDRAWN),
	TERM(CAUSES, "", CAUSE_NOT_SAID),
	TERM(CAUSES, "attack", CAUSE_ATTACK),
	TERM(CAUSES, "own_change", CAUSE_OWN),
	TERM(CAUSES, "provider", CAUSE_PROVIDER),
	TERM(CAUSES, "unknown", CAUSE_UNKNOWN),
	TERM(EVENTS, "own_change", CAUSE_OWN),
	TERM(EVENTS, "provider", CAUSE_PROVIDER),
	TERM(EVENTS, "maintenance", EVENT_MAINTENANCE),
	TERM(BELIEFS, "nothing", BELIEF_NOTHING),
	TERM(BELIEFS, "elevated_user_reports", BELIEF_REPORTS),
	TERM(BELIEFS, "investigating", BELIEF_LOOKING),
	TERM(BELIEFS, "partial_outage", BELIEF_PARTLY),
	TERM(BELIEFS, "major_outage", BELIEF_DOWN),
	TERM(OUTCOMES, "done", OUTCOME_DONE),
	TERM(OUTCOMES, "refused", OUTCOME_REFUSED),
	TERM(OUTCOMES, "failed", OUTCOME_FAILED),
	TERM(DEEDS, "sign-in", DEED_SIGN_IN),
	TERM(DEEDS, "sign-out", DEED_SIGN_OUT),
	TERM(DEEDS, "language", DEED_LANGUAGE),
	TERM(DEEDS, "draft", DEED_DRAFT),
	TERM(DEEDS, "edit", DEED_EDIT),
	TERM(DEEDS, "approve", DEED_APPROVE),
	TERM(DEEDS, "publish", DEED_PUBLISH),
	TERM(DEEDS, "submit", DEED_SUBMIT),
	TERM(DEEDS, "withdraw", DEED_WITHDRAW),
	TERM(DEEDS, "aware", DEED_AWARE),
	TERM(DEEDS, "exempt", DEED_EXEMPT),
	TERM(DEEDS, "components", DEED_STATE),
	TERM(DEEDS, "component-add", DEED_COMPONENT_ADD),
	TERM(DEEDS, "component-change", DEED_COMPONENT_CHANGE),
	TERM(DEEDS, "component-remove", DEED_COMPONENT_REMOVE),
	TERM(DEEDS, "works-add", DEED_WORKS_ADD),
	TERM(DEEDS, "works-cancel", DEED_WORKS_CANCEL),
	TERM(DEEDS, "events", DEED_EVENT),
	TERM(ISES, "value", IS_VALUE),
	TERM(ISES, "count", IS_COUNT),
	TERM(ISES, "sum", IS_SUM),
	TERM(ISES, "min", IS_MIN),
	TERM(ISES, "max", IS_MAX),
	TERM(PHASES, "", PHASE_AS_BEFORE),
	TERM(PHASES, "identified", PHASE_IDENTIFIED),
	TERM(PHASES, "monitoring", PHASE_MONITORING),
	TERM(PLANS, "planned", WORKS_PLANNED),
	TERM(PLANS, "under_way", WORKS_UNDER_WAY),
	TERM(PLANS, "over", WORKS_OVER),
	TERM(PLANS, "cancelled", WORKS_CANCELLED),
};
/* clang-format on */

const size_t console_terms_count = sizeof(console_terms) / sizeof(console_terms[0]);

const char *console_word(enum language language, enum console_word word)
{
	return words[word][language];
}

const struct console_term *console_term_find(enum console_terms group, const char *name)
{
	for (size_t i = 0; i < console_terms_count; i++)
		if (console_terms[i].group == group && strcmp(console_terms[i].name, name) == 0)
			return &console_terms[i];
	return NULL;
}
