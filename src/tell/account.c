/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/account.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hll.h"
#include "base/share.h"
#include "detect/scope.h"
#include "measure/slot.h"
#include "observe/protocol.h"
#include "tell/limits.h"

#define FILES_SHOWN 4
#define EVIDENCE_SHOWN 4  /* vectors whose evidence is told */
#define FEW 50            /* up to here an estimate is as good as a count */
#define COMMON_PPM 500000 /* what at least half of the packets share is worth a line */
#define QUESTIONS_LEAST 100
#define OWN_LABELS_PPM 900000 /* of as many questions, each with a first label of its own: HyperLogLog errs by 1.6 % */

enum { NAME_SERVER = 53, LABEL_AT = 12, LABEL_MAX = 63 }; /* RFC 1035 section 4: the header, then the first name */

static uint64_t at_most(uint64_t estimate, uint64_t bound)
{
	return estimate < bound ? estimate : bound;
}

static void tell(const struct account_sink *to, const char *text)
{
	to->take(to->context, text);
}

/* ---- Words that may stand in one sentence ---- */

char *account_room(struct account *a)
{
	return a->words[a->used++ % ACCOUNT_WORDS];
}

const char *account_count(struct account *a, uint64_t n)
{
	return words_count(n, account_room(a));
}

const char *account_scaled(struct account *a, uint64_t n, const char *unit)
{
	return words_scaled(n, unit, account_room(a));
}

const char *account_duration(struct account *a, struct capture_time from, struct capture_time to)
{
	return words_duration(time_since(to, from), account_room(a));
}

const char *account_down(struct account *a, uint64_t ppm)
{
	return words_share_down(ppm, account_room(a));
}

const char *account_up(struct account *a, uint64_t ppm)
{
	return words_share_up(ppm, account_room(a));
}

const char *account_plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

uint64_t account_times(uint64_t n, uint64_t by)
{
	uint64_t product;

	return __builtin_mul_overflow(n, by, &product) ? UINT64_MAX : product;
}

const char *account_about(struct account *a, uint64_t n)
{
	char *text = account_room(a), number[WORDS_SIZE];

	snprintf(text, WORDS_SIZE, "%s%s", n > FEW ? "about" WORDS_TIE : "", words_count(n, number));
	return text;
}

static const char *count_of(struct account *a, const struct finding *f, uint64_t n, const char *one, const char *many)
{
	char *text = account_room(a);

	snprintf(text, WORDS_SIZE, "%s %s", f->sources_error_ppm ? account_about(a, n) : account_count(a, n),
	         account_plural(n, one, many));
	return text;
}

const char *account_sources(struct account *a, const struct finding *f)
{
	return count_of(a, f, f->sources, "address", "addresses");
}

const char *account_networks(struct account *a, const struct finding *f)
{
	return count_of(a, f, f->networks, "network", "networks");
}

const char *account_pps(struct account *a, uint64_t packets)
{
	return account_scaled(a, account_times(packets, SLOTS_PER_SECOND), "pps");
}

const char *account_bps(struct account *a, uint64_t bytes)
{
	return account_scaled(a, account_times(bytes, SLOTS_PER_SECOND * WORDS_BITS_PER_OCTET), "bit/s");
}

const char *account_service(const struct account *a, const struct finding *f)
{
	return a->input->service_of ? a->input->service_of(a->input->service_context, f) : NULL;
}

/* Numbers of four digits and more as people read them; those behind a point or within a word are left alone. */
static void add_grouped(struct account *a, struct draft *d, const char *text)
{
	for (const char *at = text; *at;) {
		size_t digits = strspn(at, "0123456789");
		bool alone = at == text || (at[-1] != '.' && !isalnum((unsigned char)at[-1]));

		if (digits > 3 && digits < 19 && alone && !isalnum((unsigned char)at[digits]))
			draft_add(d, "%s", account_count(a, strtoull(at, NULL, 10)));
		else
			draft_add(d, "%.*s", (int)(digits ? digits : 1), at);
		at += digits ? digits : 1;
	}
}

