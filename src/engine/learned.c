/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/learned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/octets.h"
#include "base/varint.h"
#include "detect/vector.h"
#include "observe/pack.h"

#define MARK "HFLN"
#define VERSION 2
#define HEAD_SIZE 5
#define NUMBERS_MAX 64 /* octets of those that stand alone */
#define USUAL_SIZE (18 + 3 * VARINT_MAX + USUAL_SEASONS * SEASON_PACKED_MAX)
#define IS_IPV4 0x80
#define IS_SEASONAL 0x80    /* in the kind */
#define STEP_S 60           /* an age is counted in so many seconds … */
#define STEP_GROWTH 590727u /* … and each adds 2^(60 / LEARNED_HALF_S) - 1, in 2^-32 */

/* Kinds are kept as they are numbered here. Whoever moves them says so by a new VERSION. */
_Static_assert(VECTOR_FIRST_REFLECTION == 32 && VECTOR_QUIC == 19 && VECTOR_SLOW_HTTP == 27,
               "kinds are numbered as VERSION has them");

uint64_t learned_sum(const uint8_t *octets, size_t length)
{
	uint64_t sum = length;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ octets[i]) * 0x100000001b3u + (sum >> 47);
	return sum;
}

uint64_t learned_age(uint64_t priority, uint64_t seconds)
{
	uint64_t steps = seconds / STEP_S;

	for (uint64_t i = 0; i < steps && priority < UINT64_MAX; i++) {
		uint64_t more = (priority >> 32) * STEP_GROWTH;

		priority = priority < UINT64_MAX - more ? priority + more : UINT64_MAX;
		if (more == 0)
			break;
	}
	return priority;
}

static bool is_seasonal(const struct usual *usual)
{
	return usual->seasons[USUAL_PACKETS].known_s > 0;
}

static size_t put_usual(uint8_t *at, const struct usual *usual)
{
	size_t length = sizeof(usual->scope.address.octets);

	memcpy(at, usual->scope.address.octets, length);
	/* Scopes of IPv6 have even lengths. */
	at[length++] =
		usual->scope.is_ipv4 ? (uint8_t)(usual->scope.length | IS_IPV4) : (uint8_t)(usual->scope.length / 2);
	at[length++] = is_seasonal(usual) ? usual->kind | IS_SEASONAL : usual->kind;
	length += varint_write(at + length, usual->known_s);
	length += varint_write(at + length, usual->packets);
	length += varint_write(at + length, usual->unsettled);
	for (unsigned i = 0; i < USUAL_SEASONS && is_seasonal(usual); i++)
		length += season_pack(&usual->seasons[i], at + length);
	return length;
}

static void get_usual(struct cursor *c, struct usual *usual)
{
	const uint8_t *address = cursor_take(c, sizeof(usual->scope.address.octets));
	uint8_t length = cursor_u8(c), kind = cursor_u8(c);

	*usual = (struct usual){ .kind = kind & (uint8_t)~IS_SEASONAL };
	usual->known_s = cursor_varint(c);
	usual->packets = cursor_varint(c);
	usual->unsettled = cursor_varint(c);
	for (unsigned i = 0; i < USUAL_SEASONS && kind & IS_SEASONAL; i++)
		season_unpack(c, &usual->seasons[i]);
	/* Without having learned it would not be written. */
	if (kind & IS_SEASONAL && !is_seasonal(usual))
		c->failed = true;
	if (c->failed || !address)
		return;
	memcpy(usual->scope.address.octets, address, sizeof(usual->scope.address.octets));
	usual->scope.is_ipv4 = (length & IS_IPV4) != 0;
	usual->scope.length = usual->scope.is_ipv4 ? length & (uint8_t)~IS_IPV4 : (uint8_t)(length * 2);
}

/* Whether the scope is one, and what is said of it can be. */
static bool is_usual(const struct usual *usual)
{
	struct prefix same = prefix_of(&usual->scope.address, usual->scope.length);

	return prefix_equal(&same, &usual->scope) && usual->packets <= USUAL_RATE_MAX &&
	       usual->unsettled <= usual->packets;
}

