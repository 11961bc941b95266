/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept over a restart, of which what the engine has learned is one part; what nothing but that is, is read too.
 *
 *     checkpoint = mark length octets-of-engine_save() count { name { quota } } sum
 *
 * Lengths and counts are varints, the sum of all before it (learned_sum()) 64 bits in network order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/octets.h"
#include "base/varint.h"
#include "engine/learned.h"
#include "engine/live_inside.h"

#define MARK "HFLQ"
#define MARK_SIZE 4
#define SUM_SIZE 8
#define SERVICE_MAX (VARINT_MAX + LIVE_NAME_SIZE + QUOTA_CLASSES * QUOTA_PACKED_MAX) /* octets of one */

static size_t room_for(size_t engine_length, unsigned services)
{
	return MARK_SIZE + 2 * VARINT_MAX + engine_length + services * (size_t)SERVICE_MAX + SUM_SIZE;
}

static unsigned service_named(const struct live *l, const char *name)
{
	unsigned i = 0;

	while (i < l->service_count && strcmp(l->services[i].name, name) != 0)
		i++;
	return i;
}

static int restore_quotas(struct live *l, struct cursor *c)
{
	uint64_t count = cursor_varint(c);
	struct quotas *passed_over = quotas_new(1, 0);

	if (!passed_over)
		return -ENOMEM;
	for (uint64_t i = 0; i < count && !c->failed; i++) {
		uint64_t length = cursor_varint(c);
		const uint8_t *text = length < LIVE_NAME_SIZE ? cursor_take(c, length) : NULL;
		char name[LIVE_NAME_SIZE] = "";
		unsigned at;

		if (!text) {
			c->failed = true;
			break;
		}
		memcpy(name, text, length);
		at = service_named(l, name);
		for (unsigned k = 0; k < QUOTA_CLASSES; k++) {
			bool here = at < l->service_count;

			quotas_unpack(c, here ? l->quotas : passed_over, here ? at : 0, (enum quota_class)k);
		}
	}
	quotas_free(passed_over);
	return c->failed || cursor_left(c) ? -EBADMSG : 0;
}

int live_kept_restore(struct live *l, const uint8_t *checkpoint, size_t length)
{
	struct cursor c = cursor_over(checkpoint, length);
	const uint8_t *mark = cursor_take(&c, MARK_SIZE), *engine;
	uint64_t engine_length;
	int rc;

	if (!mark || memcmp(mark, MARK, MARK_SIZE) != 0)
		return engine_restore(l->engine, checkpoint, length);
	if (length < MARK_SIZE + SUM_SIZE ||
	    octets_get_be(checkpoint + length - SUM_SIZE, SUM_SIZE) != learned_sum(checkpoint, length - SUM_SIZE))
		return -EBADMSG;
	cursor_limit(&c, length - SUM_SIZE - MARK_SIZE);
	engine_length = cursor_varint(&c);
	engine = engine_length <= cursor_left(&c) ? cursor_take(&c, engine_length) : NULL;
	if (!engine)
		return -EBADMSG;
	rc = engine_restore(l->engine, engine, engine_length);
	return rc < 0 ? rc : restore_quotas(l, &c);
}

int live_save(const struct live *l, uint8_t **checkpoint, size_t *length)
{
	uint8_t *engine, *made;
	size_t engine_length, at = MARK_SIZE;
	int rc;

	if (!l->engine)
		return -EINVAL;
	rc = engine_save(l->engine, &engine, &engine_length);
	if (rc < 0)
		return rc;
	made = malloc(room_for(engine_length, l->service_count));
	if (!made) {
		free(engine);
		return -ENOMEM;
	}
	memcpy(made, MARK, MARK_SIZE);
	at += varint_write(made + at, engine_length);
	memcpy(made + at, engine, engine_length);
	free(engine);
	at += engine_length;
	at += varint_write(made + at, l->service_count);
	for (unsigned i = 0; i < l->service_count; i++) {
		size_t name = strlen(l->services[i].name);

		at += varint_write(made + at, name);
		memcpy(made + at, l->services[i].name, name);
		at += name;
		for (unsigned k = 0; k < QUOTA_CLASSES; k++)
			at += quotas_pack(l->quotas, i, (enum quota_class)k, made + at);
	}
	at += octets_put_u64_be(made + at, learned_sum(made, at));
	*checkpoint = made;
	*length = at;
	return 0;
}
