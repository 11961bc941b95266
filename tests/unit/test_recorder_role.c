/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder's role, as the engine sees it: what comes is written, what is in force is told, a broken record mended.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syscall.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/time.h"
#include "fake_shield.h"
#include "impact/dropped.h"
#include "record/archive.h"
#include "record/outages.h"
#include "record/record.h"
#include "role_child.h"

static struct fake *fake;
static char folder[] = "/tmp/holdfast-recorder-XXXXXX", path[64], config[128];
static pid_t recorder;
static int parent_end, engine_end;
static bool fresh; /* nothing has been recorded by recorder_state() */

/* ---- how long a disk may take ---- */

/* Shared with the role. */
static struct disk {
	unsigned waits;   /* for the disk */
	unsigned least_s; /* that any of them may have taken, by the role's own watch */
} * disk;
static unsigned armed_s;

unsigned __real_alarm(unsigned seconds);
unsigned __wrap_alarm(unsigned seconds);

unsigned __wrap_alarm(unsigned seconds)
{
	armed_s = seconds;
	return __real_alarm(seconds);
}

static void wait_for_disk(void)
{
	disk->waits++;
	disk->least_s = armed_s < disk->least_s ? armed_s : disk->least_s;
}

/* In the place of the C library's, for SQLite too. */
int fsync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fdatasync, fd);
}

/* ---- the recorder ---- */

/* Starts it with these channels; `ends[1]` of both are its own. */
static void begin_with(const int parent_ends[2], const int engine_ends[2])
{
	static const struct role_start start = { .uid = 0 };

	recorder = role_child_start(recorder_role, &start, (int[]){ parent_ends[1], engine_ends[1] }, 2);
	assert_true(recorder > 0);
	(void)close(parent_ends[1]);
	(void)close(engine_ends[1]);
	parent_end = parent_ends[0];
	engine_end = engine_ends[0];
	configure(parent_end, config, "");
	fresh = true;
}

static void begin(void)
{
	int parent_ends[2], engine_ends[2];

	channel(parent_ends);
	channel(engine_ends);
	begin_with(parent_ends, engine_ends);
}

/* The engine goes first: what it has said is still written. */
static int end(void)
{
	int status;

	(void)close(engine_end);
	status = role_child_end(recorder);
	(void)close(parent_end);
	return status;
}

static struct message_record *record(const char *command, const char *outcome)
{
	message_init(&message, MESSAGE_RECORD, 0);
	message.record.time_ns = 1764158400 * NS_PER_S;
	message_text(message.record.command, sizeof(message.record.command), command);
	message_text(message.record.outcome, sizeof(message.record.outcome), outcome);
	message_text(message.record.arguments, sizeof(message.record.arguments), "{}");
	return &message.record;
}

static void add_prefix(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	message_put_prefix(&message.record.prefixes.prefix[message.record.prefixes.count++], &prefix);
}

static void send_record(void)
{
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
}

/* Waits until so many messages are said to be written. */
static void written(uint64_t count)
{
	do
		await(engine_end, MESSAGE_RECORDER_TO_ENGINE, MESSAGE_RECORDED);
	while (message.recorded.written < count);
	assert_string_equal(message.recorded.state, "ok");
}

static void tell(void)
{
	int64_t soon = role_wall_ns() + 3600 * NS_PER_S;

	record("block", "done")->until_ns = soon;
	add_prefix("198.51.100.0/24");
	add_prefix("203.0.113.0/24");
	send_record();
	record("allow", "done")->until_ns = soon;
	add_prefix("203.0.113.7");
	send_record();
	record("block", "done")->until_ns = soon;
	message_text(message.record.object, sizeof(message.record.object), "r7");
	message_text(message.record.rule.match, sizeof(message.record.rule.match), "udp");
	message.record.rule.action = RULE_DROP;
	send_record();
	record("block", "refused")->until_ns = 0;
	add_prefix("192.0.2.0/24");
	send_record();
	(void)record("release", "done");
	add_prefix("203.0.113.0/24");
	send_record();
	(void)record("observe", "done");
	send_record();
}

