/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analysis as a page for the terminal, to be understood at three in the morning by someone who has read nothing else. Each incident
 * is told in one order: what happened, in a line and then in plain words; when (waves); of what it consists (vectors); why we think so; who
 * (sources); what to do; what cannot be known. What was read stands at the end.
 *
 * Nothing is drawn or said that is not in the findings. Numbers are rounded so that they never promise too much: what a rule
 * stops is rounded down, what it may cost is rounded up.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hll.h"
#include "observe/protocol.h"
#include "tell/analysis.h"
#include "tell/paper.h"
#include "tell/words.h"

#define INDENT 2
#define SLOTS_PER_S 10
#define BITS_PER_OCTET 8
#define WAVES_SHOWN 8
#define FILES_SHOWN 4
#define KIND_COLUMN 34   /* of the vectors' table */
#define EVIDENCE_SHOWN 4 /* vectors whose evidence is told */
#define STRIP_MAX 64     /* columns of the time line */
#define STRIP_LEVELS 8
#define STRIP_LARGEST 20                 /* the whole capture is drawn up to so many times the incident's length */
#define FINE_NS (10 * NS_PER_S)          /* below this milliseconds are shown … */
#define COARSE_NS (20 * 3600 * NS_PER_S) /* … and from here on days */
#define STRIP_BESIDE 42                  /* columns of what stands beside the time line */
#define WIDE 80                          /* narrower tables have fewer columns below this */
#define FEW 50                           /* up to here an estimate is as good as a count */
#define COMMON_PPM 500000                /* what at least half of the packets share is worth a line */
#define PPM 1000000
#define WORDS_AT_ONCE 24 /* results of the functions below that one sentence may hold */

struct page {
	struct paper paper;
	const struct analysis_input *input;
	const struct engine *engine;
	unsigned used;
	char words[WORDS_AT_ONCE][WORDS_SIZE];
};

/* ---- Words that may stand in one sentence ---- */

static char *room(struct page *p)
{
	return p->words[p->used++ % WORDS_AT_ONCE];
}

static const char *count(struct page *p, uint64_t n)
{
	return words_count(n, room(p));
}

static const char *scaled(struct page *p, uint64_t n, const char *unit)
{
	return words_scaled(n, unit, room(p));
}

static const char *duration(struct page *p, struct capture_time from, struct capture_time to)
{
	return words_duration(time_since(to, from), room(p));
}

static const char *down(struct page *p, uint64_t ppm)
{
	return words_share_down(ppm, room(p));
}

static const char *up(struct page *p, uint64_t ppm)
{
	return words_share_up(ppm, room(p));
}

static const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static uint64_t times(uint64_t n, uint64_t by)
{
	uint64_t product;

	return __builtin_mul_overflow(n, by, &product) ? UINT64_MAX : product;
}

/* An estimate: "about 1,234", or "12". */
static const char *about(struct page *p, uint64_t n)
{
	char *text = room(p), number[WORDS_SIZE];

	snprintf(text, WORDS_SIZE, "%s%s", n > FEW ? "about" WORDS_TIE : "", words_count(n, number));
	return text;
}

static void heading(const struct page *p, const char *text)
{
	char marked[WORDS_SIZE];

	(void)fputc('\n', p->paper.out);
	snprintf(marked, sizeof(marked), BOLD "%s" PLAIN, text);
	paper_line(&p->paper, INDENT, marked);
}

static void bullet(const struct page *p, const char *text)
{
	struct draft d = { .length = 0 };

	draft_add(&d, "%s %s", p->paper.unicode ? "\u2022" : "*", text);
	paper_text(&p->paper, INDENT, INDENT + 2, d.text);
}

static void say(const struct page *p, const struct draft *draft)
{
	paper_text(&p->paper, INDENT, INDENT, draft->text);
}

/* ---- What an incident is about ---- */

static const char *service_of(const struct page *p, const struct finding *f)
{
	return p->input->service_of ? p->input->service_of(p->input->service_context, f) : NULL;
}

static bool is_host(const struct prefix *scope)
{
	return scope->length == (scope->is_ipv4 ? 32 : 128);
}

/* "192.0.2.10" or "192.0.2.0/24" */
static const char *host(const struct finding *f, char text[PREFIX_TEXT_SIZE])
{
	const struct prefix *scope = &f->incident->scope;

	prefix_format(scope, text);
	if (is_host(scope))
		*strchr(text, '/') = '\0';
	return text;
}

static const struct vector *main_vector(const struct finding *f)
{
	return vector_get(f->incident->parts_count ? f->incident->parts[0].kind : VECTOR_NONE);
}

