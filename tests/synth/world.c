/* SPDX-License-Identifier: Apache-2.0 */
/* See world.h. */
#include "world.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDR_TEXT_MAX 64

static struct addr v4(uint32_t host_order)
{
	struct addr a = { .v6 = false };

	for (int i = 0; i < 4; i++)
		a.b[i] = (uint8_t)(host_order >> (24 - 8 * i));
	return a;
}

static struct addr v6_doc(uint16_t c, uint16_t d, uint16_t last)
{
	struct addr a = { .v6 = true, .b = { 0x20, 0x01, 0x0d, 0xb8 } };

	a.b[4] = (uint8_t)(c >> 8);
	a.b[5] = (uint8_t)c;
	a.b[6] = (uint8_t)(d >> 8);
	a.b[7] = (uint8_t)d;
	a.b[14] = (uint8_t)(last >> 8);
	a.b[15] = (uint8_t)last;
	return a;
}

void world_init(struct world *w, uint64_t seed, uint32_t scale_pc, bool v6, unsigned int pick)
{
	/* TEST-NET-1, TEST-NET-2, TEST-NET-3 */
	static const uint32_t nets[] = { 0xc0000200u, 0xc6336400u, 0xcb007100u };

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->scale_pc = scale_pc;
	w->v6 = v6;
	w->target = v6 ? v6_doc(0, (uint16_t)(0x10 + pick % 3), 0) : v4(nets[pick % 3]);
	w->target = world_host(w, 10 + pick % 40);
	w->target_bits = v6 ? 128 : 32;
	w->servers[0] = w->target;
	w->servers[1] = world_host(w, 100);
	w->servers[2] = world_host(w, 101);
	w->n_servers = 3;
	w->server6 = v6_doc(0, 0x20, 0x80);
	w->truth.expect = "incident";
	w->truth.spoofed = -1;
}

void world_fini(struct world *w)
{
	trace_fini(&w->trace);
	free(w->truth.sources);
	w->truth.sources = NULL;
}

struct rng world_rng(struct world *w)
{
	struct rng r;

	w->streams++;
	rng_seed(&r, w->seed * UINT64_C(0xd1342543de82ef95) + w->streams * UINT64_C(0x2545f4914f6cdd1d));
	return r;
}

char world_vector(struct world *w, const char *name)
{
	struct truth *t = &w->truth;

	if (t->n_vectors == VECTORS_MAX) {
		w->trace.err = -ENOSPC;
		return '9';
	}
	t->vectors[t->n_vectors] = name;
	return (char)('0' + t->n_vectors++);
}

void world_wave(struct world *w, int64_t from_ns, int64_t to_ns)
{
	struct truth *t = &w->truth;

	if (t->n_waves == WAVES_MAX) {
		w->trace.err = -ENOSPC;
		return;
	}
	t->waves[t->n_waves++] = (struct span){ from_ns, to_ns };
}

int64_t world_gap(const struct world *w, uint64_t per_s)
{
	uint64_t milli = per_s * 10 * w->scale_pc;

	return milli < 1000 ? NS_PER_S : (int64_t)(UINT64_C(1000000000000) / milli);
}

static bool in_prefix(const struct addr *a, const struct addr *prefix, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (a->v6 != prefix->v6 || memcmp(a->b, prefix->b, whole) != 0)
		return false;
	return !rest || !((a->b[whole] ^ prefix->b[whole]) >> (8 - rest));
}

bool world_targets(const struct world *w, const struct addr *a)
{
	return in_prefix(a, &w->target, w->target_bits);
}

static void note_source(struct world *w, const struct addr *src)
{
	struct truth *t = &w->truth;

	if (t->n_sources == t->cap_sources) {
		size_t cap = t->cap_sources ? t->cap_sources * 2 : 4096;
		struct addr *more = realloc(t->sources, cap * sizeof(*more));

		if (!more) {
			w->trace.err = -ENOMEM;
			return;
		}
		t->sources = more;
		t->cap_sources = cap;
	}
	t->sources[t->n_sources++] = *src;
}

void world_frame(struct world *w, int64_t t_ns, enum dir dir, char label, const struct addr *src,
                 const struct addr *dst, const uint8_t *frame, size_t len)
{
	if (t_ns < 0 || t_ns >= w->end_ns || w->trace.err || (w->one_way && dir == DIR_OUT))
		return;
	if (label >= '0' && label <= '9')
		note_source(w, src);
	trace_add(&w->trace, t_ns, label, dir == DIR_IN && world_targets(w, dst), frame, len);
}

struct addr world_host(const struct world *w, uint32_t host)
{
	struct addr a = w->target;