/* ---- What an incident is about ---- */

const char *account_target(const struct finding *f, char text[PREFIX_TEXT_SIZE])
{
	return scope_format(&f->incident->scope, text);
}

const struct vector *account_main_vector(const struct finding *f)
{
	return vector_get(f->incident->parts_count ? f->incident->parts[0].kind : VECTOR_NONE);
}

bool account_is_requests(const struct finding *f)
{
	return f->incident->parts_count == 1 && f->incident->parts[0].kind == VECTOR_HTTP;
}

const char *account_noun(const struct finding *f, uint64_t n)
{
	return account_is_requests(f) ? account_plural(n, "request", "requests")
	                              : account_plural(n, "packet", "packets");
}

const char *account_rate(struct account *a, const struct finding *f, uint64_t n_100ms)
{
	char *text = account_room(a);

	if (!account_is_requests(f))
		return account_pps(a, n_100ms);
	snprintf(text, WORDS_SIZE, "%s" WORDS_TIE "requests/s",
	         account_count(a, account_times(n_100ms, SLOTS_PER_SECOND)));
	return text;
}

void account_span(struct account *a, struct draft *d, struct capture_time from, struct capture_time to)
{
	const char *begin = words_date_time(from, account_room(a)), *end = words_date_time(to, account_room(a));

	if (strcmp(begin, end) == 0)
		draft_add(d, " at %s UTC", begin);
	else if (strncmp(begin, end, strlen("2025-03-10")) == 0)
		draft_add(d, " from %s to %s UTC", begin, words_clock(to, account_room(a)));
	else
		draft_add(d, " from %s to %s UTC", begin, end);
}

static void add_target(struct account *a, struct draft *d, const struct finding *f)
{
	const char *service = account_service(a, f);
	char text[PREFIX_TEXT_SIZE];

	draft_add(d, "%s", account_target(f, text));
	if (service)
		draft_add(d, " (%s)", service);
	if (f->ports_count) {
		draft_add(d, ", %s ", account_plural(f->ports_count, "port", "ports"));
		for (uint32_t i = 0; i < f->ports_count && i < FINDING_PORTS_MAX; i++)
			draft_add(d, "%s%" PRIu16, i == 0 ? "" : i + 1 == f->ports_count ? " and " : ", ", f->ports[i]);
		draft_add(d, ",");
	}
}

void account_shape(struct account *a, const struct finding *f, struct draft *d)
{
	const struct incident *incident = f->incident;

	if (f->carpet)
		draft_add(d, " It was spread over %s addresses of that network, so that no single one shows it.",
		          account_about(a, f->destinations));
	if (f->pulse)
		draft_add(
			d,
			" It came in %s waves with quiet between them: a defence that switches off in the quiet is late each time.",
			account_count(a, incident->waves_count));
	else if (incident->waves_count > 1)
		draft_add(d, " It came in %s waves.", account_count(a, incident->waves_count));
	if (incident->parts_count > 1)
		draft_add(d, " %s of traffic took part, see Vectors.",
		          incident->parts_count == 2 ? "Two kinds" : "Several kinds");
	if (incident->open)
		draft_add(d, " It was still going on when the capture ends.");
}

void account_attack(struct account *a, const struct finding *f, struct draft *d)
{
	const struct incident *incident = f->incident;

	add_target(a, d, f);
	draft_add(d, " was under attack");
	account_span(a, d, incident->began, incident->ended);
	draft_add(
		d,
		". %s. %s %s, %s, came from %s%s; in the busiest tenth of a second at a rate of %s %s and %s a second.",
		account_main_vector(f)->explanation, account_count(a, incident->packets),
		account_noun(f, incident->packets), account_scaled(a, incident->bytes, "B"), account_sources(a, f),
		f->spoofing.verdict == SPOOFING_SPOOFED && incident->parts_count == 1 ? ", which are forged" : "",
		account_count(a, account_times(incident->peak_packets, SLOTS_PER_SECOND)), account_noun(f, 2),
		account_scaled(a, account_times(incident->peak_bytes, SLOTS_PER_SECOND * WORDS_BITS_PER_OCTET), "bit"));
}

