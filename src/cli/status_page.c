/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status_page.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/share.h"
#include "base/time.h"
#include "cli/attack_page.h"
#include "tell/facts.h"
#include "cli/rules_page.h"
#include "tell/words.h"

#define SERVICE_COLUMN 20
#define COLUMNS_BEFORE_REASONS 52

static void heading_space(const struct paper *paper)
{
	(void)fputc('\n', paper->out);
}

static bool is_enforcing(const json_t *now)
{
	return strcmp(fact_text(now, "mode"), "enforce") == 0;
}

/* ---- What the mode is, and where the shield stands ---- */

static void write_mode(const struct paper *paper, const json_t *now)
{
	char text[WORDS_SIZE], clock[WORDS_SIZE];
	struct draft d = { .length = 0 };
	struct capture_time until;
	int64_t ns;

	if (!is_enforcing(now)) {
		draft_add(&d,
		          YELLOW "MODE OBSERVE" PLAIN "  nothing is dropped; 'holdfast enforce --confirm 60s' drops");
	} else if (fact_duration(now, "enforce_left_s", &ns)) {
		draft_add(&d, YELLOW "MODE ENFORCE" PLAIN "  for another %s", words_duration(ns, text));
		if (fact_time(now, "enforce_until", &until))
			draft_add(&d, ", until %s UTC", words_clock(until, clock));
		draft_add(&d, "; 'holdfast enforce' keeps it");
	} else {
		draft_add(&d, GREEN "MODE ENFORCE" PLAIN "  UNDO  holdfast observe");
	}
	paper_text(paper, 0, 14, d.text);
}

static void write_interfaces(const struct paper *paper, const json_t *now)
{
	const json_t *interfaces = json_object_get(now, "interfaces"), *interface;
	struct draft d = { .length = 0 };
	size_t i;

	if (json_array_size(interfaces) == 0) {
		paper_text(paper, 0, 5,
		           RED "XDP  ATTACHED NOWHERE" PLAIN
		               ": no packet is seen; name an interface in shield.interfaces");
		return;
	}
	draft_add(&d, "XDP  ");
	json_array_foreach(interfaces, i, interface)
	{
		const char *hook = fact_text(interface, "hook");

		draft_add(&d, "%s" BOLD "%s" PLAIN " ", i ? ", " : "", fact_text(interface, "name"));
		if (strncmp(hook, "generic", strlen("generic")) == 0)
			draft_add(&d, RED "GENERIC: slow, the driver has no XDP of its own" PLAIN);
		else if (strcmp(hook, "nftables") == 0)
			draft_add(&d, RED "NFTABLES: slow, XDP could not be had" PLAIN);
		else if (strcmp(hook, "detached") == 0)
			draft_add(&d, RED "DETACHED: not protected" PLAIN);
		else
			draft_add(&d, GREEN "%s" PLAIN, hook);
	}
	paper_text(paper, 0, 5, d.text);
}

/* ---- Rates ---- */

/* Of one service: packets and octets between two readings, by fate. */
struct flow {
	uint64_t passed, dropped, would_drop, octets;
};

struct rates {
	const json_t *before, *now; /* COUNTS of one service; `before` NULL: nothing is known */
	int64_t between_ns;
};

static uint64_t grown(const json_t *before, const json_t *now, const char *key)
{
	uint64_t was = fact_count(before, key), is = fact_count(now, key);

	return is > was ? is - was : 0;
}

/* A reason's growth in packets or octets. */
static uint64_t reason_grown(const struct rates *rates, const char *kind, const char *reason, const char *unit)
{
	return grown(json_object_get(json_object_get(rates->before, kind), reason),
	             json_object_get(json_object_get(rates->now, kind), reason), unit);
}

static bool is_drop(const char *reason)
{
	return strncmp(reason, "drop_", strlen("drop_")) == 0;
}

static struct flow flow_of(const struct rates *rates)
{
	static const char *const kinds[] = { "enforced", "observed" };
	struct flow flow = { .passed = 0 };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		json_t *reasons = json_object_get(rates->now, kinds[k]), *counts;
		const char *reason;