	if (a.v6) {
		a.b[14] = (uint8_t)(host >> 8);
		a.b[15] = (uint8_t)host;
		return a;
	}
	/* A /24 has the last octet to give, a /22 two bits more. */
	if (w->target_bits && w->target_bits < 24)
		a.b[2] = (uint8_t)((a.b[2] & 0xfc) | ((host >> 8) & 3));
	a.b[3] = (uint8_t)host;
	return a;
}

struct addr world_client6(struct rng *r)
{
	struct addr a = v6_doc((uint16_t)(0x1000 + rng_below(r, 0x1000)), 0, 0);

	rng_fill(r, a.b + 6, 10);
	return a;
}

struct addr world_client(struct world *w, struct rng *r)
{
	uint32_t low;

	if (w->v6)
		return world_client6(r);
	low = rng_below(r, 1u << 17);
	/* 198.19.192.0/18 is the platform's own; 198.18.0.0/24 is that of the services it uses. */
	if (low >= 0x1c000u)
		low -= 0x10000u;
	if (low < 256)
		low += 0x4000u;
	return v4(0xc6120000u + low);
}

struct addr world_service(const struct world *w, unsigned int n)
{
	return w->v6 ? v6_doc(0x53, 0, (uint16_t)n) : v4(0xc6120000u + (n & 0xff));
}

static bool reserved4(uint32_t a)
{
	/* value, bits: IANA's special-purpose registry, plus what the scenarios use themselves */
	static const struct {
		uint32_t net;
		int bits;
	} no[] = {
		{ 0x00000000u, 8 },  { 0x0a000000u, 8 },  { 0x64400000u, 10 }, { 0x7f000000u, 8 },  { 0xa9fe0000u, 16 },
		{ 0xac100000u, 12 }, { 0xc0000000u, 24 }, { 0xc0000200u, 24 }, { 0xc0586300u, 24 }, { 0xc0a80000u, 16 },
		{ 0xc6120000u, 15 }, { 0xc6336400u, 24 }, { 0xcb007100u, 24 }, { 0xe0000000u, 3 },
	};

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if ((a ^ no[i].net) >> (32 - no[i].bits) == 0)
			return true;
	return false;
}

struct addr world_public(struct world *w, struct rng *r)
{
	/* /16s of the registries' large allocations */
	static const uint16_t six[] = { 0x2400, 0x2401, 0x2404, 0x2409, 0x240e, 0x2600, 0x2601, 0x2607,
		                        0x2620, 0x2800, 0x2804, 0x2a00, 0x2a01, 0x2a02, 0x2a0c, 0x2c0f };
	struct addr a;

	if (w->v6) {
		uint16_t top = six[rng_below(r, sizeof(six) / sizeof(six[0]))];

		a.v6 = true;
		rng_fill(r, a.b, sizeof(a.b));
		a.b[0] = (uint8_t)(top >> 8);
		a.b[1] = (uint8_t)top;
		return a;
	}
	do {
		a = v4(rng_u32(r));
	} while (reserved4((uint32_t)a.b[0] << 24 | (uint32_t)a.b[1] << 16 | (uint32_t)a.b[2] << 8 | a.b[3]));
	return a;
}

struct addr world_server(struct world *w, struct rng *r)
{
	if (w->target_bits < (w->v6 ? 128u : 32u))
		return w->servers[rng_below(r, (uint32_t)w->n_servers)];
	return w->servers[rng_chance(r, 9, 10) || w->n_servers < 2 ? 0 : 1 + rng_below(r, (uint32_t)w->n_servers - 1)];
}

static int by_octets(const void *a, const void *b)
{
	const struct addr *x = a, *y = b;

	return memcmp(x->b, y->b, sizeof(x->b));
}

static size_t distinct_sources(struct world *w)
{
	struct truth *t = &w->truth;
	size_t n = 0;

	if (!t->n_sources)
		return 0;
	qsort(t->sources, t->n_sources, sizeof(*t->sources), by_octets);
	for (size_t i = 0; i < t->n_sources; i++)
		if (!i || by_octets(&t->sources[i - 1], &t->sources[i]) != 0)
			n++;
	return n;
}

static void print_time(FILE *f, const char *key, bool known, int64_t t_ns)
{
	if (known)
		fprintf(f, "\"%s\": %" PRId64, key, WORLD_EPOCH_S * NS_PER_S + t_ns);
	else
		fprintf(f, "\"%s\": null", key);
}

static void print_text(FILE *f, const char *key, const char *value)
{
	if (value)
		fprintf(f, "  \"%s\": \"%s\",\n", key, value);
	else
		fprintf(f, "  \"%s\": null,\n", key);
}