void account_scan(struct account *a, const struct finding *f, struct draft *d)
{
	const struct incident *incident = f->incident;

	draft_add(d, "Somebody looked for what is there:");
	draft_add(d, " %s %s to ", account_count(a, incident->packets),
	          account_plural(incident->packets, "packet", "packets"));
	add_target(a, d, f);
	draft_add(d, " came from %s", account_sources(a, f));
	account_span(a, d, incident->began, incident->ended);
	draft_add(d, ".");
	if (account_main_vector(f)->class == VECTOR_SCAN && incident->parts[0].kind == VECTOR_SCAN_PORTS)
		draft_add(d, " They asked for %s different ports.",
		          account_about(a, at_most(hll_estimate(&f->total->dst_ports), incident->packets)));
	else if (f->destinations > 1)
		draft_add(d, " They asked %s different hosts.", account_about(a, f->destinations));
	draft_add(d, " Nothing needs to be dropped.");
}

/* ---- Why we think so ---- */

/* The heaviest key, and at least how many packets it has. False where there is none. */
static bool heaviest(const struct topk *topk, uint64_t *key, uint64_t *at_least)
{
	const struct topk_entry *best = NULL;

	for (uint32_t i = 0; i < topk->used; i++) {
		const struct topk_entry *entry = &topk->entries[i];

		if (!best || entry->count > best->count ||
		    (entry->count == best->count && entry->key.low < best->key.low))
			best = entry;
	}
	if (!best || best->count <= best->error)
		return false;
	*key = best->key.low;
	*at_least = best->count - best->error;
	return true;
}

static void add_http_evidence(struct account *a, struct draft *d, const struct incident_part *part)
{
	char lines[HTTP_FACTS_MAX][HTTP_FACT_SIZE];
	unsigned count = http_facts_tell(&part->http, lines);

	draft_add(d, "%s: %s %s", vector_get(part->kind)->title, account_count(a, part->window->packets),
	          part->kind == VECTOR_HTTP ? account_plural(part->window->packets, "request", "requests")
	                                    : account_plural(part->window->packets, "packet", "packets"));
	for (unsigned i = 0; i < count; i++)
		draft_add(d, "; %s", lines[i]);
	draft_add(d, ".");
}

/*
 * Of the questions to name servers that were kept, how many in a million have a first label of their own; 0 where there
 * are too few. Clients ask for the same names again and again, whom caches serve.
 */
static uint64_t own_labels_ppm(const struct sample *sample)
{
	struct hll labels = { { 0 } };
	uint64_t questions = 0, estimate;

	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;
		uint64_t hash;

		sample_read(sample, i, &o);
		if (o.protocol != PROTOCOL_UDP || o.dst_port != NAME_SERVER || o.payload_kept <= LABEL_AT + 1 ||
		    o.payload[LABEL_AT] > LABEL_MAX)
			continue;
		hash = o.payload[LABEL_AT];
		for (unsigned k = 0; k < o.payload[LABEL_AT] && LABEL_AT + 1 + k < o.payload_kept; k++)
			hash = hash_2(hash, o.payload[LABEL_AT + 1 + k], k);
		hll_add(&labels, hash);
		questions++;
	}
	if (questions < QUESTIONS_LEAST)
		return 0;
	estimate = hll_estimate(&labels);
	return share_ppm(estimate < questions ? estimate : questions, questions);
}