static const char *explanation(const struct finding *f)
{
	return main_vector(f)->explanation;
}

/* " from 2025-03-10 09:45:12 to 09:45:35 UTC" */
static void add_span(struct page *p, struct draft *d, struct capture_time from, struct capture_time to)
{
	const char *begin = words_date_time(from, room(p)), *end = words_date_time(to, room(p));

	if (strcmp(begin, end) == 0)
		draft_add(d, " at %s UTC", begin);
	else if (strncmp(begin, end, strlen("2025-03-10")) == 0)
		draft_add(d, " from %s to %s UTC", begin, words_clock(to, room(p)));
	else
		draft_add(d, " from %s to %s UTC", begin, end);
}

/* ---- Headline and paragraph ---- */

static void write_headline(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	const char *service = service_of(p, f);
	char text[PREFIX_TEXT_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, "%s" PLAIN "  " BOLD "%s" PLAIN, incident->is_scan ? YELLOW "SCAN" : RED "ATTACK", host(f, text));
	if (service)
		draft_add(&d, " (%s)", service);
	draft_add(&d, "  " BOLD "%s" PLAIN, main_vector(f)->title);
	if (incident->parts_count > 1)
		draft_add(&d, " +" WORDS_TIE "%" PRIu32 WORDS_TIE "more", incident->parts_count - 1);
	draft_add(&d, "  peak %s / %s  for %s, %s", scaled(p, times(incident->peak_packets, SLOTS_PER_S), "pps"),
	          scaled(p, times(incident->peak_bytes, SLOTS_PER_S * BITS_PER_OCTET), "bit/s"),
	          duration(p, incident->began, incident->ended), incident->open ? "still going on" : "ended");
	paper_text(&p->paper, 0, INDENT, d.text);
}

static void add_target(struct page *p, struct draft *d, const struct finding *f)
{
	const char *service = service_of(p, f);
	char text[PREFIX_TEXT_SIZE];

	draft_add(d, "%s", host(f, text));
	if (service)
		draft_add(d, " (%s)", service);
	if (f->ports_count) {
		draft_add(d, ", %s ", plural(f->ports_count, "port", "ports"));
		for (uint32_t i = 0; i < f->ports_count && i < ENGINE_PORTS_MAX; i++)
			draft_add(d, "%s%" PRIu16, i == 0 ? "" : i + 1 == f->ports_count ? " and " : ", ", f->ports[i]);
		draft_add(d, ",");
	}
}

static void add_shape(struct page *p, struct draft *d, const struct finding *f)
{
	const struct incident *incident = f->incident;

	if (f->carpet)
		draft_add(d, " It was spread over %s addresses of that network, so that no single one shows it.",
		          about(p, f->destinations));
	if (f->pulse)
		draft_add(
			d,
			" It came in %s waves with quiet between them: a defence that switches off in the quiet is late each time.",
			count(p, incident->waves_count));
	else if (incident->waves_count > 1)
		draft_add(d, " It came in %s waves.", count(p, incident->waves_count));
	if (incident->parts_count > 1)
		draft_add(d, " %s of traffic took part, see Vectors.",
		          incident->parts_count == 2 ? "Two kinds" : "Several kinds");
	if (incident->open)
		draft_add(d, " It was still going on when the capture ends.");
}

static void write_paragraph(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	struct draft d = { .length = 0 };

	add_target(p, &d, f);
	draft_add(&d, " was under attack");
	add_span(p, &d, incident->began, incident->ended);
	draft_add(
		&d,
		". %s. %s %s, %s, came from %s %s%s; in the busiest tenth of a second at a rate of %s packets and %s a second.",
		explanation(f), count(p, incident->packets), plural(incident->packets, "packet", "packets"),
		scaled(p, incident->bytes, "B"), about(p, f->sources), plural(f->sources, "address", "addresses"),
		f->spoofing.verdict == SPOOFING_SPOOFED && incident->parts_count == 1 ? ", which are forged" : "",
		count(p, times(incident->peak_packets, SLOTS_PER_S)),
		scaled(p, times(incident->peak_bytes, SLOTS_PER_S * BITS_PER_OCTET), "bit"));
	add_shape(p, &d, f);
	(void)fputc('\n', p->paper.out);
	say(p, &d);
}

/* ---- When ---- */

/* "09:45:12"; "09:45:12.345" where all that is shown takes little time; "03-10 09:45" where it takes much. */
static const char *clock_at(struct page *p, struct capture_time t, int64_t span)
{
	if (span >= COARSE_NS)
		return words_day_clock(t, room(p));
	return span < FINE_NS ? words_clock_ms(t, room(p)) : words_clock(t, room(p));
}