		json_object_foreach(reasons, reason, counts)
		{
			uint64_t packets = reason_grown(rates, kinds[k], reason, "packets");

			flow.octets += reason_grown(rates, kinds[k], reason, "octets");
			if (k == 1)
				flow.would_drop += packets;
			else if (is_drop(reason))
				flow.dropped += packets;
			if (k == 1 || !is_drop(reason))
				flow.passed += packets;
		}
	}
	return flow;
}

/* Reasons other than that nothing spoke against a packet, with their rates. */
static void add_reasons(struct draft *d, const struct rates *rates)
{
	static const char *const kinds[] = { "enforced", "observed" };
	char text[WORDS_SIZE];
	bool any = false;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		json_t *reasons = json_object_get(rates->now, kinds[k]), *counts;
		const char *reason;

		json_object_foreach(reasons, reason, counts)
		{
			uint64_t packets = reason_grown(rates, kinds[k], reason, "packets");

			if (packets == 0 || strcmp(reason, "pass_clean") == 0)
				continue;
			draft_add(d, "%s%s %s", any ? ", " : "  ", reason,
			          words_scaled(share_per_second(packets, rates->between_ns), "pps", text));
			any = true;
		}
	}
}

static const json_t *service_named(const json_t *reading, const json_t *name)
{
	const json_t *services = json_object_get(reading, "services"), *service;
	size_t i;

	json_array_foreach(services, i, service) if (json_equal(json_object_get(service, "name"), name)) return service;
	return NULL;
}

/* Of all services together. */
static struct flow whole_flow(const json_t *before, const json_t *now)
{
	const json_t *services = json_object_get(now, "services"), *service;
	struct flow whole = { .passed = 0 };
	size_t i;

	json_array_foreach(services, i, service)
	{
		struct flow flow = flow_of(
			&(struct rates){ service_named(before, json_object_get(service, "name")), service, NS_PER_S });

		whole.passed += flow.passed;
		whole.dropped += flow.dropped;
		whole.would_drop += flow.would_drop;
		whole.octets += flow.octets;
	}
	return whole;
}

static void write_now(const struct paper *paper, const struct flow *whole, bool enforcing, int64_t between_ns)
{
	char text[WORDS_SIZE];
	uint64_t all = whole->passed + whole->dropped;
	struct draft d = { .length = 0 };

	draft_add(&d, "NOW  " BOLD "%s" PLAIN, words_scaled(share_per_second(all, between_ns), "pps", text));
	draft_add(&d, ", %s", words_scaled(share_per_second(whole->octets, between_ns) * 8, "bit/s", text));
	if (enforcing || whole->dropped) {
		draft_add(&d, "   DROPPED " BOLD "%s" PLAIN,
		          words_scaled(share_per_second(whole->dropped, between_ns), "pps", text));
		draft_add(&d, " (%s)", words_share_down(share_ppm(whole->dropped, all), text));
	}
	if (!enforcing || whole->would_drop) {
		draft_add(&d, "   WOULD DROP " BOLD "%s" PLAIN,
		          words_scaled(share_per_second(whole->would_drop, between_ns), "pps", text));
		draft_add(&d, " (%s)", words_share_down(share_ppm(whole->would_drop, all), text));
	}
	paper_text(paper, 0, 5, d.text);
}

/* Since the shield's maps were made: what a flood that is over has left. */
static void write_totals(const struct paper *paper, const json_t *now)
{
	const json_t *totals = json_object_get(now, "totals");
	uint64_t all = fact_count(totals, "packets"), dropped = fact_count(totals, "dropped");
	uint64_t would_drop = fact_count(totals, "would_drop");
	struct draft d = { .length = 0 };
	char text[WORDS_SIZE];

	draft_add(&d, "ALL  %s packets", words_count(all, text));
	draft_add(&d, "   DROPPED %s", words_count(dropped, text));
	draft_add(&d, "   WOULD HAVE DROPPED %s", words_count(would_drop, text));
	paper_text(paper, 0, 5, d.text);
}