/* Questions are counted whether they are answered or not: too many are an attack all the same. */
static void add_questions(struct account *a, struct draft *d, const struct incident_part *part, const char *target)
{
	uint64_t own = part->kind == VECTOR_DNS_QUERY ? own_labels_ppm(&part->window->sample) : 0;

	draft_add(d, "%s: %s %s to %s, answered or not", vector_get(part->kind)->title,
	          account_count(a, part->window->packets),
	          account_plural(part->window->packets, "question was put", "questions were put"), target);
	if (own >= OWN_LABELS_PPM)
		draft_add(d, "; hardly any name begins like another (random prefixes), so that no cache can answer");
	draft_add(d, ".");
}

/* Packets that need no conversation. */
static void add_stateless(struct account *a, struct draft *d, const struct incident_part *part, const char *target)
{
	const struct vector *vector = vector_get(part->kind);
	const struct window *window = part->window;

	if (part->kind == VECTOR_SYN && window->handshakes == 0)
		draft_add(d, "%s: of %s requests to open a connection not one was followed by a completed handshake.",
		          vector->title, account_count(a, window->packets));
	else if (part->kind == VECTOR_SYN)
		draft_add(d, "%s: %s requests to open a connection stand against %s completed %s.", vector->title,
		          account_count(a, window->packets), account_count(a, window->handshakes),
		          account_plural(window->handshakes, "handshake", "handshakes"));
	else if (vector->evidence->answered_1s)
		add_questions(a, d, part, target);
	else
		draft_add(d, "%s: %s %s belong to no conversation that %s takes part in.", vector->title,
		          account_count(a, window->packets), account_plural(window->packets, "packet", "packets"),
		          target);
}

static void add_evidence(struct account *a, struct draft *d, const struct finding *f, const struct incident_part *part)
{
	const struct vector *vector = vector_get(part->kind);
	const struct window *window = part->window;
	uint64_t port, at_least;
	char text[PREFIX_TEXT_SIZE];

	account_target(f, text);
	switch (vector->class) {
	case VECTOR_REFLECTION:
		draft_add(d, "%s: %s %s answers", vector->title, account_count(a, window->packets),
		          account_plural(window->packets, "packet is one of", "packets are"));
		if (heaviest(&window->top_src_ports, &port, &at_least) &&
		    share_ppm(at_least, window->packets) >= COMMON_PPM)
			draft_add(d, " (%s of them from port %" PRIu64 ")",
			          account_down(a, share_ppm(at_least, window->packets)), port);
		draft_add(d, " that %s was not seen to ask for.", text);
		break;
	case VECTOR_CONVERSATION:
		draft_add(d, "%s: %s TCP %s completed by these sources, more than the service is used to.",
		          vector->title, account_count(a, window->handshakes),
		          account_plural(window->handshakes, "handshake was", "handshakes were"));
		break;
	case VECTOR_APPLICATION:
		add_http_evidence(a, d, part);
		break;
	case VECTOR_STATELESS:
		add_stateless(a, d, part, text);
		break;
	case VECTOR_SCAN:
		draft_add(d, "%s: %s %s of different ports or hosts.", vector->title, account_count(a, window->packets),
		          account_plural(window->packets, "probe", "probes"));
		break;
	}
	if (window->resets_back)
		draft_add(
			d,
			" %s of the target's answers %s met with a reset: the host there knew nothing of the connection, for its address was borrowed or a tool sends past its system.",
			account_count(a, window->resets_back), account_plural(window->resets_back, "was", "were"));
}

static void tell_crowd(struct account *a, const struct finding *f, const struct account_sink *to)
{
	const struct incident *incident = f->incident;
	struct draft d = { .length = 0 };

	if (f->sources < 2)
		return;
	draft_add(&d, "%s in %s (/24, IPv6 /48) took part", account_sources(a, f), account_networks(a, f));
	if (incident->packets / f->sources < 3 && f->sources > FEW)
		draft_add(&d, ", with hardly more than one %s each; a real visitor sends more", account_noun(f, 1));
	else
		draft_add(&d, ", with %s %s each on average", account_count(a, incident->packets / f->sources),
		          account_noun(f, incident->packets / f->sources));
	draft_add(&d, ".");
	d.text[0] = words_capital(d.text[0]);
	tell(to, d.text);
}