/* What is answered to the question what is in force, as one text; *highest is the last rule's number. */
static const char *in_force(enum shield_origin origin, uint32_t *highest)
{
	static char text[1024];
	size_t length = 0;

	message_init(&message, MESSAGE_ASK, 5);
	message.number = (uint32_t)origin;
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	text[0] = '\0';
	for (;;) {
		char printed[PREFIX_TEXT_SIZE];
		struct prefix prefix;

		await(engine_end, MESSAGE_RECORDER_TO_ENGINE, MESSAGE_IN_FORCE);
		assert_int_equal(message.id, 5);
		if (message.in_force.kind == MESSAGE_KIND_END)
			break;
		prefix = message_prefix(&message.in_force.prefix);
		if (message.in_force.kind == MESSAGE_KIND_RULE)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "r%u %s; ",
			                           message.in_force.rule.number, message.in_force.rule.match);
		else
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%u %s; ",
			                           message.in_force.kind, prefix_format(&prefix, printed));
	}
	*highest = message.in_force.highest;
	return text;
}

static int count_one(void *context, uint64_t id, const struct record_action *action)
{
	(void)id;
	(void)action;
	++*(unsigned *)context;
	return 0;
}

static unsigned count_actions(void)
{
	struct record_options options = { .path = path };
	struct record_error error;
	struct record *opened;
	char put_aside[RECORD_PATH_SIZE];
	unsigned count = 0;

	assert_int_equal(record_open(&options, &opened, put_aside, &error), 0);
	assert_int_equal(record_list(opened, 1000, count_one, &count, &error), 0);
	record_close(opened);
	return count;
}

static void what_comes_is_written(void **state)
{
	static const char all[] = "1 198.51.100.0/24; 2 203.0.113.7/32; r7 udp; ";
	uint32_t highest;

	(void)state;
	begin();
	assert_int_equal(applied(parent_end), 0);
	assert_string_equal(fake->notes, "give up\nconfine one folder -\nfilter recorder\n");
	tell();
	written(6);
	/* Another version's shield gets it all; one that stands, on a host that has begun anew, too. */
	assert_string_equal(in_force(SHIELD_REPLACED, &highest), all);
	assert_int_equal(highest, 7);
	assert_string_equal(in_force(SHIELD_TAKEN_OVER, &highest), all);
	assert_int_equal(end(), 0);
	assert_int_equal(count_actions(), 7);

	/* When it has been put in, and the host runs on: a shield that stands needs nothing. */
	begin();
	assert_int_equal(applied(parent_end), 0);
	message_init(&message, MESSAGE_SETTLED, 0);
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	assert_int_equal(end(), 0);
	begin();
	assert_int_equal(applied(parent_end), 0);
	assert_string_equal(in_force(SHIELD_TAKEN_OVER, &highest), "");
	assert_int_equal(highest, 7);
	assert_string_equal(in_force(SHIELD_REPLACED, &highest), all);
	/* One that is new now has been taken away: nothing is in force any more. */
	assert_string_equal(in_force(SHIELD_NEW, &highest), "");
	assert_string_equal(in_force(SHIELD_REPLACED, &highest), "");
	assert_int_equal(highest, 7);
	assert_int_equal(end(), 0);
}

/*
 * An engine that asks, says more and has gone before it is answered, with what it was told before unread: what it said
 * last is on record.
 */
static void last_words(void **state)
{
	int parent_ends[2], engine_ends[2];

	(void)state;
	channel(parent_ends);
	channel(engine_ends);
	message_init(&message, MESSAGE_RECORDED, 0);
	assert_int_equal(message_send(engine_ends[1], &message, NULL, 0), 0);
	engine_end = engine_ends[0];
	message_init(&message, MESSAGE_ASK, 5);
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	for (unsigned i = 0; i < 3; i++) {
		(void)record("observe", "done");
		send_record();
	}
	(void)close(engine_end);
	engine_ends[0] = -1;
	begin_with(parent_ends, engine_ends);
	assert_int_equal(role_child_end(recorder), 0);
	(void)close(parent_end);
	assert_int_equal(count_actions(), 3);
}

