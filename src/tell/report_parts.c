/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of what an attack consists: its waves, its vectors, sizes and ports of its packets, its sources. What has less than a
 * hundredth of the packets is not named. Addresses are, where they are known to be real: a list of others would accuse
 * strangers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hll.h"
#include "base/share.h"
#include "tell/report.h"

#define WAVES_SHOWN 64 /* of at most INCIDENT_WAVES_MAX; the JSON lists all */
#define TOP_SHOWN 8
#define TOP_PPM (PPM / 100)
#define SIZES 7

/* ---- Waves and vectors ---- */

void report_waves(struct report *r, const struct incident *incident)
{
	static const char *const names[] = { "Wave",          "Began (UTC)",  "#Lasted",
		                             "#Peak packets", "#Peak volume", "#Packets" };
	int64_t span = time_since(incident->ended, incident->began);
	struct account *a = &r->account;
	char number[16], clock[WORDS_SIZE];

	if (incident->waves_count < 2)
		return;
	report_section_open(r, "Waves");
	report_table_open(r, "Waves of the attack", true);
	report_columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < incident->waves_count && i < WAVES_SHOWN; i++) {
		const struct wave *wave = &incident->waves[i];

		snprintf(number, sizeof(number), "%" PRIu32, i + 1);
		report_row(r, number);
		report_raw(r, "<td>");
		report_text(r, words_clock_within(wave->began, span, clock));
		report_raw(r, "</td>");
		report_cell(r, wave->open ? "going on" : account_duration(a, wave->began, wave->ended));
		report_cell(r, account_pps(a, wave->peak_packets));
		report_cell(r, account_bps(a, wave->peak_bytes));
		report_cell(r, account_count(a, wave->packets));
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
	if (incident->waves_count > WAVES_SHOWN)
		(void)fprintf(r->out, "<p>And %" PRIu32 " more; the JSON report lists all.</p>\n",
		              incident->waves_count - WAVES_SHOWN);
	report_section_close(r);
}

static const char *explanation_of(const struct incident *incident, uint32_t part)
{
	return vector_get(incident->parts[part].kind)->explanation;
}

/* Each once, behind the names of all vectors that it is of. */
static void write_explanations(const struct report *r, const struct incident *incident)
{
	uint32_t count = incident->parts_count < INCIDENT_PARTS_MAX ? incident->parts_count : INCIDENT_PARTS_MAX;
	bool told[INCIDENT_PARTS_MAX] = { false };

	report_raw(r, "<dl class=\"terms\">\n");
	for (uint32_t i = 0; i < count; i++) {
		const char *explanation = explanation_of(incident, i);

		if (told[i])
			continue;
		for (uint32_t k = i; k < count; k++) {
			if (strcmp(explanation_of(incident, k), explanation) != 0)
				continue;
			told[k] = true;
			report_raw(r, "<dt>");
			report_text(r, vector_get(incident->parts[k].kind)->title);
			report_raw(r, "</dt>\n");
		}
		report_raw(r, "<dd>");
		report_text(r, explanation);
		report_raw(r, ".</dd>\n");
	}
	report_raw(r, "</dl>\n");
}

void report_vectors(struct report *r, const struct incident *incident)
{
	static const char *const names[] = { "Vector", "Share of packets", "#Packets", "#Volume" };
	struct account *a = &r->account;

	report_section_open(r, "Vectors");
	report_table_open(r, "Kinds of packets in the attack", true);
	report_columns(r, names, sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct vector *vector = vector_get(incident->parts[i].kind);
		const struct window *window = incident->parts[i].window;

		report_raw(r, "<tr><th scope=\"row\">");
		report_text(r, vector->title);
		report_raw(r, " <code>");
		report_text(r, vector->name);
		report_raw(r, "</code></th>");
		report_share(r, window->packets, incident->packets);
		report_cell(r, account_count(a, window->packets));
		report_cell(r, account_scaled(a, window->bytes, "B"));
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
	if (incident->parts_count > 1)
		write_explanations(r, incident);
	report_section_close(r);
}

/* ---- Packets ---- */

static void write_sizes(struct report *r, const struct incident *incident)
{
	static const struct {
		uint32_t most;
		const char *name;
		/* clang-format off */
	} sizes[SIZES] = {
		{ 64, "up to 64" },       { 128, "65 to 128" },       { 256, "129 to 256" },           { 512, "257 to 512" },
		{ 1024, "513 to 1,024" }, { 1500, "1,025 to 1,500" }, { UINT32_MAX, "more than 1,500" },
	};
	/* clang-format on */
	static const char *const names[] = { "Octets", "Share of packets" };
	uint64_t counts[SIZES] = { 0 };
	bool all = true;

	/* each vector's sample stands for as many packets as that has */
	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct window *window = incident->parts[i].window;
		uint64_t sampled[SIZES] = { 0 }, total = 0;

		for (uint32_t k = 0; k < window->sample.used; k++) {
			struct observation o;
			unsigned size = 0;

			sample_read(&window->sample, k, &o);
			while (o.length > sizes[size].most)
				size++;
			sampled[size] += o.weight;
			total += o.weight;
		}
		all = all && window->sample.used == window->sample.seen;
		for (unsigned size = 0; size < SIZES; size++)
			counts[size] += share_of(window->packets, sampled[size], total);
	}
	report_table_open(r, all ? "Packet sizes" : "Packet sizes, estimated from a sample", false);
	report_columns(r, names, 2);
	for (unsigned size = 0; size < SIZES; size++) {
		if (counts[size] == 0)
			continue;
		report_row(r, sizes[size].name);
		report_share(r, counts[size], incident->packets);
		report_raw(r, "</tr>\n");
	}
	report_table_close(r);
}

