/* SPDX-License-Identifier: Apache-2.0 */
/* Which of what happens is told to one target. */
#include <string.h>

#include "base/time.h"
#include "tell/alert.h"

#define MINUTE_NS (60 * NS_PER_S)

static struct alert_open *find_open(struct alert_desk *desk, const char *key)
{
	for (unsigned i = 0; i < desk->count; i++)
		if (strcmp(desk->open[i].key, key) == 0)
			return &desk->open[i];
	return NULL;
}

static bool has_room(struct alert_desk *desk, int64_t now_ns)
{
	if (desk->in_minute == 0 || now_ns - desk->minute_ns >= MINUTE_NS) {
		desk->minute_ns = now_ns;
		desk->in_minute = 0;
	}
	if (desk->in_minute >= ALERT_A_MINUTE) {
		desk->unsaid++;
		return false;
	}
	desk->in_minute++;
	return true;
}

static struct alert_open *add_open(struct alert_desk *desk)
{
	struct alert_open *oldest = &desk->open[0];

	if (desk->count < ALERT_OPEN_MAX)
		return &desk->open[desk->count++];
	for (unsigned i = 1; i < desk->count; i++)
		if (desk->open[i].told_ns < oldest->told_ns)
			oldest = &desk->open[i];
	desk->unsaid++; /* its end will not be told */
	return oldest;
}

bool alert_desk_takes(struct alert_desk *desk, int64_t now_ns, uint32_t min_pps, struct alert *alert)
{
	struct alert_open *open;
	char key[ALERT_KEY_SIZE];

	if (alert->change == ALERT_TEST)
		return true;
	if (alert->change >= ALERT_CHANGES)
		return false;
	open = find_open(desk, alert_key(alert, key));
	if (alert_change_closes((enum alert_change)alert->change)) {
		if (!open)
			return false;
		memcpy(alert->service, open->service, sizeof(alert->service));
		if (!alert->target[0]) {
			memcpy(alert->target, open->target, sizeof(alert->target));
			memcpy(alert->vector, open->vector, sizeof(alert->vector));
			alert->began_ns = open->began_ns;
		}
		*open = desk->open[--desk->count];
		return true;
	}
	if (alert->matter == ALERT_OF_ATTACK && alert->incident && alert->pps < min_pps && alert->peak_pps < min_pps)
		return false;
	if (open && alert->matter != ALERT_OF_ATTACK) { /* each other word of it */
		if (alert->change != ALERT_WORSE || !has_room(desk, now_ns))
			return false;
	} else if (open) {
		if (alert_is_link(alert) || alert->change == ALERT_STANDING ||
		    open->pps > alert->pps / ALERT_WORSE_TIMES || !has_room(desk, now_ns))
			return false;
		alert->change = ALERT_WORSE;
		memcpy(alert->service, open->service, sizeof(alert->service));
	} else {
		if (alert->change != ALERT_STANDING && !has_room(desk, now_ns))
			return false;
		open = add_open(desk);
		memset(open, 0, sizeof(*open));
		memcpy(open->key, key, sizeof(open->key));
		memcpy(open->service, alert->service, sizeof(open->service));
		memcpy(open->target, alert->target, sizeof(open->target));
		memcpy(open->vector, alert->vector, sizeof(open->vector));
		open->began_ns = alert->began_ns;
		if (alert->change == ALERT_WORSE) /* its beginning found no room: this is one */
			alert->change = ALERT_BEGAN;
	}
	open->pps = alert->pps ? alert->pps : 1;
	open->told_ns = now_ns;
	return alert->change != ALERT_STANDING;
}