/* The waves on a line of time: a column is as high as the highest wave in it, relative to the highest of all. */
static void write_strip(struct page *p, const struct incident *incident)
{
	static const char *const bars[STRIP_LEVELS + 1] = { "\u00b7", "\u2581", "\u2582", "\u2583", "\u2584",
		                                            "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii_bars[STRIP_LEVELS + 1] = { ".", "-", "-", "-", "=", "=", "=", "#", "#" };
	const struct analysis_input *input = p->input;
	struct capture_time from = incident->began, to = incident->ended;
	int64_t length = time_since(to, from), step;
	unsigned left = p->paper.width - INDENT - STRIP_BESIDE, columns = left < STRIP_MAX ? left : STRIP_MAX;
	uint64_t heights[STRIP_MAX] = { 0 }, highest = 1;
	bool whole = false;
	struct draft d = { .length = 0 };

	/* the capture around it where that leaves the incident large enough to see */
	if (input->has_time && time_since(from, input->first) >= 0 && time_since(input->last, to) >= 0 &&
	    time_since(input->last, input->first) / STRIP_LARGEST <= length) {
		from = input->first;
		to = input->last;
		length = time_since(to, from);
		whole = true;
	}
	step = (length > 0 ? length : 0) / columns + 1;
	for (uint32_t i = 0; i < incident->waves_count && i < INCIDENT_WAVES_MAX; i++) {
		const struct wave *wave = &incident->waves[i];
		int64_t at = time_since(wave->began, from) / step, end = time_since(wave->ended, from) / step;

		for (at = at > 0 ? at : 0; at <= end && at < (int64_t)columns; at++)
			if (wave->peak_packets > heights[at])
				heights[at] = wave->peak_packets;
		highest = wave->peak_packets > highest ? wave->peak_packets : highest;
	}
	draft_add(&d, "%s " CYAN, clock_at(p, from, length));
	for (unsigned i = 0; i < columns; i++) {
		uint64_t level = (words_ppm(heights[i], highest) * STRIP_LEVELS + PPM - 1) / PPM;

		draft_add(&d, "%s", (p->paper.unicode ? bars : ascii_bars)[heights[i] && level == 0 ? 1 : level]);
	}
	draft_add(&d, PLAIN " %s%s", clock_at(p, to, length), whole ? DIM " (whole capture)" PLAIN : "");
	paper_line(&p->paper, INDENT, d.text);
}

/* One wave from end to end shows nothing on a line of time. */
static bool fills_capture(const struct page *p, const struct incident *incident)
{
	const struct analysis_input *input = p->input;
	int64_t length = time_since(incident->ended, incident->began);

	return !input->has_time || time_since(input->last, input->first) - length <= length / STRIP_MAX;
}

static void write_waves(struct page *p, const struct incident *incident)
{
	int64_t span = time_since(incident->ended, incident->began);

	if (incident->waves_count == 0 || (incident->waves_count == 1 && fills_capture(p, incident)))
		return;
	heading(p, plural(incident->waves_count, "Time", "Waves"));
	write_strip(p, incident);
	for (uint32_t i = 0; incident->waves_count > 1 && i < incident->waves_count && i < WAVES_SHOWN; i++) {
		const struct wave *wave = &incident->waves[i];
		struct draft d = { .length = 0 };

		draft_add(&d, "%3" PRIu32 "  %s  %-12s peak %8s %10s", i + 1, clock_at(p, wave->began, span),
		          duration(p, wave->began, wave->ended),
		          scaled(p, times(wave->peak_packets, SLOTS_PER_S), "pps"),
		          scaled(p, times(wave->peak_bytes, SLOTS_PER_S * BITS_PER_OCTET), "bit/s"));
		if (p->paper.width >= WIDE)
			draft_add(&d, "  %10s packets", count(p, wave->packets));
		draft_add(&d, "%s", wave->open ? ", going on" : "");
		paper_line(&p->paper, INDENT, d.text);
	}
	if (incident->waves_count > WAVES_SHOWN) {
		struct draft d = { .length = 0 };

		draft_add(&d, DIM "and %" PRIu32 " more; --json lists all" PLAIN, incident->waves_count - WAVES_SHOWN);
		paper_line(&p->paper, INDENT + 5, d.text);
	}
}

/* ---- Of what it consists ---- */

static void write_vectors(struct page *p, const struct incident *incident)
{
	heading(p, "Vectors");
	paper_line(&p->paper, INDENT, DIM "  share       packets      bytes  kind" PLAIN);
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct window *window = incident->parts[i].window;
		const struct vector *vector = vector_get(incident->parts[i].kind);
		struct draft d = { .length = 0 };

		draft_add(&d, "%7s  %12s  %9s  %s " DIM "(%s)" PLAIN,
		          down(p, words_ppm(window->packets, incident->packets)), count(p, window->packets),
		          scaled(p, window->bytes, "B"), vector->title, vector->name);
		paper_text(&p->paper, INDENT, INDENT + KIND_COLUMN, d.text);
	}
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

static void add_evidence(struct page *p, struct draft *d, const struct finding *f, const struct incident_part *part)
{
	const struct vector *vector = vector_get(part->kind);
	const struct window *window = part->window;
	uint64_t port, at_least;
	char text[PREFIX_TEXT_SIZE];

	host(f, text);
	switch (vector->class) {
	case VECTOR_REFLECTION:
		draft_add(d, "%s: %s %s answers", vector->title, count(p, window->packets),
		          plural(window->packets, "packet is one of", "packets are"));
		if (heaviest(&window->top_src_ports, &port, &at_least) &&
		    words_ppm(at_least, window->packets) >= COMMON_PPM)
			draft_add(d, " (%s of them from port %" PRIu64 ")",
			          down(p, words_ppm(at_least, window->packets)), port);
		draft_add(d, " that %s was not seen to ask for.", text);
		break;
	case VECTOR_CONVERSATION:
		draft_add(d, "%s: %s TCP %s completed by these sources, more than the service is used to.",
		          vector->title, count(p, window->handshakes),
		          plural(window->handshakes, "handshake was", "handshakes were"));
		break;
	case VECTOR_STATELESS:
		if (part->kind == VECTOR_SYN && window->handshakes == 0)
			draft_add(
				d,
				"%s: of %s requests to open a connection not one was followed by a completed handshake.",
				vector->title, count(p, window->packets));
		else if (part->kind == VECTOR_SYN)
			draft_add(d, "%s: %s requests to open a connection stand against %s completed %s.",
			          vector->title, count(p, window->packets), count(p, window->handshakes),
			          plural(window->handshakes, "handshake", "handshakes"));
		else
			draft_add(d, "%s: %s %s belong to no conversation that %s takes part in.", vector->title,
			          count(p, window->packets), plural(window->packets, "packet", "packets"), text);
		break;
	case VECTOR_SCAN:
		draft_add(d, "%s: %s %s of different ports or hosts.", vector->title, count(p, window->packets),
		          plural(window->packets, "probe", "probes"));
		break;
	}
	if (window->resets_back)
		draft_add(d, " %s of the senders answered with a reset, as a host does whose address was borrowed.",
		          count(p, window->resets_back));
}

static void write_crowd(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	uint64_t estimate = hll_estimate(&f->total->source_networks);
	uint64_t networks =
		estimate < f->sources ? estimate : f->sources; /* both err; neither may contradict the other */
	struct draft d = { .length = 0 };

	if (f->sources < 2)
		return;
	draft_add(&d, "%s addresses in %s %s (/24, IPv6 /48) took part", about(p, f->sources), about(p, networks),
	          plural(networks, "network", "networks"));
	if (incident->packets / f->sources < 3 && f->sources > FEW)
		draft_add(&d, ", with hardly more than one packet each; a real visitor sends more");
	else
		draft_add(&d, ", with %s packets each on average", count(p, incident->packets / f->sources));
	draft_add(&d, ".");
	if (d.text[0] >= 'a' && d.text[0] <= 'z')
		d.text[0] = (char)(d.text[0] - 'a' + 'A');
	bullet(p, d.text);
}

static void write_sameness(struct page *p, const struct finding *f)
{
	const struct window *total = f->total;
	uint64_t length, at_least;
	struct draft d = { .length = 0 };

	if (heaviest(&total->top_lengths, &length, &at_least) && words_ppm(at_least, total->packets) >= COMMON_PPM &&
	    total->packets > 1) {
		if (at_least == total->packets)
			draft_add(&d, "All packets");
		else
			draft_add(&d, "%s of the packets", down(p, words_ppm(at_least, total->packets)));
		draft_add(&d, " have the same length, %s octets.", count(p, length));
		bullet(p, d.text);
	}
	if (words_ppm(total->fragments, total->packets) >= PPM / 100) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, "%s of the packets are fragments.", down(p, words_ppm(total->fragments, total->packets)));
		bullet(p, d.text);
	}
	if (f->ports_count == 0 && total->top_dst_ports.total > 0) {
		uint64_t ports = hll_estimate(&total->dst_ports);

		d = (struct draft){ .length = 0 };
		draft_add(&d, "The packets go to %s different ports.", about(p, ports));
		if (ports > ENGINE_PORTS_MAX)
			bullet(p, d.text);
	}
}

