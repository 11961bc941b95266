/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/now.h"

#define AFTER_NS (2 * NS_PER_S)
#define EVERY_NS (NS_PER_S / 4)

void progress_begin(struct progress *progress)
{
	int64_t now = now_monotonic_ns();

	*progress = (struct progress){
		.began_ns = now, .shown_ns = now, .noun = "packets", .wanted = isatty(STDERR_FILENO)
	};
}

void progress_show(struct progress *progress, uint64_t count, uint64_t position, uint64_t size)
{
	int64_t now = now_monotonic_ns(), elapsed = now - progress->began_ns;

	if (elapsed < AFTER_NS || now - progress->shown_ns < EVERY_NS)
		return;
	progress->shown_ns = now;
	progress->shown = true;
	(void)fprintf(stderr, "\r\033[K%" PRIu64 " %s", count, progress->noun);
	if (size)
		(void)fprintf(stderr, ", %u %%", (unsigned)((double)position * 100 / (double)size));
	(void)fprintf(stderr, ", %" PRIu64 " a second", count * 1000 / ((uint64_t)elapsed / NS_PER_MS));
	(void)fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (progress->shown)
		(void)fputs("\r\033[K", stderr);
	progress->shown = false;
}
