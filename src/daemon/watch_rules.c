/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live's orders, one at a time: taken when the loader owes no answer, so that people's wait for one at the most, and
 * they for one of theirs. Each rule that the shield has is counted ten times a second, and missed once it is gone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/log.h"
#include "daemon/role.h"
#include "daemon/watch_inside.h"

#define COUNT_NS (NS_PER_S / 10)
#define LOOK_NS NS_PER_S
#define FREEZE_NS (300 * NS_PER_S)      /* that a service stays frozen if nobody says so again, … */
#define FREEZE_AGAIN_NS (60 * NS_PER_S) /* … which is said so often */
#define STRAY_NS (WATCH_STRAY_S * NS_PER_S)

int watch_rules_new(struct watch *watch)
{
	watch->rules.told = calloc(SHIELD_RULES_MAX, sizeof(*watch->rules.told));
	watch->rules.orders = calloc(WATCH_ORDERS_MAX, sizeof(*watch->rules.orders));
	return watch->rules.told && watch->rules.orders ? 0 : -ENOMEM;
}

void watch_rules_free(struct watch *watch)
{
	free(watch->rules.told);
	free(watch->rules.orders);
}

static uint64_t jiffies_now(const struct watch *watch)
{
	return shield_jiffies_at(watch->setup.pace, role_monotonic_ns());
}

static bool read_told(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	return shield_read_rules(watch->setup.maps, jiffies_now(watch), rules->told, &rules->told_count) == 0;
}

static const struct shield_rule_told *find_told(const struct watch_rules *rules, uint32_t number)
{
	for (unsigned i = 0; i < rules->told_count; i++)
		if (rules->told[i].number == number)
			return &rules->told[i];
	return NULL;
}

/* ---- strays ---- */

static void find_strays(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	rules->stray_count = 0;
	if (!read_told(watch))
		return;
	for (unsigned i = 0; i < rules->told_count; i++)
		if (rules->told[i].made_by == SHIELD_BY_ENGINE)
			rules->strays[rules->stray_count++] = (struct watch_stray){ .number = rules->told[i].number };
	if (rules->stray_count)
		LOG_SAY(LOG_INFO, "%u rules that were made before stand; they are taken up again where they are wanted",
		        rules->stray_count);
}

void watch_rules_begin(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	rules->rule_count = rules->order_count = 0;
	rules->has_order = false;
	rules->forsaken = rules->awaited_id != 0;
	find_strays(watch);
}

static struct watch_stray *find_stray(struct watch_rules *rules, uint32_t number)
{
	for (unsigned i = 0; i < rules->stray_count; i++)
		if (rules->strays[i].number == number)
			return &rules->strays[i];
	return NULL;
}

static void forget_stray(struct watch_rules *rules, uint32_t number)
{
	struct watch_stray *stray = find_stray(rules, number);

	if (stray)
		*stray = rules->strays[--rules->stray_count];
}

/* Whatever it does with them, it is about the same packets. */
static bool same_packets(const struct rule *one, const struct rule *other)
{
	char a[MATCH_TEXT_SIZE], b[MATCH_TEXT_SIZE];

	return prefix_equal(&one->scope, &other->scope) &&
	       strcmp(match_format(&one->match, a), match_format(&other->match, b)) == 0;
}

/*
 * Rates are as the attack was seen, which no two engines see alike: about as many are let pass, and it begins to act at
 * about as many, or at fewer.
 */
static bool does_the_same(const struct shield_rule_told *told, const struct live_order *order)
{
	uint64_t rate = told->rule.rate_pps, ordered = order->rule.rate_pps;

	return told->rule.action == order->rule.action && rate <= 2 * ordered && ordered <= 2 * rate &&
	       told->shadow == order->shadow && told->spare == order->spare && told->probe == order->probe &&
	       told->known == order->known && told->each == order->each &&
	       told->source_pps <= 2 * (uint64_t)order->source_pps &&
	       order->source_pps <= 2 * (uint64_t)told->source_pps && (told->arm_pps != 0) == (order->arm_pps != 0) &&
	       told->arm_pps <= 2 * (uint64_t)order->arm_pps;
}

/*
 * The stray that does what is ordered, or 0. What is about the same packets and does something else with them is
 * replaced.
 */
static uint32_t match_strays(struct watch *watch, const struct live_order *order)
{
	struct watch_rules *rules = &watch->rules;

	if (rules->stray_count == 0 || !read_told(watch))
		return 0;
	for (unsigned i = 0; i < rules->stray_count; i++) {
		const struct shield_rule_told *told = find_told(rules, rules->strays[i].number);

		if (!told || !same_packets(&told->rule, &order->rule))
			continue;
		if (does_the_same(told, order))
			return told->number;
		rules->strays[i].replaced = true;
	}
	return 0;
}