static void tell_sameness(struct account *a, const struct finding *f, const struct account_sink *to)
{
	const struct window *total = f->total;
	uint64_t length, at_least;
	struct draft d = { .length = 0 };

	if (heaviest(&total->top_lengths, &length, &at_least) && share_ppm(at_least, total->packets) >= COMMON_PPM &&
	    total->packets > 1) {
		if (at_least == total->packets)
			draft_add(&d, "All packets");
		else
			draft_add(&d, "%s of the packets", account_down(a, share_ppm(at_least, total->packets)));
		draft_add(&d, " have the same length, %s octets.", account_count(a, length));
		tell(to, d.text);
	}
	if (share_ppm(total->fragments, total->packets) >= PPM / 100) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, "%s of the packets are fragments.",
		          account_down(a, share_ppm(total->fragments, total->packets)));
		tell(to, d.text);
	}
	if (f->ports_count == 0 && total->top_dst_ports.total > 0) {
		uint64_t ports = hll_estimate(&total->dst_ports);

		d = (struct draft){ .length = 0 };
		draft_add(&d, "The packets go to %s different ports.", account_about(a, ports));
		if (ports > FINDING_PORTS_MAX)
			tell(to, d.text);
	}
}

void account_evidence(struct account *a, const struct finding *f, const struct account_sink *to)
{
	const struct incident *incident = f->incident;
	struct draft noticed = { .length = 0 };

	for (uint32_t i = 0; i < incident->parts_count && i < EVIDENCE_SHOWN; i++) {
		struct draft d = { .length = 0 };

		add_evidence(a, &d, f, &incident->parts[i]);
		tell(to, d.text);
	}
	tell_crowd(a, f, to);
	tell_sameness(a, f, to);
	draft_add(&noticed, "This was clear %s after the first packet of the attack.",
	          account_duration(a, incident->began, incident->detected));
	tell(to, noticed.text);
}

/* ---- Who ---- */

static const char *verdict_words(enum spoofing_verdict verdict)
{
	switch (verdict) {
	case SPOOFING_SPOOFED:
		return "The source addresses are forged. Blocking or limiting single addresses does not help and would hit strangers.";
	case SPOOFING_VERIFIED:
		return "The source addresses are real: their owners' machines took part in conversations. Each may be one of many that someone else controls.";
	case SPOOFING_REFLECTORS:
		return "The sources are real servers that were misused (reflectors), not machines of the attacker.";
	case SPOOFING_UNDETERMINED:
		break;
	}
	return "Whether the source addresses are real or forged cannot be told from this capture.";
}

void account_families(struct account *a, const struct finding *f, const struct account_sink *to)
{
	for (uint32_t i = 0; i < f->families_count && i < FINDING_FAMILIES_MAX; i++) {
		const struct finding_family *family = &f->families[i];
		struct draft d = { .length = 0 };

		draft_add(&d, "%s %s consistent with %s (%s). A mark can be copied: this names a tool, not a person.",
		          account_count(a, family->packets),
		          account_plural(family->packets, "packet is", "packets are"), family->name, family->mark);
		tell(to, d.text);
	}
}

void account_verdict_reasons(struct account *a, const struct finding *f, const struct account_sink *to)
{
	for (uint32_t i = 0; i < f->spoofing.reasons_count && i < SPOOFING_REASONS_MAX; i++) {
		struct draft d = { .length = 0 };

		add_grouped(a, &d, f->spoofing.reasons[i]);
		d.text[0] = words_capital(d.text[0]);
		draft_add(&d, ".");
		tell(to, d.text);
	}
}