/* Whoever waits for a disk is not taken for one that hangs as soon as the others. */
static void a_disk_takes_its_time(void **state)
{
	(void)state;
	disk->least_s = UINT_MAX;
	begin();
	assert_int_equal(applied(parent_end), 0);
	tell();
	written(6);
	assert_int_equal(end(), 0);
	assert_true(disk->waits > 0);
	assert_int_equal(disk->least_s, ROLE_LONG_S);
}

static int sum_signals(void *context, const struct signal_count *count)
{
	struct signal_count *sum = context;

	assert_string_equal(count->component, "web");
	assert_int_equal(count->kind, SIGNAL_CONNECTIONS);
	sum->good += count->good;
	sum->bad += count->bad;
	return 0;
}

/* How users fared is on record beside all else, and adds up. */
static void signals_go_on_record(void **state)
{
	struct record_error error = { .message = "" };
	struct signal_count sum = { .good = 0 };
	struct ledger *ledger;

	(void)state;
	begin();
	for (int i = 0; i < 2; i++) {
		message_init(&message, MESSAGE_SIGNALS, 0);
		message.signals.count = 1;
		message.signals.signals[0] = (struct signal_count){ .bucket_ns = 3 * COUNT_BUCKET_NS,
			                                            .component = "web",
			                                            .kind = SIGNAL_CONNECTIONS,
			                                            .good = 40,
			                                            .bad = 2 };
		assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	}
	assert_int_equal(end(), 0);
	assert_int_equal(ledger_open(path, false, &ledger, &error), 0);
	assert_int_equal(outages_signal_each(ledger, NULL, 0, 9 * COUNT_BUCKET_NS, sum_signals, &sum, &error), 0);
	ledger_close(ledger);
	assert_int_equal(sum.good, 80);
	assert_int_equal(sum.bad, 4);
}

static int file_of(const struct message_prefix *prefixes, unsigned count)
{
	int fd = memfd_create("prefixes", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, prefixes, count * sizeof(*prefixes)), count * sizeof(*prefixes));
	return fd;
}

/* Sends so many prefixes of those, of which the last passes. */
static void send_dropped(const struct message_prefix *prefixes, unsigned count, unsigned says)
{
	int fd = file_of(prefixes, count);

	message_init(&message, MESSAGE_DROPPED, 0);
	message.dropped = (struct message_dropped){ .dropping = says - 1, .passing = 1, .left_out = 5 };
	assert_int_equal(message_send(engine_end, &message, &fd, 1), 0);
	(void)close(fd);
}

static void read_dropped(struct dropped *dropped)
{
	struct dropped_error error;
	struct stat status;
	void *octets;
	size_t length;
	char name[128];
	int fd;

	(void)snprintf(name, sizeof(name), "%s/dropped", folder);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_int_equal(file_read_all(fd, DROPPED_FILE_MAX, &octets, &length), 0);
	(void)close(fd);
	assert_int_equal(dropped_read(octets, length, dropped, &error), 0);
	free(octets);
}

