/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/quota.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/share.h"
#include "base/varint.h"

#define STEPS 4 /* an octave has */
#define SLOTS (2 * QUOTA_SOURCES_MAX)
#define SOURCE_PERMILLE 999
#define ALL_PERMILLE 990
#define PERMILLE 1000
#define HOUR_S 3600
#define SAID_MAX ((uint64_t)UINT32_MAX * PPM)

/* How often numbers came, and what is said of that. */
struct scale {
	uint64_t known_s; /* seconds in which anything came */
	uint64_t count;
	uint64_t said; /* millionths of a packet a second */
	uint32_t bins[QUOTA_BINS];
};

/* A second that waits. */
struct waiting {
	uint32_t all; /* packets of all sources */
	uint16_t bins[QUOTA_BINS];
};

struct quota {
	struct scale source, all;
	struct waiting waiting[QUOTA_WAIT_S]; /* by the second, modulo that */
};

struct counted {
	uint64_t key; /* 0: empty */
	uint32_t packets;
	uint16_t service;
	uint8_t class;
};

struct service {
	bool attacked;
	bool tainted; /* it was, in this second */
	struct quota quotas[QUOTA_CLASSES];
};

struct quotas {
	bool begun;
	int64_t second;
	unsigned service_count;
	uint32_t used;
	uint64_t seed;
	uint64_t refused;
	uint16_t taken[QUOTA_SOURCES_MAX]; /* of the slots, those that are used */
	struct counted slots[SLOTS];
	struct service services[];
};

struct quotas *quotas_new(unsigned services, uint64_t seed)
{
	struct quotas *q;

	if (services > QUOTA_SERVICES_MAX)
		return NULL;
	q = calloc(1, sizeof(*q) + services * sizeof(q->services[0]));
	if (q) {
		q->service_count = services;
		q->seed = seed;
	}
	return q;
}

void quotas_free(struct quotas *q)
{
	free(q);
}

/* ------------------------------------------------------------------ bins */

/* 1, 2 and 3 alone; from 4 on the octave and the two bits below its highest. */
unsigned quota_bin(uint64_t packets)
{
	unsigned octave, bin;

	if (packets < STEPS)
		return packets ? (unsigned)packets - 1 : 0;
	octave = 63 - (unsigned)__builtin_clzll(packets);
	bin = STEPS - 1 + (octave - 2) * STEPS + (unsigned)(packets >> (octave - 2) & (STEPS - 1));
	return bin < QUOTA_BINS ? bin : QUOTA_BINS - 1;
}

uint32_t quota_bin_most(unsigned bin)
{
	unsigned octave, step;

	if (bin < STEPS - 1)
		return bin + 1;
	octave = (bin - (STEPS - 1)) / STEPS;
	step = (bin - (STEPS - 1)) % STEPS;
	return ((STEPS + step + 1) << octave) - 1;
}

/* ------------------------------------------------------------------ scales */

static uint32_t most_of(const struct scale *s, unsigned permille)
{
	uint64_t wanted = (s->count * permille + PERMILLE - 1) / PERMILLE, seen = 0;
	unsigned bin = 0;

	while (bin < QUOTA_BINS - 1 && (seen += s->bins[bin]) < wanted)
		bin++;
	return quota_bin_most(bin);
}

static void halve(struct scale *s)
{
	s->count = 0;
	for (unsigned i = 0; i < QUOTA_BINS; i++)
		s->count += s->bins[i] /= 2;
}

/* After a second more has been learned. */
static void say(struct scale *s, unsigned permille)
{
	uint64_t is = (uint64_t)most_of(s, permille) * PPM,
		 most = s->said + s->said / (100 / QUOTA_DRIFT_PERCENT * HOUR_S) + 1;

	s->known_s++;
	if (s->count >= QUOTA_COUNTED_MAX)
		halve(s);
	s->said = s->known_s > QUOTA_SETTLED_S && is > most ? most : is;
	if (s->said > SAID_MAX)
		s->said = SAID_MAX;
}

static void add(struct scale *s, unsigned bin, uint32_t times)
{
	s->bins[bin] += times;
	s->count += times;
}

/* A second has waited long enough. */
static void learn(struct quota *quota, struct waiting *w)
{
	if (w->all == 0)
		return;
	for (unsigned i = 0; i < QUOTA_BINS; i++)
		add(&quota->source, i, w->bins[i]);
	add(&quota->all, quota_bin(w->all), 1);
	say(&quota->source, SOURCE_PERMILLE);
	say(&quota->all, ALL_PERMILLE);
	*w = (struct waiting){ 0 };
}

/* ------------------------------------------------------------------ seconds */

static unsigned place_of(int64_t second)
{
	int64_t place = second % QUOTA_WAIT_S;

	return (unsigned)(place < 0 ? place + QUOTA_WAIT_S : place);
}

static void put_away(struct quotas *q)
{
	unsigned at = place_of(q->second);

	for (uint32_t i = 0; i < q->used; i++) {
		struct counted *c = &q->slots[q->taken[i]];
		struct waiting *w;
		uint16_t *bin;

		w = &q->services[c->service].quotas[c->class].waiting[at];
		if (!q->services[c->service].tainted) {
			bin = &w->bins[quota_bin(c->packets)];
			*bin = *bin < UINT16_MAX ? (uint16_t)(*bin + 1) : *bin;
			w->all = w->all < UINT32_MAX - c->packets ? w->all + c->packets : UINT32_MAX;
		}
		c->key = 0;
	}
	q->used = 0;
	for (unsigned i = 0; i < q->service_count; i++)
		q->services[i].tainted = q->services[i].attacked;
}