void account_verdict(struct account *a, const struct finding *f, struct draft *d)
{
	const struct incident *incident = f->incident;

	if (incident->parts_count > 1) /* the verdict is about the largest part */
		draft_add(d, "Of the %s, %s of the packets: ", account_main_vector(f)->title,
		          account_down(a, share_ppm(incident->parts[0].window->packets, incident->packets)));
	draft_add(d, "%s", verdict_words(f->spoofing.verdict));
	if (f->spoofing.verdict == SPOOFING_SPOOFED)
		draft_add(d, " A count of forged addresses is no count of devices.");
}

/* ---- What to do ---- */

bool account_acts(const struct signature *s)
{
	return s->action == RULE_DROP || s->action == RULE_RATE_LIMIT;
}

uint32_t account_acting(const struct finding *f)
{
	uint32_t acting = 0;

	for (uint32_t i = 0; i < f->signatures.count && i < SIGNATURES_MAX; i++)
		acting += account_acts(&f->signatures.signatures[i]);
	return acting;
}

void account_cost(struct account *a, const struct signature *s, struct draft *d)
{
	if (s->has_bound)
		draft_add(d,
		          " Cost: at most %s of normal packets (with 95" WORDS_TIE
		          "%% confidence: it hits %s of %s that were measured).",
		          account_up(a, s->bound_ppm), account_count(a, s->baseline_hits),
		          account_count(a, s->baseline_samples));
	else
		draft_add(d, " What it would cost normal users is not known.");
	if (s->verified_samples)
		draft_add(d, " Verified users hit: %s of %s packets.", account_count(a, s->verified_hits),
		          account_count(a, s->verified_samples));
}

void account_reason(struct account *a, const struct signature *s, struct draft *d)
{
	if (s->action != RULE_DROP)
		add_grouped(a, d, s->reason);
	else
		draft_add(d, "packets of the attack have this in common, and %s normal packet that was measured has it",
		          s->baseline_hits ? "hardly a" : "no");
}

void account_residual(struct account *a, const struct finding *f, struct draft *d)
{
	const struct passage *p = &f->passage;
	uint32_t acting = account_acting(f), passed_ppm = p->bins ? p->passed_ppm : f->signatures.residual_ppm;

	if (acting == 0)
		return;
	draft_add(d, "%s ", acting == 1 ? "With this rule" : "With these rules together");
	if (passed_ppm)
		draft_add(d, "%s of the attack would still get through.", account_up(a, passed_ppm));
	else if (p->bins && p->sampled >= f->incident->packets)
		draft_add(d, "none of the attack would get through.");
	else
		draft_add(d, "none of the attack's packets that were sampled would get through.");
}

void account_advice(const struct finding *f, struct draft *d)
{
	bool none = account_acting(f) == 0;

	if (none)
		draft_add(d, "No packet filter is known to be safe here%s.",
		          f->signatures.count ? "; the candidates are below, with the reason" : "");
	if (none && f->advice)
		draft_add(d, " What helps: ");
	else if (f->advice)
		draft_add(d, "Beyond these rules: ");
	if (f->advice)
		draft_add(d, BOLD "%s" PLAIN ".", f->advice);
}

/* ---- What cannot be known ---- */

static bool has_trace(const struct account *a, const struct finding *f)
{
	return a->input->trace_of && a->input->trace_of(a->input->trace_context, f);
}

static void tell_unknown_origin(const struct finding *f, const struct account_sink *to)
{
	if (f->spoofing.verdict == SPOOFING_SPOOFED)
		tell(to, "Where the attack came from: forged addresses say nothing about it.");
	else if (f->spoofing.verdict == SPOOFING_REFLECTORS)
		tell(to,
		     "Where the attack came from: whoever sent the forged questions is seen by the reflectors alone.");
	else
		tell(to, "Who stood behind it: addresses name machines at best, never people.");
}