int learned_write(const struct learned *learned, uint8_t **octets, size_t *length)
{
	const struct sample *normal = &learned->normal;
	size_t room = HEAD_SIZE + NUMBERS_MAX + (size_t)learned->usual_count * USUAL_SIZE +
	              (size_t)normal->used * (8 + PACK_MAX) + LEARNED_SUM_SIZE;
	uint8_t *made = malloc(room), *kept;
	size_t at = HEAD_SIZE;

	if (!made)
		return -ENOMEM;
	memcpy(made, MARK, HEAD_SIZE - 1);
	made[HEAD_SIZE - 1] = VERSION;
	at += varint_write(made + at, learned->seconds);
	at += varint_write(made + at, learned->usual_count);
	for (uint32_t i = 0; i < learned->usual_count; i++)
		at += put_usual(made + at, &learned->usual[i]);
	at += varint_write(made + at, normal->seen);
	at += octets_put_u64_be(made + at, normal->limit);
	at += varint_write(made + at, normal->used);
	for (uint32_t i = 0; i < normal->used; i++) {
		struct observation o;

		sample_read(normal, i, &o);
		at += octets_put_u64_be(made + at, normal->priorities[i]);
		at += pack_write(made + at, &o, (struct capture_time){ 0 });
	}
	at += octets_put_u64_be(made + at, learned_sum(made, at));
	kept = realloc(made, at);
	*octets = kept ? kept : made;
	*length = at;
	return 0;
}

static int read_usual(struct cursor *c, struct learned *learned)
{
	uint64_t count = cursor_varint(c);

	if (c->failed || count > USUAL_MAX || count > cursor_left(c))
		return -EBADMSG;
	learned->usual = calloc(count ? count : 1, sizeof(*learned->usual));
	if (!learned->usual)
		return -ENOMEM;
	for (; learned->usual_count < count; learned->usual_count++) {
		struct usual *usual = &learned->usual[learned->usual_count];

		get_usual(c, usual);
		if (c->failed || !is_usual(usual) || (learned->usual_count && usual_compare(usual - 1, usual) >= 0))
			return -EBADMSG;
	}
	return 0;
}

static int read_sample(struct cursor *c, struct learned *learned)
{
	uint64_t seen = cursor_varint(c), limit = cursor_u64_be(c), count = cursor_varint(c);

	if (c->failed || count > LEARNED_SAMPLE_MAX || count > cursor_left(c) || seen < count)
		return -EBADMSG;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t priority = cursor_u64_be(c);
		struct observation o;

		pack_read(c, (struct capture_time){ 0 }, &o);
		if (c->failed || priority > limit)
			return -EBADMSG;
		sample_add(&learned->normal, &o, priority);
	}
	if (learned->normal.lost)
		return -ENOMEM;
	learned->normal.seen = seen;
	learned->normal.limit = limit;
	return 0;
}

int learned_read(const uint8_t *octets, size_t length, struct learned *learned)
{
	struct cursor c = cursor_over(octets, length), sum;
	const uint8_t *head;
	int rc;

	if (length < HEAD_SIZE + LEARNED_SUM_SIZE)
		return -EBADMSG;
	sum = cursor_over(octets + length - LEARNED_SUM_SIZE, LEARNED_SUM_SIZE);
	if (cursor_u64_be(&sum) != learned_sum(octets, length - LEARNED_SUM_SIZE))
		return -EBADMSG;
	cursor_limit(&c, length - LEARNED_SUM_SIZE);
	head = cursor_take(&c, HEAD_SIZE);
	if (!head || memcmp(head, MARK, HEAD_SIZE - 1) != 0)
		return -EBADMSG;
	if (head[HEAD_SIZE - 1] != VERSION)
		return -EPROTONOSUPPORT;
	*learned = (struct learned){ .seconds = cursor_varint(&c) };
	sample_init(&learned->normal, LEARNED_SAMPLE_MAX);
	rc = read_usual(&c, learned);
	if (rc == 0)
		rc = read_sample(&c, learned);
	if (rc == 0 && (c.failed || cursor_left(&c)))
		rc = -EBADMSG;
	if (rc < 0)
		learned_fini(learned);
	return rc;
}

void learned_fini(struct learned *learned)
{
	free(learned->usual);
	sample_fini(&learned->normal);
}