/* RFC 5952 as far as the platform's addresses need it: the longest run of zero groups is shortened. */
static void addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	int best = -1, best_n = 1, n = 0;
	size_t len = 0;

	if (!a->v6) {
		snprintf(out, ADDR_TEXT_MAX, "%u.%u.%u.%u", a->b[0], a->b[1], a->b[2], a->b[3]);
		return;
	}
	for (int i = 0; i < 8; i++) {
		n = a->b[2 * i] || a->b[2 * i + 1] ? 0 : n + 1;
		if (n > best_n) {
			best_n = n;
			best = i - n + 1;
		}
	}
	for (int i = 0; i < 8; i++) {
		unsigned int group = (unsigned int)a->b[2 * i] << 8 | a->b[2 * i + 1];

		if (i == best) {
			len += (size_t)snprintf(out + len, ADDR_TEXT_MAX - len, "::");
			i += best_n - 1;
		} else {
			bool colon = i && !(best >= 0 && i == best + best_n);

			len += (size_t)snprintf(out + len, ADDR_TEXT_MAX - len, colon ? ":%x" : "%x", group);
		}
	}
}

/* The planned wave, cut to the attack packets that are in it. */
static bool wave_seen(const struct world *w, const struct span *plan, struct span *out)
{
	bool any = false;

	for (size_t i = 0; i < w->trace.n_records; i++) {
		const struct record *r = &w->trace.records[i];

		/* Times were cut to microseconds, the plan was not. */
		if (r->label < '0' || r->label > '9' || r->t_ns < plan->from_ns - 1000 || r->t_ns >= plan->to_ns)
			continue;
		if (!any)
			out->from_ns = r->t_ns;
		out->to_ns = r->t_ns;
		any = true;
	}
	return any;
}

static void print_truth(struct world *w, FILE *f, const char *scenario)
{
	const struct truth *t = &w->truth;
	uint64_t attack = 0, replies = 0, normal = 0, normal_before = 0, per_vector[VECTORS_MAX] = { 0 };
	struct span whole = { 0, 0 }, wave;
	char text[ADDR_TEXT_MAX];
	bool first = true;

	for (size_t i = 0; i < w->trace.n_records; i++) {
		const struct record *r = &w->trace.records[i];

		if (r->label >= '0' && r->label <= '9') {
			if (!attack++)
				whole.from_ns = r->t_ns;
			whole.to_ns = r->t_ns;
			per_vector[r->label - '0']++;
		} else if (r->label == LABEL_REPLY) {
			replies++;
		} else if (r->to_target) {
			normal++;
			normal_before += !attack;
		}
	}
	addr_text(&w->target, text);
	fprintf(f, "{\n  \"scenario\": \"%s\",\n  \"seed\": %" PRIu64 ",\n  \"scale\": %" PRIu32 ",\n", scenario,
	        w->seed, w->scale_pc);
	fprintf(f, "  \"one_way\": %s,\n", w->one_way ? "true" : "false");
	fprintf(f, "  \"expect\": \"%s\",\n  \"target\": \"%s/%u\",\n  ", t->expect, text, w->target_bits);
	print_time(f, "began_ns", attack > 0, whole.from_ns);
	fputs(",\n  ", f);
	print_time(f, "ended_ns", attack > 0, whole.to_ns);
	fputs(",\n  \"waves\": [", f);
	for (size_t i = 0; i < t->n_waves; i++) {
		if (!wave_seen(w, &t->waves[i], &wave))
			continue;
		fputs(first ? "{" : ", {", f);
		print_time(f, "began_ns", true, wave.from_ns);
		fputs(", ", f);
		print_time(f, "ended_ns", true, wave.to_ns);
		fputs("}", f);
		first = false;
	}
	fputs("],\n  \"vectors\": [", f);
	for (size_t i = 0; i < t->n_vectors; i++)
		fprintf(f, "%s{\"name\": \"%s\", \"packets\": %" PRIu64 "}", i ? ", " : "", t->vectors[i],
		        per_vector[i]);
	fprintf(f, "],\n  \"sources\": %zu,\n", distinct_sources(w));
	print_text(f, "source_kind", t->source_kind);
	fprintf(f, "  \"spoofed\": %s,\n", t->spoofed < 0 ? "null" : t->spoofed ? "true" : "false");
	print_text(f, "family", t->family);
	fprintf(f, "  \"rule_possible\": %s,\n  \"attack_packets\": %" PRIu64 ",\n",
	        t->rule_possible ? "true" : "false", attack);
	fprintf(f, "  \"reply_packets\": %" PRIu64 ",\n  \"normal_packets_to_target\": %" PRIu64 ",\n", replies,
	        normal);
	fprintf(f, "  \"normal_packets_to_target_before\": %" PRIu64 ",\n  \"packets\": %zu\n}\n", normal_before,
	        w->trace.n_records);
}

int world_write_truth(struct world *w, const char *scenario, const char *path)
{
	FILE *f = fopen(path, "w");
	int err = 0;

	if (!f)
		return -errno;
	print_truth(w, f, scenario);
	if (ferror(f))
		err = -EIO;
	if (fclose(f) && !err)
		err = -errno;
	return err;
}