/* Who is being dropped becomes a file; what the engine may not say does not. */
static void who_is_dropped(void **state)
{
	static const char *const texts[] = { "203.0.113.9", "203.0.113.0/24", "2001:db8::/48", "203.0.113.7" };
	struct message_prefix prefixes[4];
	struct dropped dropped;
	struct prefix prefix;
	struct stat status;
	char name[128];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(prefix_parse(texts[i], &prefix), 0);
		message_put_prefix(&prefixes[i], &prefix);
	}
	begin();
	send_dropped(prefixes, 4, 4);
	assert_int_equal(end(), 0);
	read_dropped(&dropped);
	assert_int_equal(dropped.dropping.count, 2);
	assert_int_equal(dropped.passing.count, 1);
	assert_int_equal(dropped.left_out, 5);
	assert_int_equal(time_since(dropped.until, dropped.made), DROPPED_LASTS_S * NS_PER_S);
	assert_true(dropped_holds(&dropped, (struct capture_time){ role_wall_ns() }));
	assert_false(dropped_has(&dropped, &prefix.address));
	dropped_fini(&dropped);

	begin();
	send_dropped(prefixes, 3, 4); /* less than it says */
	prefixes[0].octets[0] = 1;    /* no IPv4 */
	send_dropped(prefixes, 4, 4);
	prefixes[0] = (struct message_prefix){ .length = 0 }; /* the whole world */
	send_dropped(prefixes, 4, 4);
	assert_int_equal(end(), 0);
	read_dropped(&dropped); /* as it was */
	assert_int_equal(dropped.dropping.count, 2);
	dropped_fini(&dropped);
	(void)snprintf(name, sizeof(name), "%s/dropped.new", folder);
	assert_int_equal(stat(name, &status), -1);
	(void)snprintf(name, sizeof(name), "%s/dropped", folder);
	assert_int_equal(unlink(name), 0);
}

static void more_than_a_batch(void **state)
{
	(void)state;
	begin();
	assert_int_equal(applied(parent_end), 0);
	for (unsigned i = 0; i < 200; i++) {
		int result;

		(void)record("block", "refused");
		for (unsigned k = 0; k < MESSAGE_PREFIXES_MAX; k++)
			add_prefix("192.0.2.1");
		while ((result = message_send(engine_end, &message, NULL, 0)) == -EAGAIN)
			(void)poll(NULL, 0, 5);
		assert_int_equal(result, 0);
	}
	written(200);
	assert_int_equal(end(), 0);
	assert_int_equal(count_actions(), 1000); /* and more */
}

static void a_broken_record(void **state)
{
	char put_aside[RECORD_PATH_SIZE], garbage[8192];
	FILE *file = fopen(path, "we");

	(void)state;
	memset(garbage, 'x', sizeof(garbage));
	assert_non_null(file);
	assert_int_equal(fwrite(garbage, 1, sizeof(garbage), file), sizeof(garbage));
	assert_int_equal(fclose(file), 0);
	begin();
	assert_int_equal(applied(parent_end), 0);
	tell();
	written(6);
	assert_int_equal(end(), 0);
	(void)snprintf(put_aside, sizeof(put_aside), "%s.broken-1", path);
	assert_int_equal(unlink(put_aside), 0);
}

static void a_folder_that_is_not_there(void **state)
{
	char text[160];

	(void)state;
	memcpy(text, config, sizeof(config));
	(void)snprintf(config, sizeof(config), "state_dir: /nonexistent/holdfast\n");
	begin();
	assert_int_equal(applied(parent_end), -EACCES);
	assert_int_equal(strncmp(message.applied.lines[0],
	                         "/nonexistent/holdfast/holdfast.db: the record cannot be opened: ", 63),
	                 0);
	assert_int_equal(end(), 1);
}

static int set_up(void **state)
{
	void *memory = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	disk = memory == MAP_FAILED ? NULL : memory;
	if (!disk)
		return -1;
	fake = fake_new();
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (!fake || !mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/holdfast.db", folder);
	(void)snprintf(config, sizeof(config), "state_dir: %s\n", folder);
	return 0;
}

/* A folder in state_dir, with all that is in it. */
static void remove_folder(const char *name)
{
	char inside[600];
	struct dirent *entry;
	DIR *directory;

	(void)snprintf(inside, sizeof(inside), "%s/%s", folder, name);
	directory = opendir(inside);
	while (directory && (entry = readdir(directory))) {
		(void)snprintf(inside, sizeof(inside), "%s/%s/%s", folder, name, entry->d_name);
		(void)unlink(inside);
	}
	if (directory)
		(void)closedir(directory);
	(void)snprintf(inside, sizeof(inside), "%s/%s", folder, name);
	(void)rmdir(inside);
}

static int tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	(void)state;
	fake_free();
	(void)munmap(disk, sizeof(*disk));
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char name[RECORD_PATH_SIZE];

		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	(void)snprintf(path, sizeof(path), "%s/checkpoint", folder);
	(void)unlink(path);
	remove_folder("incidents");
	remove_folder("streams");
	return rmdir(folder);
}