static void write_evidence(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	struct draft noticed = { .length = 0 };

	heading(p, "Why we think so");
	for (uint32_t i = 0; i < incident->parts_count && i < EVIDENCE_SHOWN; i++) {
		struct draft d = { .length = 0 };

		add_evidence(p, &d, f, &incident->parts[i]);
		bullet(p, d.text);
	}
	write_crowd(p, f);
	write_sameness(p, f);
	draft_add(&noticed, "This was clear %s after the first packet of the attack.",
	          duration(p, incident->began, incident->detected));
	bullet(p, noticed.text);
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

static void write_families(struct page *p, const struct finding *f)
{
	for (uint32_t i = 0; i < f->families_count && i < ENGINE_FAMILIES_MAX; i++) {
		const struct engine_family *family = &f->families[i];
		struct draft d = { .length = 0 };

		draft_add(&d, "%s %s consistent with %s (%s). A mark can be copied: this names a tool, not a person.",
		          count(p, family->packets), plural(family->packets, "packet is", "packets are"), family->name,
		          family->mark);
		bullet(p, d.text);
	}
}

static void write_sources(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	struct draft d = { .length = 0 };

	heading(p, "Sources");
	if (incident->parts_count > 1) /* the verdict is about the largest part */
		draft_add(&d, "Of the %s, %s of the packets: ", main_vector(f)->title,
		          down(p, words_ppm(incident->parts[0].window->packets, incident->packets)));
	draft_add(&d, "%s", verdict_words(f->spoofing.verdict));
	if (f->spoofing.verdict == SPOOFING_SPOOFED)
		draft_add(&d, " A count of forged addresses is no count of devices.");
	say(p, &d);
	for (uint32_t i = 0; i < f->spoofing.reasons_count && i < SPOOFING_REASONS_MAX; i++)
		bullet(p, f->spoofing.reasons[i]);
	write_families(p, f);
}

/* ---- What to do ---- */

static bool acts(const struct signature *s)
{
	return s->action == RULE_DROP || s->action == RULE_RATE_LIMIT;
}

static void add_cost(struct page *p, struct draft *d, const struct signature *s)
{
	if (s->has_bound)
		draft_add(d,
		          " Cost: at most %s of normal packets (with 95" WORDS_TIE
		          "%% confidence: it hits %s of %s that were measured).",
		          up(p, s->bound_ppm), count(p, s->baseline_hits), count(p, s->baseline_samples));
	else
		draft_add(d, " What it would cost normal users is not known.");
	if (s->verified_samples)
		draft_add(d, " Verified users hit: %s of %s packets.", count(p, s->verified_hits),
		          count(p, s->verified_samples));
}

static void write_signature(struct page *p, unsigned number, const struct signature *s)
{
	struct draft d = { .length = 0 };
	char text[MATCH_TEXT_SIZE];
	unsigned hang = INDENT + 4;

	switch (s->action) {
	case RULE_DROP:
		draft_add(&d, GREEN "DROP" PLAIN "  ");
		break;
	case RULE_RATE_LIMIT:
		draft_add(&d, YELLOW "LIMIT" PLAIN " to %s  ", scaled(p, s->rate_limit_pps, "pps"));
		break;
	case RULE_CHALLENGE:
		draft_add(&d, YELLOW "CHALLENGE" PLAIN "  ");
		break;
	case RULE_NONE:
		draft_add(&d, DIM "%s" PLAIN "  ", s->has_bound ? "TOO COSTLY" : "UNPROVEN");
		break;
	}
	draft_add(&d, BOLD "%s" PLAIN, match_format(&s->match, text));
	{
		struct draft numbered = { .length = 0 };

		draft_add(&numbered, "%2u  %s", number, d.text);
		paper_text(&p->paper, INDENT, hang, numbered.text);
	}
	d = (struct draft){ .length = 0 };
	draft_add(&d, "Catches %s of the attack.", down(p, s->coverage_ppm));
	add_cost(p, &d, s);
	paper_text(&p->paper, hang, hang, d.text);
	if (s->reason[0]) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, DIM "Why: %s" PLAIN, s->reason);
		paper_text(&p->paper, hang, hang, d.text);
	}
}

