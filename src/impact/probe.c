/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "impact/words.h"

#define US_PER_MS 1000
#define CANARIES_MIN 3

static const char *const type_names[PROBE_TYPES + 1] = {
	[PROBE_HTTP] = "http",
	[PROBE_TCP] = "tcp",
	[PROBE_TLS] = "tls",
	[PROBE_DNS] = "dns",
};

WORDS(probe_type, enum probe_type, type_names)

static const struct {
	const char *word, *says;
	bool here;
} reasons[PROBE_REASONS] = {
	[PROBE_OK] = { "ok", "answers", false },
	[PROBE_NO_NAME] = { "no_name", "there is no such name", false },
	[PROBE_NO_ADDRESS] = { "no_address", "the name has no address", false },
	[PROBE_RESOLVER_TIMEOUT] = { "resolver_timeout", "the name's look-up took too long", false },
	[PROBE_RESOLVER_FAILED] = { "resolver_failed", "the name could not be looked up", false },
	[PROBE_CONNECT_REFUSED] = { "connect_refused", "refused the connection", false },
	[PROBE_CONNECT_TIMEOUT] = { "connect_timeout", "no connection within the time", false },
	[PROBE_CONNECT_UNREACHABLE] = { "connect_unreachable", "cannot be reached", false },
	[PROBE_CONNECT_FAILED] = { "connect_failed", "no connection", false },
	[PROBE_NO_ROUTE] = { "no_route", "this host has no way there; not counted", true },
	[PROBE_TLS_TIMEOUT] = { "tls_timeout", "TLS did not come about within the time", false },
	[PROBE_TLS_FAILED] = { "tls_failed", "TLS did not come about", false },
	[PROBE_CERTIFICATE_EXPIRED] = { "certificate_expired", "the certificate has expired", false },
	[PROBE_CERTIFICATE_EARLY] = { "certificate_not_yet_valid", "the certificate is not valid yet", false },
	[PROBE_CERTIFICATE_UNTRUSTED] = { "certificate_untrusted", "nobody trusted signed the certificate", false },
	[PROBE_CERTIFICATE_NAME] = { "certificate_wrong_name", "the certificate is another name's", false },
	[PROBE_REPLY_TIMEOUT] = { "reply_timeout", "no whole answer within the time", false },
	[PROBE_REPLY_CLOSED] = { "reply_closed", "closed the connection before the answer was whole", false },
	[PROBE_REPLY_MALFORMED] = { "reply_malformed", "what it answers is no HTTP", false },
	[PROBE_REPLY_TOO_LARGE] = { "reply_too_large", "the head of its answer does not end", false },
	[PROBE_STATUS] = { "status_unexpected", "answers another status than it should", false },
	[PROBE_TEXT_MISSING] = { "text_missing", "its answer lacks the text that should be in it", false },
	[PROBE_REDIRECT_LOOP] = { "redirect_loop", "its redirects go round in a circle", false },
	[PROBE_REDIRECTS_MANY] = { "redirects_too_many", "redirects too often", false },
	[PROBE_REDIRECT_REFUSED] = { "redirect_refused", "redirects to where nobody follows", false },
	[PROBE_NOT_CHECKED] = { "not_checked", "could not be checked from here; not counted", true },
};

const char *probe_reason_name(enum probe_reason value)
{
	return reasons[value].word;
}

bool probe_reason_find(const char *word, enum probe_reason *value)
{
	for (unsigned i = 0; i < PROBE_REASONS; i++)
		if (strcmp(reasons[i].word, word) == 0) {
			*value = (enum probe_reason)i;
			return true;
		}
	return false;
}

const char *probe_reason_says(enum probe_reason value)
{
	return reasons[value].says;
}

bool probe_reason_is_here(enum probe_reason value)
{
	return reasons[value].here;
}

/* ---- what a check came to ---- */