static void write_service(const struct paper *paper, const json_t *service, const struct rates *rates, bool enforcing)
{
	char passed[WORDS_SIZE], dropped[WORDS_SIZE];
	const char *name = fact_text(service, "name");
	struct flow flow = flow_of(rates);
	struct draft d = { .length = 0 };

	draft_add(&d, "%-*.*s %14s %14s", SERVICE_COLUMN, SERVICE_COLUMN, *name ? name : "(no service)",
	          words_scaled(share_per_second(flow.passed, rates->between_ns), "pps", passed),
	          words_scaled(share_per_second(enforcing ? flow.dropped : flow.would_drop, rates->between_ns), "pps",
	                       dropped));
	add_reasons(&d, rates);
	paper_text(paper, 0, COLUMNS_BEFORE_REASONS, d.text);
}

static void write_services(const struct paper *paper, const json_t *before, const json_t *now, int64_t between_ns)
{
	const json_t *services = json_object_get(now, "services"), *service;
	bool enforcing = is_enforcing(now);
	struct draft d = { .length = 0 };
	size_t i;

	heading_space(paper);
	draft_add(&d, BOLD "%-*s %14s %14s  %s" PLAIN, SERVICE_COLUMN, "SERVICE", "PASSED",
	          enforcing ? "DROPPED" : "WOULD DROP", "BY REASON");
	paper_line(paper, 0, d.text);
	json_array_foreach(services, i, service)
	{
		struct rates rates = { service_named(before, json_object_get(service, "name")), service, between_ns };

		write_service(paper, service, &rates, enforcing);
	}
}

/* ---- What is in force, and how it goes ---- */

static void write_ways_in(const struct paper *paper, const json_t *now)
{
	const json_t *ways = json_object_get(now, "ways_in"), *way;
	struct draft d = { .length = 0 };
	char text[WORDS_SIZE];
	int64_t ns;
	size_t i;

	if (json_array_size(ways) == 0) {
		paper_text(paper, 0, 8,
		           YELLOW "WAYS IN" PLAIN " none: a block could shut you out; set shield.management.from");
		return;
	}
	draft_add(&d, "WAYS IN ");
	json_array_foreach(ways, i, way)
	{
		draft_add(&d, "%s%s to port %" PRIu64, i ? ", " : "", fact_text(way, "from"), fact_count(way, "port"));
		if (fact_duration(way, "left_s", &ns))
			draft_add(&d, " (%s)", words_duration(ns, text));
	}
	paper_text(paper, 0, 8, d.text);
}

static void write_lists(const struct paper *paper, const json_t *now)
{
	const json_t *blocks = json_object_get(now, "blocks");
	uint64_t ipv4 = fact_count(blocks, "ipv4"), ipv6 = fact_count(blocks, "ipv6");
	uint64_t capacity = fact_count(blocks, "capacity"), allowed = fact_count(now, "allowed");
	char a[WORDS_SIZE], b[WORDS_SIZE], c[WORDS_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, "BLOCKS  %s IPv4, %s IPv6, room for %s of each", words_count(ipv4, a), words_count(ipv6, b),
	          words_count(capacity, c));
	if (ipv4 + ipv6)
		draft_add(&d, "   UNDO  holdfast release PREFIX");
	if (allowed)
		draft_add(&d, "   ALLOWED  %s", words_count(allowed, a));
	paper_text(paper, 0, 8, d.text);
}