/* A name as a shell takes it. */
static void add_quoted(struct draft *d, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";

	if (name[strspn(name, plain)] == '\0') {
		draft_add(d, "%s%s", name[0] == '-' ? "./" : "", name);
		return;
	}
	draft_add(d, "'");
	for (; *name; name++) {
		if (*name == '\'')
			draft_add(d, "'\\''");
		else
			draft_add(d, "%c", *name);
	}
	draft_add(d, "'");
}

static void add_command(struct draft *d, const char *before, const char *file, const char *after)
{
	draft_add(d, CYAN "%s", before);
	if (!file || strcmp(file, "-") == 0)
		draft_add(d, "IN");
	else
		add_quoted(d, file);
	draft_add(d, "%s" PLAIN, after);
}

static void write_commands(const struct page *p)
{
	const char *file = p->input->files_count ? p->input->files[0] : NULL;
	size_t length = file ? strlen(file) : 0;
	bool is_ng = length > 7 && strcmp(file + length - 7, ".pcapng") == 0;
	struct draft d = { .length = 0 };

	(void)fputc('\n', p->paper.out);
	paper_line(&p->paper, INDENT, "Try it; nothing is touched but the file it writes:");
	add_command(&d, "holdfast analyze --json ", file, " > report.json");
	paper_line(&p->paper, INDENT + 4, d.text);
	d = (struct draft){ .length = 0 };
	add_command(&d, "holdfast try --rules report.json ", file, is_ng ? " -w passed.pcapng" : " -w passed.pcap");
	paper_line(&p->paper, INDENT + 4, d.text);
}