/* The reason is the first address's that fails; where none could be checked, that. */
void probe_judge(struct probe_result *result)
{
	const struct probe_address *worst = NULL;
	bool any = false;

	result->total_us = 0;
	for (uint32_t i = 0; i < result->count; i++) {
		const struct probe_address *address = &result->addresses[i];

		if (address->total_us > result->total_us)
			result->total_us = address->total_us;
		any = any || address->reason == PROBE_OK;
		if (address->reason != PROBE_OK &&
		    (!worst || (reasons[worst->reason].here && !reasons[address->reason].here)))
			worst = address;
	}
	if (__builtin_add_overflow(result->total_us, result->dns_us, &result->total_us))
		result->total_us = UINT32_MAX;
	if (result->count > 0)
		result->reason = !worst || (any && reasons[worst->reason].here) ? PROBE_OK : worst->reason;
}

void probe_counts(const struct probe_result *result, uint32_t *good, uint32_t *bad)
{
	*good = *bad = 0;
	for (uint32_t i = 0; i < result->count; i++) {
		*good += result->addresses[i].reason == PROBE_OK;
		*bad += result->addresses[i].reason != PROBE_OK && !reasons[result->addresses[i].reason].here;
	}
	*bad += result->count == 0 && !reasons[result->reason].here;
}

bool probe_is_blind(uint32_t good, uint32_t bad)
{
	uint64_t all = (uint64_t)good + bad;

	return all >= CANARIES_MIN && 3 * (uint64_t)bad >= 2 * all;
}

/* ---- when ---- */

int64_t probe_due(uint64_t seed, int64_t every_ns, uint32_t which, uint32_t count, int64_t after_ns)
{
	int64_t part = every_ns / (count > 0 ? count : 1), half = part / 2 > 0 ? part / 2 : 1;
	int64_t round = after_ns / every_ns;

	for (;; round++) {
		uint64_t mixed = hash_2(seed, (uint64_t)round, which);
		int64_t due = round * every_ns + which * part + (int64_t)(mixed % (uint64_t)half);

		if (due >= after_ns)
			return due;
	}
}

/* ---- counts ---- */

static struct signal_count *cell_at(struct probe_tally *tally, const struct probe_result *result, const char *component,
                                    enum signal_kind kind)
{
	struct signal_count *cell;
	int64_t bucket = count_bucket(result->at_ns);

	for (uint32_t i = 0; i < tally->count; i++) {
		cell = &tally->cells[i];
		if (cell->bucket_ns == bucket && cell->kind == kind && strcmp(cell->component, component) == 0)
			return cell;
	}
	if (tally->count == PROBE_CELLS_MAX) {
		tally->refused++;
		return NULL;
	}
	cell = &tally->cells[tally->count++];
	*cell = (struct signal_count){ .bucket_ns = bucket, .kind = kind };
	(void)snprintf(cell->component, sizeof(cell->component), "%s", component);
	memcpy(cell->vantage, result->vantage, sizeof(cell->vantage));
	return cell;
}

static void count_in(struct probe_tally *tally, const struct probe_result *result, const char *component,
                     enum signal_kind kind)
{
	uint32_t good, bad, ms = result->total_us / US_PER_MS;
	struct signal_count *cell;

	probe_counts(result, &good, &bad);
	if (good + bad == 0)
		return;
	cell = cell_at(tally, result, component, kind);
	if (!cell)
		return;
	if (kind == SIGNAL_CANARY) { /* a place, however many addresses it has */
		cell->good += good > 0;
		cell->bad += good == 0;
		return;
	}
	cell->good += good;
	cell->bad += bad;
	cell->value = ms > cell->value ? ms : cell->value;
}

void probe_tally_add(struct probe_tally *tally, const struct probe_result *result)
{
	count_in(tally, result, result->component, SIGNAL_PROBE);
}

void probe_tally_canary(struct probe_tally *tally, const struct probe_result *result, const char *component)
{
	count_in(tally, result, component, SIGNAL_CANARY);
}

uint32_t probe_tally_take(struct probe_tally *tally, struct signal_count *signals, uint32_t most)
{
	uint32_t taken = tally->count < most ? tally->count : most;

	memcpy(signals, tally->cells, taken * sizeof(*signals));
	memmove(tally->cells, tally->cells + taken, (tally->count - taken) * sizeof(*tally->cells));
	tally->count -= taken;
	return taken;
}