/* What is answered of what was learned: its octets into `octets`; how many, 0 where nothing is handed out. */
static size_t learned(char *octets, size_t size)
{
	size_t length = 0;

	message_init(&message, MESSAGE_ASK, 6);
	message.number = SHIELD_TAKEN_OVER;
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	for (;;) {
		struct pollfd fd = { .fd = engine_end, .events = POLLIN };
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;

		assert_int_equal(poll(&fd, 1, ROLE_CHILD_WAIT_MS), 1);
		assert_int_equal(message_receive(engine_end, MESSAGE_RECORDER_TO_ENGINE, &message, fds, &fd_count), 0);
		if (message.type == MESSAGE_IN_FORCE)
			return length;
		if (message.type != MESSAGE_LEARNED)
			continue;
		assert_int_equal(message.id, 6);
		assert_int_equal(fd_count, 1);
		assert_true(message.checkpoint.length <= size);
		length = (size_t)pread(fds[0], octets, size, 0);
		assert_int_equal(length, message.checkpoint.length);
		(void)close(fds[0]);
	}
}

static void learn(const char *text, uint32_t length)
{
	int fd = text_fd(text);

	message_init(&message, MESSAGE_CHECKPOINT, 0);
	message.checkpoint.length = length;
	assert_int_equal(message_send(engine_end, &message, &fd, 1), 0);
	(void)close(fd);
}

static void what_was_learned(void **state)
{
	char octets[64], beside[80];

	(void)state;
	begin();
	assert_int_equal(applied(parent_end), 0);
	assert_int_equal(learned(octets, sizeof(octets)), 0);
	learn("at nine", 7);
	learn("at ten it was", 6); /* no more is kept than is said to be there */
	assert_int_equal(learned(octets, sizeof(octets)), 6);
	assert_memory_equal(octets, "at ten", 6);
	learn("short", 600); /* what is cut short takes no other's place */
	assert_int_equal(learned(octets, sizeof(octets)), 6);
	(void)snprintf(beside, sizeof(beside), "%s/checkpoint.new", folder);
	assert_int_equal(access(beside, F_OK), -1);
	/* The parent goes first, then the engine says its last words. */
	(void)close(parent_end);
	learn("at noon", 7);
	parent_end = -1;
	assert_int_equal(end(), 0);
	begin();
	assert_int_equal(applied(parent_end), 0);
	assert_int_equal(learned(octets, sizeof(octets)), 7);
	assert_memory_equal(octets, "at noon", 7);
	assert_int_equal(end(), 0);
	(void)snprintf(beside, sizeof(beside), "%s/checkpoint", folder);
	assert_int_equal(truncate(beside, 0), 0); /* what is none is not handed out */
	begin();
	assert_int_equal(applied(parent_end), 0);
	assert_int_equal(learned(octets, sizeof(octets)), 0);
	assert_int_equal(end(), 0);
}

static void send_incident(uint64_t id, enum message_incident_state incident_state, const char *json)
{
	int fd = json ? text_fd(json) : -1;

	message_init(&message, MESSAGE_INCIDENT, 0);
	message.incident = (struct message_incident){ .id = id,
		                                      .generation = 9,
		                                      .began_ns = NS_PER_S,
		                                      .peak_pps = 5000,
		                                      .state = incident_state,
		                                      .length = json ? (uint32_t)strlen(json) : 0,
		                                      .target = "192.0.2.1/32" };
	assert_int_equal(message_send(engine_end, &message, &fd, json ? 1 : 0), 0);
	if (json)
		(void)close(fd);
}

static void send_stream(enum message_stream_kind kind, uint64_t sequence, const char *octets)
{
	int fd = octets ? text_fd(octets) : -1;

	message_init(&message, MESSAGE_STREAM, 0);
	message.stream.generation = 9;
	message.stream.sequence = sequence;
	message.stream.incident = 0xab;
	message.stream.kind = kind;
	message.stream.length = octets ? (uint32_t)strlen(octets) : 0;
	assert_int_equal(message_send(engine_end, &message, &fd, octets ? 1 : 0), 0);
	if (octets)
		(void)close(fd);
}