/* What bounds were reached: each is a sentence, so that nobody needs to look it up at night. */
static void write_limits(const struct paper *paper, const json_t *now)
{
	const json_t *blocks = json_object_get(now, "blocks");
	const json_t *engine = json_object_get(json_object_get(now, "engine"), "limits");
	const struct {
		uint64_t count;
		const char *name, *means;
	} limits[] = {
		{ fact_count(json_object_get(now, "samples"), "lost"), "samples_lost",
		  "samples found no room; what is measured is less exact" },
		{ fact_count(now, "flows_full"), "flows_full", "conversations were not kept" },
		{ fact_count(now, "cookies_lost"), "cookies_lost",
		  "interfaces lose SYN cookies that the shield sends; the host answers SYNs itself" },
		{ fact_count(json_object_get(now, "record"), "lost"), "record_lost",
		  "entries are missing from the record" },
		{ fact_count(json_object_get(now, "record"), "incidents_lost"), "incidents_lost",
		  "incidents were not written as they stood" },
		{ fact_count(json_object_get(now, "record"), "streams_cut") + fact_count(engine, "streams_cut"),
		  "streams_cut", "streams end early; reports of them know less" },
		{ fact_count(engine, "outbox_lost"), "outbox_lost",
		  "files for the recorder found no room: incidents, streams, what was learned" },
		{ fact_count(engine, "rules_refused"), "rules_refused", "rules found no room, and were not made" },
		{ fact_count(engine, "bans_pushed_out"), "bans_pushed_out",
		  "rules that did harm may be made again: the list of them was full" },
		{ fact_count(engine, "sources_uncounted"), "sources_uncounted",
		  "packets of so many sources that what is usual of them is less exact" },
		{ fact_count(engine, "no_memory"), "no_memory", "searches for rules were left out for want of memory" },
		{ fact_count(engine, "attempts_refused"), "attempts_refused",
		  "attempts to connect were not followed; how users fare is less exact" },
		{ fact_count(engine, "signals_lost"), "signals_lost", "counts of how users fared were not recorded" },
		{ fact_count(engine, "dropped_left_out"), "dropped_left_out",
		  "blocked prefixes find no room in the list of who is dropped; reports from there count" },
		{ fact_count(engine, "dropped_refused"), "dropped_refused",
		  "sources that are dropped are not listed; reports from there count" },
	};
	uint64_t capacity = fact_count(blocks, "capacity");
	struct draft d = { .length = 0 };
	char text[WORDS_SIZE];

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].count)
			draft_add(&d, "%s%s %s: %s", d.length ? "; " : "", limits[i].name,
			          words_count(limits[i].count, text), limits[i].means);
	if (capacity && (fact_count(blocks, "ipv4") >= capacity || fact_count(blocks, "ipv6") >= capacity))
		draft_add(&d, "%sblocks: the table is full; raise shield.block_capacity", d.length ? "; " : "");
	if (d.length == 0)
		return;
	heading_space(paper);
	paper_text(paper, 0, 8, YELLOW "LIMITS HIT" PLAIN);
	paper_text(paper, 8, 8, d.text);
}

static void write_health(const struct paper *paper, const json_t *now)
{
	const json_t *record = json_object_get(now, "record"), *samples = json_object_get(now, "samples");
	const char *state = fact_text(record, "state");
	char text[WORDS_SIZE];
	struct draft d = { .length = 0 };
	int64_t up_ns = 0;

	if (fact_count(now, "pid") == 0) {
		paper_text(paper, 0, 8,
		           RED "DAEMON  NOT RUNNING" PLAIN
		               ": what is in force stays so until it expires, and nothing is recorded; "
		               "'systemctl start holdfast' takes it over, 'holdfast off' ends it");
		return;
	}
	draft_add(&d, "RECORD  %s%s" PLAIN ", %s written", strcmp(state, "ok") == 0 ? GREEN : RED, state,
	          words_count(fact_count(record, "written"), text));
	draft_add(&d, ", %s lost", words_count(fact_count(record, "lost"), text));
	if (fact_count(samples, "interval"))
		draft_add(&d, "   SAMPLES  one packet in %s", words_count(fact_count(samples, "interval"), text));
	else
		draft_add(&d, "   SAMPLES  none yet");
	draft_add(&d, ", %s lost", words_count(fact_count(samples, "lost"), text));
	paper_text(paper, 0, 8, d.text);
	d.length = 0;
	(void)fact_duration(now, "uptime_s", &up_ns);
	draft_add(&d, "DAEMON  %s, pid %" PRIu64 ", up %s", fact_text(now, "version"), fact_count(now, "pid"),
	          words_duration(up_ns, text));
	draft_add(&d, ", restarts of its parts: %s",
	          words_count(fact_count(json_object_get(now, "roles"), "restarts"), text));
	if (json_is_false(json_object_get(now, "ready")))
		draft_add(&d, "  " YELLOW "NOT READY" PLAIN);
	paper_text(paper, 0, 8, d.text);
}