static void write_advice(struct page *p, const struct finding *f, uint32_t acting)
{
	const struct signature_set *set = &f->signatures;
	struct draft d = { .length = 0 };

	if (acting == 0)
		draft_add(&d, "No packet filter is known to be safe here%s.",
		          set->count ? "; the candidates are below, with the reason" : "");
	if (acting == 0 && f->advice)
		draft_add(&d, " What helps: ");
	else if (f->advice)
		draft_add(&d, "Beyond these rules: ");
	if (f->advice)
		draft_add(&d, BOLD "%s" PLAIN ".", f->advice);
	if (d.length)
		say(p, &d);
}

static void write_actions(struct page *p, const struct finding *f)
{
	const struct signature_set *set = &f->signatures;
	uint32_t acting = 0;
	unsigned number = 0;

	for (uint32_t i = 0; i < set->count && i < SIGNATURES_MAX; i++)
		acting += acts(&set->signatures[i]);
	heading(p, "What to do");
	if (acting == 0)
		write_advice(p, f, acting);
	for (uint32_t i = 0; i < set->count && i < SIGNATURES_MAX; i++)
		write_signature(p, ++number, &set->signatures[i]);
	if (acting) {
		struct draft d = { .length = 0 };

		draft_add(&d, "%s ", acting == 1 ? "With this rule" : "With these rules together");
		if (set->residual_ppm)
			draft_add(&d, "%s of the attack would still get through.", up(p, set->residual_ppm));
		else
			draft_add(&d, "none of the attack packets that were sampled would get through.");
		say(p, &d);
		write_advice(p, f, acting);
		write_commands(p);
	}
}

/* ---- What cannot be known ---- */

static void write_unknowns(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	bool unmeasured = f->signatures.count == 0 && engine_totals(p->engine)->peace_packets == 0, asked = false;
	char text[PREFIX_TEXT_SIZE];
	struct draft d = { .length = 0 };

	heading(p, "What cannot be known from this capture");
	for (uint32_t i = 0; i < f->signatures.count && i < SIGNATURES_MAX; i++)
		unmeasured = unmeasured || !f->signatures.signatures[i].has_bound;
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct vector *vector = vector_get(incident->parts[i].kind);

		asked = asked || vector->class == VECTOR_REFLECTION || vector->protocol == PROTOCOL_UDP;
	}
	host(f, text);
	if (unmeasured) {
		draft_add(
			&d,
			"What a rule would cost normal users: there is no normal traffic to %s in it outside the attack. "
			"Add a capture from a quiet hour: holdfast analyze QUIET ATTACK.",
			text);
		bullet(p, d.text);
	}
	if (asked && !f->both_directions) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, "Whether %s asked for some of these packets: nothing that it sent was captured.", text);
		bullet(p, d.text);
	}
	if (f->spoofing.verdict == SPOOFING_SPOOFED)
		bullet(p, "Where the attack came from: forged addresses say nothing about it.");
	else if (f->spoofing.verdict == SPOOFING_REFLECTORS)
		bullet(p,
		       "Where the attack came from: whoever sent the forged questions is seen by the reflectors alone.");
	else
		bullet(p, "Who stood behind it: addresses name machines at best, never people.");
	if (p->input->has_time && time_since(incident->began, p->input->first) < NS_PER_S)
		bullet(p, "When it began: the capture begins in the middle of it, or just then.");
	if (incident->open)
		bullet(p, "When it ended, and how large it became: the capture ends before.");
	if (incident->parts_lost || incident->waves_lost)
		bullet(p,
		       "All of its details: it had more kinds or waves than are kept apart, and the rest was joined with others.");
}