/* ---- rules ---- */

static struct watch_rule *find_rule(struct watch_rules *rules, uint64_t handle)
{
	for (unsigned i = 0; i < rules->rule_count; i++)
		if (rules->rules[i].handle == handle)
			return &rules->rules[i];
	return NULL;
}

static void add_rule(struct watch_rules *rules, uint64_t handle, uint32_t number)
{
	if (rules->rule_count < LIVE_RULES_MAX)
		rules->rules[rules->rule_count++] = (struct watch_rule){ .handle = handle, .number = number };
	rules->look_ns = 0;
}

static void forget_rule(struct watch_rules *rules, struct watch_rule *rule)
{
	*rule = rules->rules[--rules->rule_count];
}

static void record(const struct watch *watch, const struct live_order *order, uint32_t number, bool ended,
                   const char *outcome, const char *what)
{
	struct watch_deed deed = {
		.outcome = outcome,
		.number = number,
		.ended = ended,
		.rule = ended ? NULL : &order->rule,
		.shadow = order->shadow,
		.what = what,
	};

	watch->setup.record(watch->setup.context, &deed);
}

/* ---- orders ---- */

static void make_number(struct watch *watch, enum message_type type, uint32_t number)
{
	message_init(&watch->message, type, 0);
	watch->message.number = number;
	watch->rules.number = number;
}

static void make_renewal(struct watch *watch, uint32_t number, int64_t for_ns)
{
	message_init(&watch->message, MESSAGE_RENEW_RULE, 0);
	watch->message.renewal.number = number;
	watch->message.renewal.for_ns = for_ns;
	watch->rules.number = number;
}

static enum watch_step make_addition(struct watch *watch)
{
	const struct live_order *order = &watch->rules.order;
	struct message_rule *rule = &watch->message.rule;
	uint32_t stray = match_strays(watch, order);

	if (stray) {
		make_renewal(watch, stray, order->for_ns);
		return STEP_ADOPT;
	}
	if (watch->rules.stray_count > 0 && watch->rules.rule_count + watch->rules.stray_count >= LIVE_RULES_MAX) {
		make_number(watch, MESSAGE_REMOVE_RULE, watch->rules.strays[0].number);
		return STEP_LET_GO;
	}
	message_init(&watch->message, MESSAGE_ADD_RULE, 0);
	message_put_rule(rule, &order->rule);
	rule->shadow = order->shadow;
	rule->spare = order->spare;
	rule->probe = order->probe;
	rule->known = order->known;
	rule->each = order->each;
	rule->source_pps = order->source_pps;
	rule->arm_pps = order->arm_pps;
	rule->hold_s = order->arm_pps ? LIFE_HOLD_S : 0;
	rule->made_by = SHIELD_BY_ENGINE;
	rule->made_ns = role_wall_ns();
	rule->for_ns = order->for_ns;
	message_text(rule->reason, sizeof(rule->reason), order->reason);
	return STEP_ADD;
}

/* Of the order, the message that is next; STEP_NONE: there is nothing to do about it. */
static enum watch_step make_message(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;
	const struct watch_rule *rule = find_rule(rules, rules->order.handle);

	switch (rules->order.type) {
	case LIVE_ADD_RULE:
		return make_addition(watch);
	case LIVE_RENEW_RULE:
		if (!rule)
			return STEP_NONE;
		make_renewal(watch, rule->number, rules->order.for_ns);
		return STEP_RENEW;
	case LIVE_REMOVE_RULE:
		if (!rule)
			return STEP_NONE;
		make_number(watch, MESSAGE_REMOVE_RULE, rule->number);
		return STEP_REMOVE;
	default:
		return STEP_NONE;
	}
}

/* ---- services under attack ---- */

void watch_freeze_begin(struct watch *watch)
{
	watch->rules.frozen = 0;
	watch->rules.freeze_ns = 0;
}

/* As they stand in the configuration. Where that has changed while an attack goes on live has others, and all are. */
static uint64_t attacked(const struct watch *watch)
{
	uint64_t services = live_attacked(watch->live);

	return watch->outdated && services ? UINT64_MAX : services;
}

