/* SPDX-License-Identifier: Apache-2.0 */
/* What live's news are worth telling people, in the shape in which they are told. */
#include <string.h>

#include "base/time.h"
#include "daemon/role.h"
#include "daemon/watch_inside.h"
#include "detect/vector.h"
#include "measure/slot.h"

static bool find_view(const struct watch *watch, uint64_t incident, struct live_view *view)
{
	unsigned count = live_count(watch->live);

	for (unsigned i = 0; i < count; i++) {
		live_view(watch->live, i, view);
		if (view->id == incident)
			return true;
	}
	return false;
}

static void describe(const struct live_view *view, struct alert *alert)
{
	const struct incident *incident = view->incident;
	char text[PREFIX_TEXT_SIZE];

	(void)prefix_format(&incident->scope, text);
	if (incident->scope.length == (incident->scope.is_ipv4 ? 32 : 128))
		text[strcspn(text, "/")] = '\0';
	message_text(alert->target, sizeof(alert->target), text);
	message_text(alert->service, sizeof(alert->service), view->service ? view->service : "");
	message_text(alert->advice, sizeof(alert->advice), view->advice ? view->advice : "");
	if (incident->parts_count > 0)
		message_text(alert->vector, sizeof(alert->vector), vector_get(incident->parts[0].kind)->name);
	alert->began_ns = incident->began.ns;
	alert->peak_pps = incident->peak_packets * SLOTS_PER_SECOND;
	alert->passing_ppm = view->passing_ppm;
	if (alert->change != ALERT_ENDED) {
		alert->pps = view->pps;
		alert->bps = view->bps;
	}
}

void watch_alert(struct watch *watch, const struct live_news *news)
{
	static const enum alert_change changes[] = {
		[LIVE_BEGAN] = ALERT_BEGAN, [LIVE_CHANGED] = ALERT_WORSE, [LIVE_ENDED] = ALERT_ENDED
	};
	struct alert alert = { .incident = news->incident, .time_ns = role_monotonic_ns() + watch->shift_ns };
	struct live_view view;

	if (!watch->setup.alert || news->type == LIVE_FINISHED)
		return;
	alert.change = (uint32_t)changes[news->type];
	alert.began_ns = alert.time_ns;
	if (find_view(watch, news->incident, &view)) {
		if (view.incident->is_scan) /* no emergency */
			return;
		describe(&view, &alert);
	} else if (news->type != LIVE_ENDED) { /* of what has become part of another, the end alone is told */
		return;
	}
	watch->setup.alert(watch->setup.context, &alert);
}

void watch_alert_all(struct watch *watch, enum alert_change change)
{
	unsigned count = watch->live ? live_count(watch->live) : 0;

	for (unsigned i = 0; i < count; i++) {
		struct alert alert = { .change = (uint32_t)change, .time_ns = role_monotonic_ns() + watch->shift_ns };
		struct live_view view;

		live_view(watch->live, i, &view);
		if (view.over || view.incident->is_scan || !watch->setup.alert)
			continue;
		alert.incident = view.id;
		describe(&view, &alert);
		watch->setup.alert(watch->setup.context, &alert);
	}
}