void account_unknowns(struct account *a, const struct finding *f, const struct account_sink *to)
{
	const struct incident *incident = f->incident;
	bool unmeasured = f->signatures.count == 0 && engine_totals(a->engine)->peace_packets == 0, asked = false;
	char text[PREFIX_TEXT_SIZE];
	struct draft d = { .length = 0 };

	for (uint32_t i = 0; i < f->signatures.count && i < SIGNATURES_MAX; i++)
		unmeasured = unmeasured || !f->signatures.signatures[i].has_bound;
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct vector *vector = vector_get(incident->parts[i].kind);

		asked = asked || vector->class == VECTOR_REFLECTION || vector->protocol == PROTOCOL_UDP;
	}
	account_target(f, text);
	if (unmeasured) {
		draft_add(
			&d,
			"What a rule would cost normal users: there is no normal traffic to %s in it outside the attack. "
			"Add a capture from a quiet hour: holdfast analyze QUIET ATTACK.",
			text);
		tell(to, d.text);
	}
	if (asked && !f->both_directions) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, "Whether %s asked for some of these packets: nothing that it sent was captured.", text);
		tell(to, d.text);
	}
	if (!has_trace(a, f)) /* else that says what cannot be known of them */
		tell_unknown_origin(f, to);
	if (a->input->has_time && time_since(incident->began, a->input->first) < NS_PER_S)
		tell(to, "When it began: the capture begins in the middle of it, or just then.");
	if (incident->open)
		tell(to, "When it ended, and how large it became: the capture ends before.");
	if (incident->parts_lost || incident->waves_lost)
		tell(to,
		     "All of its details: it had more kinds or waves than are kept apart, and the rest was joined with others.");
}

/* ---- What was read ---- */

static void tell_files(struct account *a, const struct account_sink *to)
{
	const struct analysis_input *input = a->input;
	struct draft d = { .length = 0 };

	for (size_t i = 0; i < input->files_count && i < FILES_SHOWN; i++)
		draft_add(&d, "%s%s", i ? ", " : "",
		          strcmp(input->files[i], "-") == 0 ? "standard input" : input->files[i]);
	if (input->files_count > FILES_SHOWN)
		draft_add(&d, " and %s more", account_count(a, input->files_count - FILES_SHOWN));
	draft_add(&d, ": %s %s, %s on the wire", account_count(a, input->packets),
	          account_plural(input->packets, "packet", "packets"), account_scaled(a, input->bytes, "B"));
	if (input->has_time) {
		draft_add(&d, ",");
		account_span(a, &d, input->first, input->last);
		draft_add(&d, " (%s)", account_duration(a, input->first, input->last));
	} else if (input->packets) {
		draft_add(&d, ", without time stamps");
	}
	draft_add(&d, ".");
	tell(to, d.text);
}

static void tell_reasons(struct account *a, const struct account_sink *to)
{
	const struct analysis_input *input = a->input;
	uint64_t not_ip = input->by_reason[DECODE_ARP] + input->by_reason[DECODE_NOT_IP];
	struct draft d = { .length = 0 };
	const char *before = ": ";

	if (not_ip) {
		draft_add(&d, "%s %s not IP (ARP and the like) and left aside.", account_count(a, not_ip),
		          account_plural(not_ip, "packet is", "packets are"));
		tell(to, d.text);
	}
	if (!input->undecodable)
		return;
	d = (struct draft){ .length = 0 };
	draft_add(&d, YELLOW "%s %s" PLAIN " not be decoded", account_count(a, input->undecodable),
	          account_plural(input->undecodable, "packet could", "packets could"));
	for (unsigned i = DECODE_LINK_UNKNOWN; i < DECODE_RESULTS; i++) {
		if (!input->by_reason[i])
			continue;
		draft_add(&d, "%s%s %s", before, decode_result_name((enum decode_result)i),
		          account_count(a, input->by_reason[i]));
		before = ", ";
	}
	draft_add(&d, ".");
	tell(to, d.text);
}