/* Which are under attack, when that changes, and again while it lasts, for the kernel does not wait for ever. */
static enum watch_step make_freeze(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;
	uint64_t now = attacked(watch);

	if (now == rules->frozen && (now == 0 || watch->now_ns < rules->freeze_ns))
		return STEP_NONE;
	message_init(&watch->message, MESSAGE_FREEZE, 0);
	watch->message.freeze.attacked = now;
	watch->message.freeze.for_ns = FREEZE_NS;
	return STEP_FREEZE;
}

/*
 * When there is nothing better to do: strays that another has replaced go, and those that hold for long hold for less.
 */
static enum watch_step tend_strays(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	for (unsigned i = 0; i < rules->stray_count; i++) {
		struct watch_stray *stray = &rules->strays[i];
		const struct shield_rule_told *told = find_told(rules, stray->number);

		if (stray->replaced) {
			make_number(watch, MESSAGE_REMOVE_RULE, stray->number);
			return STEP_LET_GO;
		}
		if (stray->short_lived)
			continue;
		stray->short_lived = true;
		if (told && shield_ns_until(watch->setup.pace, role_monotonic_ns(), told->expires) > STRAY_NS) {
			make_renewal(watch, stray->number, STRAY_NS);
			return STEP_SHORTEN;
		}
	}
	return STEP_NONE;
}

void watch_rules_take(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	while (rules->order_count < WATCH_ORDERS_MAX &&
	       live_next_order(watch->live, &rules->orders[(rules->first + rules->order_count) % WATCH_ORDERS_MAX]))
		rules->order_count++;
}

static bool next_order(struct watch_rules *rules)
{
	if (rules->order_count == 0)
		return false;
	rules->order = rules->orders[rules->first];
	rules->first = (rules->first + 1) % WATCH_ORDERS_MAX;
	rules->order_count--;
	return true;
}

static void send_next(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	while (rules->awaited_id == 0) {
		enum watch_step step;

		if (!rules->has_order)
			rules->has_order = next_order(rules);
		step = make_freeze(watch);
		if (step == STEP_NONE)
			step = rules->has_order ? make_message(watch) : tend_strays(watch);
		if (step == STEP_NONE && !rules->has_order)
			return;
		if (step == STEP_NONE) {
			rules->has_order = false;
			continue;
		}
		watch->message.id = ++*watch->setup.next_id;
		if (message_send(watch->setup.loader, &watch->message, NULL, 0) != 0)
			return; /* it is full: later; that nobody is left shows elsewhere */
		if (step == STEP_FREEZE) {
			rules->frozen = watch->message.freeze.attacked;
			rules->freeze_ns = watch->now_ns + FREEZE_AGAIN_NS;
		}
		rules->step = step;
		rules->awaited_id = watch->message.id;
	}
}

static void take_addition(struct watch *watch, const struct message_answer *answer)
{
	struct watch_rules *rules = &watch->rules;
	const struct live_order *order = &rules->order;
	char text[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];

	rules->has_order = false;
	if (answer->result == 0) {
		add_rule(rules, order->handle, answer->number);
		LOG_SAY(LOG_NOTICE, "r%" PRIu32 " %s: %.300s to %s", answer->number,
		        order->shadow ? "watches" : rule_action_name(order->rule.action),
		        match_format(&order->rule.match, text), prefix_format(&order->rule.scope, scope));
		record(watch, order, answer->number, false, "done", order->reason);
	} else {
		LOG_SAY(LOG_WARNING, "a rule is not made: %s", answer->what);
		record(watch, order, 0, false, answer->result == -EPERM ? "refused" : "failed", answer->what);
	}
	watch_ruled(watch, order->handle, answer->result == 0 ? answer->number : 0, answer->result);
}

static void take_adoption(struct watch *watch, int result)
{
	struct watch_rules *rules = &watch->rules;

	forget_stray(rules, rules->number);
	if (result != 0) /* it has just ended: it is made anew */
		return;
	rules->has_order = false;
	add_rule(rules, rules->order.handle, rules->number);
	LOG_SAY(LOG_NOTICE, "r%" PRIu32 " is taken up again", rules->number);
	watch_ruled(watch, rules->order.handle, rules->number, 0);
}

static void take_renewal(struct watch *watch, const struct message_answer *answer)
{
	struct watch_rules *rules = &watch->rules;
	struct watch_rule *rule = find_rule(rules, rules->order.handle);

	rules->has_order = false;
	if (answer->result != -ENOENT) {
		if (answer->result != 0)
			LOG_SAY(LOG_WARNING, "r%" PRIu32 " is not kept: %s", rules->number, answer->what);
		return;
	}
	if (rule)
		forget_rule(rules, rule);
	watch_rule_gone(watch, rules->order.handle);
}