static void write_attack(struct page *p, const struct finding *f)
{
	write_headline(p, f);
	write_paragraph(p, f);
	write_waves(p, f->incident);
	write_vectors(p, f->incident);
	write_evidence(p, f);
	write_sources(p, f);
	write_actions(p, f);
	write_unknowns(p, f);
}

static void write_scan(struct page *p, const struct finding *f)
{
	const struct incident *incident = f->incident;
	struct draft d = { .length = 0 };

	write_headline(p, f);
	draft_add(&d, "Somebody looked for what is there:");
	draft_add(&d, " %s %s to ", count(p, incident->packets), plural(incident->packets, "packet", "packets"));
	add_target(p, &d, f);
	draft_add(&d, " came from %s %s", about(p, f->sources), plural(f->sources, "address", "addresses"));
	add_span(p, &d, incident->began, incident->ended);
	draft_add(&d, ". Nothing needs to be dropped.");
	(void)fputc('\n', p->paper.out);
	say(p, &d);
	write_families(p, f);
}

/* ---- What was read ---- */

static void write_files(struct page *p)
{
	const struct analysis_input *input = p->input;
	struct draft d = { .length = 0 };

	for (size_t i = 0; i < input->files_count && i < FILES_SHOWN; i++)
		draft_add(&d, "%s%s", i ? ", " : "",
		          strcmp(input->files[i], "-") == 0 ? "standard input" : input->files[i]);
	if (input->files_count > FILES_SHOWN)
		draft_add(&d, " and %s more", count(p, input->files_count - FILES_SHOWN));
	draft_add(&d, ": %s %s, %s on the wire", count(p, input->packets), plural(input->packets, "packet", "packets"),
	          scaled(p, input->bytes, "B"));
	if (input->has_time) {
		draft_add(&d, ",");
		add_span(p, &d, input->first, input->last);
		draft_add(&d, " (%s)", duration(p, input->first, input->last));
	} else if (input->packets) {
		draft_add(&d, ", without time stamps");
	}
	draft_add(&d, ".");
	say(p, &d);
}

static void write_reasons(struct page *p)
{
	const struct analysis_input *input = p->input;
	uint64_t not_ip = input->by_reason[DECODE_ARP] + input->by_reason[DECODE_NOT_IP];
	struct draft d = { .length = 0 };
	const char *before = ": ";

	if (not_ip) {
		draft_add(&d, "%s %s not IP (ARP and the like) and left aside.", count(p, not_ip),
		          plural(not_ip, "packet is", "packets are"));
		say(p, &d);
	}
	if (!input->undecodable)
		return;
	d = (struct draft){ .length = 0 };
	draft_add(&d, YELLOW "%s %s" PLAIN " not be decoded", count(p, input->undecodable),
	          plural(input->undecodable, "packet could", "packets could"));
	for (unsigned i = DECODE_LINK_UNKNOWN; i < DECODE_RESULTS; i++) {
		if (!input->by_reason[i])
			continue;
		draft_add(&d, "%s%s %s", before, decode_result_name((enum decode_result)i),
		          count(p, input->by_reason[i]));
		before = ", ";
	}
	draft_add(&d, ".");
	say(p, &d);
}

/* A bucket that overflows now and then is how a table works; it matters where it is a habit. */
static uint64_t where_habit(uint64_t overflows, const struct engine_totals *totals)
{
	return overflows * 100 > totals->packets ? overflows : 0;
}

static void write_limits(struct page *p, const struct engine_totals *totals)
{
	const struct {
		uint64_t n;
		const char *what;
	} limits[] = {
		{ where_habit(totals->flows_pushed_out, totals),
		  "unanswered conversations forgotten to make room for others" },
		{ totals->flows_refused, "conversations not remembered" },
		{ where_habit(totals->candidates_pushed_out, totals),
		  "possible targets forgotten before they were counted" },
		{ totals->tracks_pushed_out, "counts of targets forgotten to make room for others" },
		{ totals->tracks_refused, "targets not counted" },
		{ where_habit(totals->probes_pushed_out, totals),
		  "possible scanners forgotten to make room for others" },
		{ totals->probes_refused, "possible scanners not counted" },
		{ totals->pending_refused, "busy targets assessed late" },
		{ totals->incidents_refused, "incidents beyond the number that is kept" },
		{ totals->samples_lost, "packets left out of samples for want of memory" },
		{ totals->no_memory, "second looks left out for want of memory" },
	};
	const char *before = "";
	struct draft d = { .length = 0 };

	draft_add(&d, YELLOW "Limits of memory were reached" PLAIN ", so that small attacks may be missing: ");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!limits[i].n)
			continue;
		draft_add(&d, "%s%s %s", before, count(p, limits[i].n), limits[i].what);
		before = ", ";
	}
	draft_add(&d, ".");
	if (*before)
		say(p, &d);
}

