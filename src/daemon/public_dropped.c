/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/public_dropped.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "daemon/serve_role.h"

static int read_list(int fd, struct dropped *list, struct dropped_error *wrong)
{
	void *octets = NULL;
	size_t length;
	int result = file_read_all(fd, DROPPED_FILE_MAX, &octets, &length);

	if (result == 0)
		result = dropped_read(octets, length, list, wrong);
	free(octets);
	return result;
}

void public_dropped_take(struct public_dropped *dropped, int fd, int result)
{
	struct dropped_error wrong = { .line = 0 };
	struct dropped next;

	if (result == 0)
		result = read_list(fd, &next, &wrong);
	dropped->wrong[0] = '\0';
	if (result == 0) {
		dropped_fini(&dropped->list);
		dropped->list = next;
		dropped->lists++;
		return;
	}
	if (result == -ENOENT && !dropped->wanted) /* nobody has been dropped yet, or there is no shield */
		return;
	dropped->unreadable++;
	if (wrong.line)
		(void)snprintf(dropped->wrong, sizeof(dropped->wrong), "line %" PRIu64 ": %s", wrong.line, wrong.what);
	else
		(void)snprintf(dropped->wrong, sizeof(dropped->wrong), "%s", strerror(-result));
}

/* That a list with nobody in it has ended is as it should be. */
static bool is_stale(const struct public_dropped *dropped, struct capture_time now)
{
	return dropped->list.dropping.count > 0 && !dropped_holds(&dropped->list, now);
}

enum intake_fate public_dropped_fate(struct public_dropped *dropped, const struct address *source,
                                     struct capture_time now)
{
	if (!dropped_holds(&dropped->list, now)) {
		dropped->stale += is_stale(dropped, now);
		return INTAKE_FATE_UNKNOWN;
	}
	return dropped_has(&dropped->list, source) ? INTAKE_FATE_DROPPED : INTAKE_FATE_PASSES;
}

void public_dropped_state(const struct public_dropped *dropped, struct capture_time now, char text[SERVE_TEXT_SIZE])
{
	char until[TIME_TEXT_SIZE];

	text[0] = '\0';
	if (is_stale(dropped, now))
		(void)snprintf(text, SERVE_TEXT_SIZE,
		               "whom the shield is dropping is not known: the list was good until %s",
		               time_format(dropped->list.until, until));
	else if (dropped->wrong[0])
		(void)snprintf(text, SERVE_TEXT_SIZE, "whom the shield is dropping cannot be read: %.150s",
		               dropped->wrong);
}

void public_dropped_count(const struct public_dropped *dropped, struct capture_time now, struct serve_message *message)
{
	bool holds = dropped_holds(&dropped->list, now);

	serve_role_count(message, "dropped_prefixes", holds ? dropped->list.dropping.count : 0);
	serve_role_count(message, "dropped_left_out", holds ? dropped->list.left_out : 0);
	serve_role_count(message, "dropped_lists", dropped->lists);
	serve_role_count(message, "dropped_unreadable", dropped->unreadable);
	serve_role_count(message, "dropped_stale", dropped->stale);
}

void public_dropped_fini(struct public_dropped *dropped)
{
	dropped_fini(&dropped->list);
}