typedef void key_writer(const struct topk_key *key, char *words, size_t size);

static void port_words(const struct topk_key *key, char *words, size_t size)
{
	snprintf(words, size, "%" PRIu64, key->low);
}

static void address_words(const struct topk_key *key, char *words, size_t size)
{
	struct address address = topk_address(*key);
	char text[ADDRESS_TEXT_SIZE];

	snprintf(words, size, "%s", address_format(&address, text));
}

/*
 * The heaviest keys with what each has at least. Returns how many were worth a row; where there is none, writes no
 * table.
 */
static unsigned write_top(struct report *r, const struct topk *topk, uint64_t packets, const char *caption,
                          const char *name, key_writer *words)
{
	const char *names[] = { name, "Share of packets, at least" };
	struct topk sorted = *topk;
	unsigned shown = 0;
	char key[ADDRESS_TEXT_SIZE];

	topk_sort(&sorted);
	for (uint32_t i = 0; i < sorted.used && shown < TOP_SHOWN; i++) {
		uint64_t least = sorted.entries[i].count - sorted.entries[i].error;

		if (share_ppm(least, packets) < TOP_PPM)
			continue;
		if (shown++ == 0) {
			report_table_open(r, caption, false);
			report_columns(r, names, 2);
		}
		words(&sorted.entries[i].key, key, sizeof(key));
		report_row(r, key);
		report_share(r, least, packets);
		report_raw(r, "</tr>\n");
	}
	if (shown)
		report_table_close(r);
	return shown;
}

static void write_spread(struct report *r, const char *what, uint64_t estimate)
{
	struct draft d = { .length = 0 };

	draft_add(&d, "%s are spread: %s different ones, and none has a hundredth of the packets.", what,
	          account_about(&r->account, estimate));
	report_paragraph(r, d.text);
}

void report_packets(struct report *r, const struct finding *f)
{
	const struct window *total = f->total;
	struct draft d = { .length = 0 };

	report_section_open(r, "Packets");
	draft_add(&d, "On average a packet has %s octets.",
	          account_count(&r->account, total->packets ? total->bytes / total->packets : 0));
	if (total->fragments)
		draft_add(&d, " %s of them are fragments.",
		          account_down(&r->account, share_ppm(total->fragments, total->packets)));
	report_paragraph(r, d.text);
	report_raw(r, "<div class=\"columns\">\n<div>\n");
	write_sizes(r, f->incident);
	report_raw(r, "</div>\n<div>\n");
	if (total->top_dst_ports.total &&
	    write_top(r, &total->top_dst_ports, total->packets, "Destination ports", "Port", port_words) == 0)
		write_spread(r, "Destination ports", hll_estimate(&total->dst_ports));
	report_raw(r, "</div>\n<div>\n");
	if (total->top_src_ports.total &&
	    write_top(r, &total->top_src_ports, total->packets, "Source ports", "Port", port_words) == 0)
		report_paragraph(r, "Source ports are spread: none has a hundredth of the packets.");
	report_raw(r, "</div>\n</div>\n");
	if (f->carpet)
		(void)write_top(r, &total->top_destinations, total->packets, "Addresses hit most", "Address",
		                address_words);
	report_section_close(r);
}

/* ---- Who ---- */

/* Of those vectors alone whose sources are real: a list of others would accuse strangers. */
static void write_addresses(struct report *r, const struct finding *f)
{
	const struct incident *incident = f->incident;
	struct topk real = { .used = 0 };
	struct draft of = { .length = 0 };
	uint32_t listed = 0;

	for (uint32_t i = 0; i < incident->parts_count; i++) {
		if (!spoofing_sources_real(&f->spoofing, incident, i))
			continue;
		topk_merge(&real, &incident->parts[i].window->top_sources);
		draft_add(&of, "%s%s", listed++ ? ", " : "", vector_get(incident->parts[i].kind)->title);
	}
	if (listed == 0) {
		report_paragraph(
			r, f->spoofing.verdict == SPOOFING_SPOOFED
				   ? "No addresses are listed: they are forged, and a list would accuse strangers."
				   : "No addresses are listed: they may be forged, and a list might accuse strangers.");
		return;
	}
	if (write_top(r, &real, f->total->packets, "Addresses that sent most", "Address", address_words) == 0)
		report_paragraph(r, "No single address sent a hundredth of the packets.");
	if (listed < incident->parts_count) {
		struct draft d = { .length = 0 };

		draft_add(&d, "This is of %s alone; addresses of other vectors may be forged, and are not listed.",
		          of.text);
		report_paragraph(r, d.text);
	}
}

void report_sources(struct report *r, const struct finding *f)
{
	const struct account_sink items = { report_item, r };
	struct account *a = &r->account;
	struct draft d = { .length = 0 };

	report_section_open(r, "Sources");
	account_verdict(a, f, &d);
	report_lead(r, d.text);
	d = (struct draft){ .length = 0 };
	draft_add(&d, "%s in %s (/24, IPv6 /48) sent the attack's %s%s.", account_sources(a, f), account_networks(a, f),
	          account_noun(f, 2),
	          f->sources_error_ppm ? "; both are estimates, seldom wrong by more than 4" WORDS_TIE "%" : "");
	d.text[0] = words_capital(d.text[0]);
	report_paragraph(r, d.text);
	report_raw(r, "<ul>\n");
	account_verdict_reasons(a, f, &items);
	if (!a->input->trace_of) /* else how it was run says so */
		account_families(a, f, &items);
	report_raw(r, "</ul>\n");
	write_addresses(r, f);
	report_section_close(r);
}