static void write_input(struct page *p)
{
	const struct analysis_input *input = p->input;
	const struct engine_totals *totals = engine_totals(p->engine);
	struct draft d = { .length = 0 };

	heading(p, "Input");
	write_files(p);
	write_reasons(p);
	if (input->out_of_order || totals->clock_jumps) {
		draft_add(&d, "%s %s out of order", count(p, input->out_of_order),
		          plural(input->out_of_order, "packet is", "packets are"));
		if (totals->clock_jumps)
			draft_add(&d, "; the clock was set back %s %s", count(p, totals->clock_jumps),
			          plural(totals->clock_jumps, "time", "times"));
		draft_add(&d, ".");
		say(p, &d);
	}
	if (input->error || input->truncated) {
		d = (struct draft){ .length = 0 };
		draft_add(&d,
		          YELLOW "Not all of the input could be read" PLAIN
		                 "%s%s. All above is about what could be read.",
		          input->error ? ": " : "", input->error ? input->error : "");
		say(p, &d);
	}
	write_limits(p, totals);
}

/* ---- The page ---- */

static void add_number_of(struct page *p, struct draft *d, uint32_t n, const char *one, const char *many)
{
	draft_add(d, "%s %s", count(p, n), plural(n, one, many));
}

/* How many of what in how much; the only line where nothing was found. */
static void write_overview(struct page *p, uint32_t attacks, uint32_t scans)
{
	const struct analysis_input *input = p->input;
	struct draft d = { .length = 0 };

	if (attacks == 0 && input->packets == 0)
		draft_add(&d, YELLOW "There are no packets" PLAIN ", so nothing can be said");
	else if (attacks == 0)
		draft_add(&d, GREEN "No attack found" PLAIN " in %s %s", count(p, input->packets),
		          plural(input->packets, "packet", "packets"));
	else
		add_number_of(p, &d, attacks, RED "attack" PLAIN, RED "attacks" PLAIN);
	if (attacks && scans) {
		draft_add(&d, " and ");
		add_number_of(p, &d, scans, "scan", "scans");
	}
	if (attacks)
		draft_add(&d, " in %s %s", count(p, input->packets), plural(input->packets, "packet", "packets"));
	if (input->has_time && input->packets)
		draft_add(&d, " over %s", duration(p, input->first, input->last));
	draft_add(&d, ".");
	if (attacks == 0 && scans) {
		draft_add(&d, " ");
		add_number_of(p, &d, scans, "scan was", "scans were");
		draft_add(&d, " seen; a scan is a look, not a flood.");
	}
	if (attacks == 0 && input->packets && input->truncated)
		draft_add(&d, " The capture could not be read to its end.");
	paper_text(&p->paper, 0, 0, d.text);
}

static unsigned clamp_width(unsigned width)
{
	if (width < PAGE_WIDTH_MIN)
		return PAGE_WIDTH_MIN;
	return width > PAGE_WIDTH_MAX ? PAGE_WIDTH_MAX : width;
}

int page_write(FILE *out, const struct analysis_input *input, const struct engine *engine,
               const struct page_options *options)
{
	struct page page = {
		.paper = { .out = out,
		           .width = clamp_width(options->width),
		           .color = options->color,
		           .unicode = options->unicode },
		.input = input,
		.engine = engine,
	};
	uint32_t total = engine_count(engine), scans = 0;
	bool first = true;

	for (uint32_t i = 0; i < total; i++)
		scans += engine_finding(engine, i)->incident->is_scan;
	errno = 0;
	if (total != 1 || scans) {
		write_overview(&page, total - scans, scans);
		first = false;
	}
	for (unsigned pass = 0; pass < 2; pass++) { /* attacks first */
		for (uint32_t i = 0; i < total; i++) {
			const struct finding *finding = engine_finding(engine, i);

			if (finding->incident->is_scan != (pass == 1))
				continue;
			if (!first)
				paper_rule(&page.paper);
			first = false;
			(pass == 1 ? write_scan : write_attack)(&page, finding);
		}
	}
	write_input(&page);
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