static void take_removal(struct watch *watch, const struct message_answer *answer)
{
	struct watch_rules *rules = &watch->rules;
	struct watch_rule *rule = find_rule(rules, rules->order.handle);

	rules->has_order = false;
	if (answer->result != 0 && answer->result != -ENOENT) /* it is looked for no more, and expires */
		LOG_SAY(LOG_WARNING, "r%" PRIu32 " is not let go: %s", rules->number, answer->what);
	if (rule)
		forget_rule(rules, rule);
	if (answer->result == 0) {
		LOG_SAY(LOG_NOTICE, "r%" PRIu32 " is let go", rules->number);
		record(watch, &rules->order, rules->number, true, "done", "");
	}
}

bool watch_answered(struct watch *watch, const struct message *message)
{
	struct watch_rules *rules = &watch->rules;
	struct message_answer answer = message->answer; /* `message` may be where the next one is made */

	if (rules->awaited_id == 0 || message->id != rules->awaited_id)
		return false;
	rules->awaited_id = 0;
	if (rules->forsaken) { /* it is found among those that stand; what live has ordered since waits on */
		rules->forsaken = false;
		find_strays(watch);
		return true;
	}
	switch (rules->step) {
	case STEP_ADD:
		take_addition(watch, &answer);
		break;
	case STEP_ADOPT:
		take_adoption(watch, answer.result);
		break;
	case STEP_RENEW:
		take_renewal(watch, &answer);
		break;
	case STEP_REMOVE:
		take_removal(watch, &answer);
		break;
	case STEP_LET_GO:
		forget_stray(rules, rules->number);
		break;
	case STEP_FREEZE:
	case STEP_SHORTEN:
	case STEP_NONE:
	default:
		break;
	}
	send_next(watch);
	return true;
}

/* ---- what they count ---- */

/* Which are there, and where they count. */
static void look(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	if (!read_told(watch))
		return;
	for (unsigned i = rules->rule_count; i-- > 0;) {
		const struct shield_rule_told *told = find_told(rules, rules->rules[i].number);
		uint64_t handle = rules->rules[i].handle;

		if (told) {
			rules->rules[i].counter = told->counter;
			rules->rules[i].found = true;
			continue;
		}
		if (rules->step == STEP_REMOVE && rules->awaited_id != 0 && rules->order.handle == handle)
			continue; /* our own doing */
		forget_rule(rules, &rules->rules[i]);
		watch_rule_gone(watch, handle);
	}
	for (unsigned i = rules->stray_count; i-- > 0;)
		if (!find_told(rules, rules->strays[i].number))
			forget_stray(rules, rules->strays[i].number);
}

/* What nftables has counted of it besides. */
static void add_nftables(const struct message_counted *nftables, uint32_t number, struct life_count *count)
{
	for (uint32_t i = 0; i < nftables->rule_count && i < SHIELD_RULES_MAX; i++) {
		if (nftables->rules[i].number != number)
			continue;
		count->matched += nftables->rules[i].matched.packets;
		count->dropped += nftables->rules[i].dropped.packets;
	}
}

static void count(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;
	uint64_t now = jiffies_now(watch);

	for (unsigned i = 0; i < rules->rule_count; i++) {
		const struct watch_rule *rule = &rules->rules[i];
		struct shield_rule_count counted;
		uint64_t until;
		struct life_count life;

		if (!rule->found || shield_read_rule_count(watch->setup.maps, rule->counter, &counted) != 0 ||
		    shield_read_active_until(watch->setup.maps, rule->counter, &until) != 0)
			continue;
		life = (struct life_count){
			.matched = counted.matched.packets,
			.dropped = counted.dropped.packets,
			.spared = counted.spared.packets,
			.answered = counted.answered.packets,
			.probes = counted.probes.packets,
			.completed = counted.completed.packets,
			.known = counted.known.packets,
			.known_lost = counted.known_lost.packets,
			.active = until > now,
		};
		add_nftables(watch->setup.nftables, rule->number, &life);
		watch_rule_counted(watch, rule->handle, &life);
	}
}

void watch_rules_changed(struct watch *watch)
{
	watch->rules.look_ns = 0;
}

void watch_rules_turn(struct watch *watch)
{
	struct watch_rules *rules = &watch->rules;

	if ((rules->rule_count || rules->stray_count) && watch->now_ns >= rules->look_ns) {
		rules->look_ns = watch->now_ns + LOOK_NS;
		look(watch);
	}
	if (rules->rule_count && watch->now_ns >= rules->count_ns) {
		rules->count_ns = watch->now_ns + COUNT_NS;
		count(watch);
	}
	send_next(watch);
}