static void learn_all(struct quotas *q, unsigned place)
{
	for (unsigned i = 0; i < q->service_count; i++)
		for (unsigned k = 0; k < QUOTA_CLASSES; k++)
			learn(&q->services[i].quotas[k], &q->services[i].quotas[k].waiting[place]);
}

void quotas_advance(struct quotas *q, int64_t second)
{
	if (!q->begun) {
		q->begun = true;
		q->second = second;
	}
	if (second <= q->second)
		return;
	put_away(q);
	for (unsigned i = 0; i < QUOTA_WAIT_S && q->second < second; i++)
		learn_all(q, place_of(++q->second));
	q->second = second;
}

void quotas_count(struct quotas *q, unsigned service, enum quota_class class, const struct address *src,
                  uint32_t packets, int64_t second)
{
	struct address from = *src;
	uint64_t key;

	if (service >= q->service_count || (unsigned)class >= QUOTA_CLASSES)
		return;
	quotas_advance(q, second);
	if (q->services[service].attacked)
		return;
	if (!address_is_ipv4(src))
		memset(from.octets + 8, 0, 8);
	key = hash_address(hash_2(q->seed, service, (uint64_t) class), &from) | 1;
	for (uint32_t i = (uint32_t)(key >> 32);; i++) {
		struct counted *c = &q->slots[i % SLOTS];

		if (c->key == key) {
			c->packets = c->packets < UINT32_MAX - packets ? c->packets + packets : UINT32_MAX;
			return;
		}
		if (c->key)
			continue;
		if (q->used == QUOTA_SOURCES_MAX) {
			q->refused++;
			return;
		}
		*c = (struct counted){ .key = key,
			               .packets = packets,
			               .service = (uint16_t)service,
			               .class = (uint8_t) class };
		q->taken[q->used++] = (uint16_t)(i % SLOTS);
		return;
	}
}

static void forget_waiting(struct service *s)
{
	s->tainted = true;
	for (unsigned k = 0; k < QUOTA_CLASSES; k++)
		memset(s->quotas[k].waiting, 0, sizeof(s->quotas[k].waiting));
}

void quotas_freeze(struct quotas *q, unsigned service, bool attacked)
{
	if (service >= q->service_count || q->services[service].attacked == attacked)
		return;
	q->services[service].attacked = attacked;
	forget_waiting(&q->services[service]);
}

void quotas_settle(struct quotas *q)
{
	memset(q->slots, 0, sizeof(q->slots));
	q->used = 0;
	q->begun = false;
	for (unsigned i = 0; i < q->service_count; i++) {
		forget_waiting(&q->services[i]);
		q->services[i].tainted = q->services[i].attacked = false;
	}
}

uint64_t quotas_refused(const struct quotas *q)
{
	return q->refused;
}

/* ------------------------------------------------------------------ what is said */

static const struct quota *quota_of(const struct quotas *q, unsigned service, enum quota_class class)
{
	const struct quota *quota;

	if (service >= q->service_count || (unsigned)class >= QUOTA_CLASSES)
		return NULL;
	quota = &q->services[service].quotas[class];
	return quota->source.count >= QUOTA_LEAST && quota->source.known_s >= QUOTA_LEAST_S ? quota : NULL;
}

static uint32_t whole(uint64_t said)
{
	return (uint32_t)((said + PPM - 1) / PPM);
}

uint32_t quotas_of_source(const struct quotas *q, unsigned service, enum quota_class class)
{
	const struct quota *quota = quota_of(q, service, class);

	return quota ? whole(quota->source.said) : 0;
}

uint32_t quotas_of_all(const struct quotas *q, unsigned service, enum quota_class class)
{
	const struct quota *quota = quota_of(q, service, class);

	return quota ? whole(quota->all.said) : 0;
}

/* ------------------------------------------------------------------ as octets */

static size_t pack_scale(const struct scale *s, uint8_t *at)
{
	size_t length = varint_write(at, s->known_s);

	length += varint_write(at + length, s->said);
	for (unsigned i = 0; i < QUOTA_BINS; i++)
		length += varint_write(at + length, s->bins[i]);
	return length;
}

size_t quotas_pack(const struct quotas *q, unsigned service, enum quota_class class, uint8_t *at)
{
	const struct quota *quota = &q->services[service].quotas[class];
	size_t length = pack_scale(&quota->source, at);

	return length + pack_scale(&quota->all, at + length);
}

static void unpack_scale(struct cursor *c, struct scale *s)
{
	*s = (struct scale){ .known_s = cursor_varint(c), .said = cursor_varint(c) };
	for (unsigned i = 0; i < QUOTA_BINS; i++) {
		uint64_t bin = cursor_varint(c);

		if (bin > QUOTA_COUNTED_MAX * 2)
			c->failed = true;
		add(s, i, c->failed ? 0 : (uint32_t)bin);
	}
	if (s->said > SAID_MAX)
		c->failed = true;
}

void quotas_unpack(struct cursor *c, struct quotas *q, unsigned service, enum quota_class class)
{
	struct quota *quota = &q->services[service].quotas[class];
	struct scale source, all;

	unpack_scale(c, &source);
	unpack_scale(c, &all);
	if (c->failed)
		return;
	quota->source = source;
	quota->all = all;
}