/* Counters of one daemon only: a new one may have begun with new maps. */
static bool is_same_daemon(const json_t *before, const json_t *now)
{
	return before && fact_count(before, "pid") == fact_count(now, "pid") &&
	       strcmp(fact_text(before, "since"), fact_text(now, "since")) == 0;
}

/* Nothing goes on, and how much is known of what is normal. */
static void write_peace(const struct paper *paper, const json_t *now)
{
	const json_t *engine = json_object_get(now, "engine"), *users = json_object_get(now, "users");
	char text[WORDS_SIZE];
	struct draft d = { .length = 0 };
	int64_t learned_ns = 0;

	if (!json_is_array(json_object_get(now, "attacks"))) /* whoever says this does not watch */
		return;
	draft_add(&d, GREEN "QUIET" PLAIN " no attack goes on");
	if (fact_duration(engine, "baseline_s", &learned_ns) && learned_ns >= NS_PER_S)
		draft_add(&d, "; normal traffic of %s is known", words_duration(learned_ns, text));
	else
		draft_add(&d, "; what is normal is still to be learned");
	if (fact_count(users, "answered_pps"))
		draft_add(&d, "; users answered: %s", words_scaled(fact_count(users, "answered_pps"), "pps", text));
	paper_text(paper, 0, 6, d.text);
}

/* How alerts go, where there are any. */
static void write_alerts(const struct paper *paper, const json_t *now)
{
	const json_t *alerts = json_object_get(now, "alerts");
	const char *state = fact_text(alerts, "state");
	char text[WORDS_SIZE];
	struct draft d = { .length = 0 };

	if (!json_is_object(alerts))
		return;
	draft_add(&d, "ALERTS  %s%s" PLAIN ", %s sent", strcmp(state, "ok") == 0 ? GREEN : RED, state,
	          words_count(fact_count(alerts, "sent"), text));
	draft_add(&d, ", %s failed", words_count(fact_count(alerts, "failed"), text));
	if (fact_count(alerts, "queued"))
		draft_add(&d, ", %s wait", words_count(fact_count(alerts, "queued"), text));
	if (fact_count(alerts, "unsaid"))
		draft_add(&d, ", " YELLOW "%s not told" PLAIN ": there were too many",
		          words_count(fact_count(alerts, "unsaid"), text));
	paper_text(paper, 0, 8, d.text);
}

/* Those of an attack that is shown stand there already. NULL where there are no others. */
static json_t *other_rules(const json_t *now)
{
	const json_t *rules = json_object_get(now, "rules");
	json_t *others = json_array(), *rule;
	size_t i;

	json_array_foreach(rules, i, rule) if (!attack_page_has_rule(now, fact_text(rule, "id")))(void)
		json_array_append(others, rule);
	if (json_array_size(others) > 0)
		return others;
	json_decref(others);
	return NULL;
}

void status_page_write(const struct paper *paper, const json_t *before, const json_t *now, int64_t between_ns)
{
	json_t *rules = other_rules(now);

	if (!attack_page_write(paper, now))
		write_peace(paper, now);
	attack_page_write_links(paper, now);
	write_mode(paper, now);
	write_interfaces(paper, now);
	if (is_same_daemon(before, now) && between_ns >= NS_PER_MS) {
		struct flow whole = whole_flow(before, now);

		write_now(paper, &whole, is_enforcing(now), between_ns);
		write_totals(paper, now);
		write_services(paper, before, now, between_ns);
	} else {
		paper_line(paper, 0, "NOW  rates are not known: the daemon began anew");
	}
	heading_space(paper);
	if (rules) {
		rules_page_write(paper, rules, is_enforcing(now), false, (struct capture_time){ 0 });
		heading_space(paper);
		json_decref(rules);
	}
	write_lists(paper, now);
	write_ways_in(paper, now);
	write_alerts(paper, now);
	write_health(paper, now);
	write_limits(paper, now);
}