/* Waits until what was sent before has been taken, and says of the recorder's state. */
static const char *recorder_state(void)
{
	static uint64_t count;

	count = fresh ? 1 : count + 1;
	fresh = false;
	(void)record("observe", "done");
	send_record();
	do
		await(engine_end, MESSAGE_RECORDER_TO_ENGINE, MESSAGE_RECORDED);
	while (message.recorded.written < count);
	return message.recorded.state;
}

static void check_file(const char *name, const char *wanted, mode_t mode)
{
	char inside[128], octets[1024];
	struct stat status;
	FILE *file;
	size_t length;

	(void)snprintf(inside, sizeof(inside), "%s/%s", folder, name);
	file = fopen(inside, "re");
	assert_non_null(file);
	length = fread(octets, 1, sizeof(octets) - 1, file);
	octets[length] = '\0';
	assert_non_null(strstr(octets, wanted));
	assert_int_equal(fstat(fileno(file), &status), 0);
	assert_int_equal(status.st_mode & 0777, mode);
	(void)fclose(file);
}

static int see_trace(void *context, const struct ledger_rollup *rollup)
{
	bool *seen = context;

	*seen = strcmp(rollup->trace, "{\"waves\":1}") == 0;
	return 0;
}

static void incidents_and_streams(void **state)
{
	struct archive_incident incident;
	struct record_error error;
	struct ledger *ledger;
	bool seen = false;
	char inside[128];

	(void)state;
	begin();
	assert_int_equal(applied(parent_end), 0);
	send_stream(MESSAGE_STREAM_SEGMENT, 0, "one ");
	send_incident(0xab, MESSAGE_INCIDENT_OPEN, "{}");
	send_incident(0xcd, MESSAGE_INCIDENT_OPEN, "{}");
	send_stream(MESSAGE_STREAM_SEGMENT, 1, "two");
	send_incident(0xcd, MESSAGE_INCIDENT_JOINED, NULL);
	send_stream(MESSAGE_STREAM_KEEP, 0, NULL);
	send_incident(0xab, MESSAGE_INCIDENT_FINAL,
	              "{\"final\": true, \"incidents\": [{\"id\": \"00000000000000ab\", \"trace\": {\"waves\": 1}}]}");
	send_stream(MESSAGE_STREAM_DROP, 0, NULL);
	assert_string_equal(recorder_state(), "ok");
	assert_int_equal(message.recorded.incidents_lost, 0);
	assert_int_equal(archive_find(folder, "latest", &incident), 0);
	assert_int_equal(incident.id, 0xab);
	assert_int_equal(incident.state, ARCHIVE_FINAL);
	assert_int_equal(incident.peak_pps, 5000);
	assert_int_equal(archive_find(folder, "00000000000000cd", &incident), -ENOENT);
	check_file("incidents/00000000000000ab.json", "{\"final\": true, ", 0640);
	check_file("streams/00000000000000ab.hfs", "one two", 0640);
	(void)snprintf(inside, sizeof(inside), "%s/streams/g0000000000000009.part", folder);
	assert_int_equal(access(inside, F_OK), -1);
	assert_int_equal(end(), 0);
	assert_int_equal(ledger_open(path, false, &ledger, &error), 0);
	assert_int_equal(ledger_rollup_find(ledger, 0xab, see_trace, &seen, &error), 0);
	ledger_close(ledger);
	assert_true(seen);
}

/*
 * What stands in the way of a file (here a folder with its name) is said, and when it has gone, what waited is written.
 */
