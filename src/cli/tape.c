/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define BLOCK 65536
#define ID_DIGITS 16
#define ENDING ".hfs"

bool tape_is_one(const char *path)
{
	uint8_t beginning[sizeof(STREAM_MARK)];
	struct stat status;
	ssize_t got = -1;
	int fd;

	/* A pipe is not opened here, not even to look: whoever writes into it would see it closed again. */
	if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		got = pread(fd, beginning, sizeof(beginning), 0);
	(void)close(fd);
	return got > 0 && stream_is_one(beginning, (size_t)got);
}

const char *tape_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

uint64_t tape_incident(const char *path)
{
	const char *name = tape_name(path);

	if (strspn(name, "0123456789abcdef") != ID_DIGITS || strcmp(name + ID_DIGITS, ENDING) != 0)
		return 0;
	return strtoull(name, NULL, 16);
}

/* Whose rules are to be told; NULL: there was no attack. */
static const struct incident *find_incident(const struct engine *engine, uint64_t id)
{
	const struct incident *first = NULL;

	for (uint32_t i = 0; i < engine_count(engine); i++) {
		const struct incident *incident = engine_finding(engine, i)->incident;

		if (incident->is_scan)
			continue;
		if (incident->id == id)
			return incident;
		if (!first)
			first = incident;
	}
	return first;
}

/* The lives are copied: they end with what is replayed. */
static void take_news(void *context, struct live *live, const struct live_news *news)
{
	struct tape *tape = context;
	const struct engine *engine = news->type == LIVE_FINISHED ? live_finished(live) : NULL;
	const struct incident *incident = engine ? find_incident(engine, tape->incident) : NULL;
	const struct life *rules[LIVE_RULES_MAX];

	if (tape->witness.news)
		tape->witness.news(tape->witness.context, live, news);
	if (!incident)
		return;
	tape->rule_count = live_rules(live, incident->id, rules);
	for (unsigned i = 0; i < tape->rule_count; i++) {
		tape->lives[i] = *rules[i];
		tape->rules[i] = &tape->lives[i];
	}
}

static void take_order(void *context, const struct live *live, const struct live_order *order)
{
	const struct tape *tape = context;

	if (tape->witness.order)
		tape->witness.order(tape->witness.context, live, order);
}

static void take_observation(void *context, const struct observation *observation)
{
	const struct tape *tape = context;

	tape->witness.observed(tape->witness.context, observation);
}

int tape_init(struct tape *tape, uint64_t incident)
{
	return tape_init_with(tape, incident, &(struct stream_listener){ .context = NULL });
}

int tape_init_with(struct tape *tape, uint64_t incident, const struct stream_listener *witness)
{
	const struct stream_listener listener = { .news = take_news,
		                                  .order = take_order,
		                                  .observed = witness->observed ? take_observation : NULL,
		                                  .context = tape };

	*tape = (struct tape){ .incident = incident, .witness = *witness };
	return stream_replay_new(&listener, &tape->replay);
}

void tape_fini(struct tape *tape)
{
	stream_replay_free(tape->replay);
	tape->replay = NULL;
}

int tape_read(struct tape *tape, const char *path, struct progress *progress)
{
	uint8_t block[BLOCK];
	FILE *file = fopen(path, "rbe");
	int result = 0;
	size_t got;

	if (!file)
		return -errno;
	errno = 0;
	while (result == 0 && (got = fread(block, 1, sizeof(block), file)) > 0) {
		result = stream_replay_feed(tape->replay, block, got);
		tape->octets += got;
		if (progress->wanted)
			progress_show(progress, stream_replay_facts(tape->replay)->observations, tape->octets, 0);
	}
	if (result == 0 && ferror(file))
		result = errno ? -errno : -EIO;
	(void)fclose(file);
	return result;
}

int tape_read_part(struct tape *tape, int fd, uint64_t at, uint64_t count)
{
	uint8_t block[BLOCK];
	int result = 0;

	while (result == 0 && count > 0) {
		size_t piece = count < sizeof(block) ? (size_t)count : sizeof(block);

		result = file_read_at(fd, block, piece, at);
		if (result == 0)
			result = stream_replay_feed(tape->replay, block, piece);
		at += piece;
		count -= piece;
		tape->octets += piece;
	}
	return result;
}

int tape_end(struct tape *tape)
{
	return stream_replay_end(tape->replay);
}

const struct engine *tape_engine(const struct tape *tape)
{
	return stream_replay_engine(tape->replay);
}

struct analysis_live tape_live(const struct tape *tape)
{
	return (struct analysis_live){ .rule_count = tape->rule_count, .rules = tape->rules };
}