static void tell_limits(struct account *a, const struct engine_totals *totals, const struct account_sink *to)
{
	const char *before = "";
	struct draft d = { .length = 0 };

	draft_add(&d, YELLOW "Limits of memory were reached" PLAIN ", so that small attacks may be missing: ");
	for (size_t i = 0; i < limits_count; i++) {
		uint64_t told = limits_told(&limits_known[i], totals);

		if (!told)
			continue;
		draft_add(&d, "%s%s %s", before, account_count(a, told), limits_known[i].words);
		before = ", ";
	}
	draft_add(&d, ".");
	if (*before)
		tell(to, d.text);
}

void account_input(struct account *a, const struct account_sink *to)
{
	const struct analysis_input *input = a->input;
	const struct engine_totals *totals = engine_totals(a->engine);
	struct draft d = { .length = 0 };

	tell_files(a, to);
	tell_reasons(a, to);
	if (input->out_of_order || totals->clock_jumps) {
		draft_add(&d, "%s %s out of order", account_count(a, input->out_of_order),
		          account_plural(input->out_of_order, "packet is", "packets are"));
		if (totals->clock_jumps)
			draft_add(&d, "; the clock was set back %s %s", account_count(a, totals->clock_jumps),
			          account_plural(totals->clock_jumps, "time", "times"));
		draft_add(&d, ".");
		tell(to, d.text);
	}
	if (input->error || input->truncated) {
		d = (struct draft){ .length = 0 };
		draft_add(&d,
		          YELLOW "Not all of the input could be read" PLAIN
		                 "%s%s. All above is about what could be read.",
		          input->error ? ": " : "", input->error ? input->error : "");
		tell(to, d.text);
	}
	tell_limits(a, totals, to);
}

static void add_number_of(struct account *a, struct draft *d, uint32_t n, const char *one, const char *many)
{
	draft_add(d, "%s %s", account_count(a, n), account_plural(n, one, many));
}

void account_overview(struct account *a, struct draft *d)
{
	const struct analysis_input *input = a->input;
	uint32_t total = engine_count(a->engine), scans = 0, attacks;

	for (uint32_t i = 0; i < total; i++)
		scans += engine_finding(a->engine, i)->incident->is_scan;
	attacks = total - scans;
	if (attacks == 0 && input->packets == 0)
		draft_add(d, YELLOW "There are no packets" PLAIN ", so nothing can be said");
	else if (attacks == 0)
		draft_add(d, GREEN "No attack found" PLAIN " in %s %s", account_count(a, input->packets),
		          account_plural(input->packets, "packet", "packets"));
	else
		add_number_of(a, d, attacks, RED "attack" PLAIN, RED "attacks" PLAIN);
	if (attacks && scans) {
		draft_add(d, " and ");
		add_number_of(a, d, scans, "scan", "scans");
	}
	if (attacks)
		draft_add(d, " in %s %s", account_count(a, input->packets),
		          account_plural(input->packets, "packet", "packets"));
	if (input->has_time && input->packets)
		draft_add(d, " over %s", account_duration(a, input->first, input->last));
	draft_add(d, ".");
	if (attacks == 0 && scans) {
		draft_add(d, " ");
		add_number_of(a, d, scans, "scan was", "scans were");
		draft_add(d, " seen; a scan is a look, not a flood.");
	}
	if (attacks == 0 && input->packets && input->truncated)
		draft_add(d, " The capture could not be read to its end.");
}

void account_nothing(const struct account *a, const struct account_sink *to)
{
	if (a->input->packets == 0) {
		tell(to, "The capture holds no packets that could be judged.");
		return;
	}
	tell(to,
	     "No kind of packet that nobody had asked for came in numbers that ordinary use does not explain: no "
	     "reflection, no flood of connections, of UDP, ICMP, fragments, tunnels or HTTP requests, neither on one "
	     "address nor spread over a network.");
	tell(to,
	     "That is not to say that nothing was wrong. Not recognised are floods inside TLS, of HTTP/2 and HTTP/3, and "
	     "attacks that are slower than ordinary use; a capture of one direction, of some packets only, or of another "
	     "place than the attacked one may not show an attack at all.");
}