static void incidents_wait(void **state)
{
	struct archive_incident incident;
	char obstacle[128];

	(void)state;
	begin();
	assert_int_equal(applied(parent_end), 0);
	(void)snprintf(obstacle, sizeof(obstacle), "%s/incidents/00000000000000ab.new", folder);
	assert_int_equal(mkdir(obstacle, 0700), 0);
	send_incident(0xab, MESSAGE_INCIDENT_OPEN, "{\"first\": 1}");
	send_incident(0xab, MESSAGE_INCIDENT_OVER, "{\"second\": 2}");
	assert_string_equal(recorder_state(), "incidents: Is a directory");
	assert_int_equal(rmdir(obstacle), 0);
	do
		await(engine_end, MESSAGE_RECORDER_TO_ENGINE, MESSAGE_RECORDED);
	while (strcmp(message.recorded.state, "ok") != 0);
	assert_int_equal(message.recorded.incidents_lost, 0);
	assert_int_equal(archive_find(folder, "ab", &incident), -ENOENT);
	assert_int_equal(archive_find(folder, "00000000000000ab", &incident), 0);
	assert_int_equal(incident.state, ARCHIVE_OVER);
	check_file("incidents/00000000000000ab.json", "{\"second\": 2}", 0640);
	/* One that is shorter than its sender says is lost, and a stream of which a segment is missing ends. */
	assert_int_equal(mkdir(obstacle, 0700), 0);
	for (unsigned i = 0; i < 70; i++) /* more than may wait */
		send_incident(0xab + i, MESSAGE_INCIDENT_OPEN, "{}");
	send_stream(MESSAGE_STREAM_SEGMENT, 0, "one");
	send_stream(MESSAGE_STREAM_SEGMENT, 2, "three");
	assert_string_equal(recorder_state(), "incidents: Is a directory");
	do
		await(engine_end, MESSAGE_RECORDER_TO_ENGINE, MESSAGE_RECORDED);
	while (message.recorded.streams_cut == 0);
	assert_int_equal(message.recorded.streams_cut, 1);
	assert_int_equal(rmdir(obstacle), 0);
	assert_int_equal(end(), 0);
	/* What waited at the end was written; what lasted then had an end unseen. */
	begin();
	assert_int_equal(applied(parent_end), 0);
	assert_int_equal(archive_find(folder, "00000000000000ab", &incident), 0);
	assert_int_equal(incident.state, ARCHIVE_LEFT);
	assert_int_equal(end(), 0);
}

/* Without its folders there is still a recorder, and it goes on as soon as they can be made. */
static void no_room_for_folders(void **state)
{
	struct archive_incident incident;
	char obstacle[128];
	FILE *file;

	(void)state;
	(void)snprintf(obstacle, sizeof(obstacle), "%s/incidents", folder);
	file = fopen(obstacle, "we");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	begin();
	assert_int_equal(applied(parent_end), 0);
	send_incident(0xab, MESSAGE_INCIDENT_OPEN, "{}");
	send_incident(0xab, MESSAGE_INCIDENT_JOINED, NULL);
	send_incident(0xac, MESSAGE_INCIDENT_FINAL, "{}");
	send_stream(MESSAGE_STREAM_SEGMENT, 0, "one");
	assert_string_equal(recorder_state(), "incidents: Not a directory");
	assert_int_equal(unlink(obstacle), 0);
	do
		await(engine_end, MESSAGE_RECORDER_TO_ENGINE, MESSAGE_RECORDED);
	while (strcmp(message.recorded.state, "ok") != 0);
	assert_int_equal(message.recorded.incidents_lost, 0);
	assert_int_equal(end(), 0);
	assert_int_equal(archive_find(folder, "ab", &incident), -ENOENT);
	assert_int_equal(archive_find(folder, "00000000000000ac", &incident), 0);
	assert_int_equal(incident.state, ARCHIVE_FINAL);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_comes_is_written), CASE(last_words),       CASE(a_disk_takes_its_time),
		CASE(signals_go_on_record),  CASE(who_is_dropped),   CASE(more_than_a_batch),
		CASE(a_broken_record),       CASE(what_was_learned), CASE(a_folder_that_is_not_there),
		CASE(incidents_and_streams), CASE(incidents_wait),   CASE(no_room_for_folders),
	};

	return cmocka_run_group_tests_name("recorder_role", tests, NULL, NULL);
}
