/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's role, as its clients, the loader, the recorder, and the parent see it: the test is all of them. The
 * shield is a fake one; the block list is real, in memory of its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/clients.h"
#include "daemon/control.h"
#include "fake_shield.h"
#include "role_child.h"

static struct fake *fake;
static char path[] = "/tmp/holdfast-engine-XXXXXX", address_path[64];
static pid_t engine;
static int parent_end, loader_end, recorder_end, listener, client;
static char answer[1 << 16];

static const char two_services[] =
	"shield: { interfaces: [eth0] }\n"
	"services: [{ name: web, addresses: [192.0.2.10] }, { name: dns, addresses: [192.0.2.53] }]\n";

/* ---- the engine as its fellows see it ---- */

static void listen_at_path(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address_path, sizeof(address_path), "%s/control.sock", path);
	memcpy(address.sun_path, address_path, strlen(address_path) + 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 64), 0);
}

static int connect_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, address_path, strlen(address_path) + 1);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Starts the engine, and hands it maps; how it goes on is the test's. */
static void start(const char *config, const char *list)
{
	static struct role_start role;
	int parent_ends[2], loader_ends[2], recorder_ends[2], fds[MESSAGE_FDS_MAX];

	role = (struct role_start){ .uid = getuid(), .gid = getgid() };
	channel(parent_ends);
	channel(loader_ends);
	channel(recorder_ends);
	engine = role_child_start(engine_role, &role,
	                          (int[]){ parent_ends[1], loader_ends[1], recorder_ends[1], listener }, 4);
	assert_true(engine > 0);
	(void)close(parent_ends[1]);
	(void)close(loader_ends[1]);
	(void)close(recorder_ends[1]);
	parent_end = parent_ends[0];
	loader_end = loader_ends[0];
	recorder_end = recorder_ends[0];
	configure(parent_end, config, list);
	for (unsigned i = 0; i < SHIELD_MAPS; i++)
		fds[i] = listener;
	message_init(&message, MESSAGE_MAPS, 0);
	message.state.hz = 250;
	message.state.jiffies = 1000;
	message.state.origin = (uint32_t)fake->origin;
	message.state.fd_count = SHIELD_MAPS;
	message.state.hook_count = 1;
	message_text(message.state.hooks[0].name, sizeof(message.state.hooks[0].name), "eth0");
	message.state.hooks[0].hook = SHIELD_NATIVE;
	assert_int_equal(message_send(loader_end, &message, fds, SHIELD_MAPS), 0);
	await(recorder_end, MESSAGE_ENGINE_TO_RECORDER, MESSAGE_ASK);
	assert_int_equal(message.number, fake->origin);
}

/* Nothing more is in force; r9 was the last rule. */
static void end_of_force(void)
{
	message_init(&message, MESSAGE_IN_FORCE, 1);
	message.in_force.highest = 9;
	assert_int_equal(message_send(recorder_end, &message, NULL, 0), 0);
}

static void begin(const char *config, const char *list)
{
	start(config, list);
	end_of_force();
	await(loader_end, MESSAGE_ENGINE_TO_LOADER, MESSAGE_RESTORED);
	assert_int_equal(message.number, 10);
	assert_int_equal(applied(parent_end), 0);
	client = connect_client();
}

static void end(void)
{
	(void)close(client);
	(void)close(loader_end);
	(void)close(recorder_end);
	(void)close(parent_end);
	assert_int_equal(role_child_end(engine), 0);
}

static void say(int to, const char *line)
{
	assert_int_equal(send(to, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	assert_int_equal(send(to, "\n", 1, MSG_NOSIGNAL), 1);
}

/* The next line of an answer. */
static const char *hear(int from)
{
	size_t length = 0;

	for (;;) {
		struct pollfd fd = { .fd = from, .events = POLLIN };

		assert_int_equal(poll(&fd, 1, ROLE_CHILD_WAIT_MS), 1);
		assert_int_equal(recv(from, answer + length, 1, 0), 1); /* one by one: the next line stays */
		if (answer[length] == '\n')
			break;
		assert_true(++length < sizeof(answer));
	}
	answer[length] = '\0';
	return answer;
}

static const char *ask(const char *line)
{
	say(client, line);
	return hear(client);
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not say '%s'", text, part);
}

/* The answer to the loader's latest order. */
static void loader_answers(int result, uint32_t number, uint32_t done)
{
	uint64_t id = message.id;

	message_init(&message, MESSAGE_ANSWER, id);
	message.answer.result = result;
	message.answer.number = number;
	message.answer.done = done;
	if (result) {
		message_text(message.answer.what, sizeof(message.answer.what), "the loader will not");
		message_text(message.answer.hint, sizeof(message.answer.hint), "ask another");
	}
	assert_int_equal(message_send(loader_end, &message, NULL, 0), 0);
}

/* Services that are under attack, as the loader was last told. */
static uint64_t frozen;

/* The loader's next order, but for what is under attack, which may come at any time. */
static void ordered(enum message_type type)
{
	await_any(loader_end, MESSAGE_ENGINE_TO_LOADER);
	while (message.type == MESSAGE_FREEZE) {
		assert_true(message.freeze.for_ns >= 60 * NS_PER_S);
		frozen = message.freeze.attacked;
		loader_answers(0, 0, 0);
		await_any(loader_end, MESSAGE_ENGINE_TO_LOADER);
	}
	assert_int_equal(message.type, type);
}

/* What the recorder gets next. */
static const struct message_record *recorded(void)
{
	await(recorder_end, MESSAGE_ENGINE_TO_RECORDER, MESSAGE_RECORD);
	return &message.record;
}

/* ---- questions ---- */

static void questions(void **state)
{
	const char *said;

	(void)state;
	begin(two_services, "");
	assert_says(ask("{\"command\":\"ping\"}"), "{\"ok\":true,\"result\":{\"version\":");
	assert_says(ask("nonsense"), "\"where\":\"request\"");
	said = ask("{\"command\":\"status\"}");
	assert_says(said, "\"pid\":100,");
	assert_says(said, "\"mode\":\"observe\"");
	assert_says(said, "\"interfaces\":[{\"name\":\"eth0\",\"hook\":\"native\"}]");
	assert_says(said, "{\"name\":\"web\",\"enforced\":{");
	assert_says(
		said,
		"\"totals\":{\"packets\":22,\"octets\":2200,\"dropped\":5,\"dropped_octets\":500,\"would_drop\":7}");
	assert_says(said, "\"samples\":{\"taken\":0,\"lost\":3,\"interval\":4}");
	assert_says(said,
	            "\"record\":{\"written\":0,\"lost\":0,\"state\":\"ok\",\"incidents_lost\":0,\"streams_cut\":0}");

	/* What the recorder and the loader say later is told too. */
	message_init(&message, MESSAGE_RECORDED, 0);
	message.recorded.written = 12;
	message_text(message.recorded.state, sizeof(message.recorded.state), "disk full");
	assert_int_equal(message_send(recorder_end, &message, NULL, 0), 0);
	message_init(&message, MESSAGE_STATE, 0);
	message.state.hz = 250;
	message.state.hook_count = 1;
	message_text(message.state.hooks[0].name, sizeof(message.state.hooks[0].name), "eth0");
	message.state.hooks[0].hook = MESSAGE_HOOK_NFTABLES;
	assert_int_equal(message_send(loader_end, &message, NULL, 0), 0);
	await(recorder_end, MESSAGE_ENGINE_TO_RECORDER, MESSAGE_SETTLED);
	said = ask("{\"command\":\"status\"}");
	assert_says(said, "\"hook\":\"nftables\"");
	assert_says(said, "\"written\":12,\"lost\":0,\"state\":\"disk full\"");
	end();
}

/* What was learned comes at the beginning: a descriptor that comes with it later is not kept. */
static void descriptors_are_not_kept(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	int ends[2];

	(void)state;
	begin(two_services, "");
	assert_int_equal(pipe(ends), 0);
	message_init(&message, MESSAGE_LEARNED, 0);
	message.checkpoint.length = 1;
	assert_int_equal(message_send(recorder_end, &message, &ends[1], 1), 0);
	(void)close(ends[1]);
	fd.fd = ends[0];
	assert_int_equal(poll(&fd, 1, ROLE_CHILD_WAIT_MS), 1); /* nobody has the other end any more */
	assert_true(fd.revents & POLLHUP);
	(void)close(ends[0]);
	end();
}

static void rules_are_told(void **state)
{
	struct match_error error;
	const char *said;

	(void)state;
	fake->rule_count = 1;
	fake->rules[0] = (struct shield_rule_told){
		.number = 3, .counter = 77, .expires = SHIELD_NEVER, .made_by = 4000000000u
	};
	assert_int_equal(match_parse("udp", &fake->rules[0].rule.match, &error), 0);
	fake->rules[0].rule.action = RULE_DROP;
	begin(two_services, "");
	said = ask("{\"command\":\"rules\"}");
	assert_says(said, "{\"id\":\"r3\",\"scope\":\"::/0\",\"match\":\"udp\",\"action\":\"drop\"");
	assert_says(said, "\"made_by\":\"4000000000\"");
	assert_says(said, "\"matched\":{\"packets\":77,\"octets\":60}");
	assert_says(said, "\"last_s\":2.0");
	end();
}

/* ---- blocks ---- */

static void blocks_of_prefixes(void **state)
{
	const struct message_record *record;
	const char *said;

	(void)state;
	fake->guarded = true;
	begin(two_services, "");
	said = ask(
		"{\"command\":\"block\",\"prefixes\":[\"198.51.100.0/24\",\"192.0.2.0/24\",\"0.0.0.0/0\",\"2001:db8::/32\"],"
		"\"for_s\":60,\"reason\":\"why\",\"client\":\"not an address\"}");
	assert_says(said, "\"blocked\":2,\"refused\":2");
	assert_says(
		said,
		"{\"prefix\":\"192.0.2.0/24\",\"what\":\"would shut the operator's way in: 192.0.2.7/32 to port 22\"");
	record = recorded();
	assert_string_equal(record->command, "block");
	assert_string_equal(record->outcome, "done");
	assert_string_equal(record->client, "not an address");
	assert_string_equal(record->arguments, "{\"for_s\":60,\"reason\":\"why\"}");
	assert_int_equal(record->uid, getuid());
	assert_int_equal(record->prefixes.count, 2);
	assert_true(record->until_ns > record->time_ns);
	record = recorded();
	assert_string_equal(record->outcome, "refused");
	assert_int_equal(record->prefixes.count, 2);
	said = ask("{\"command\":\"block\",\"prefix\":\"192.0.2.7\"}");
	assert_says(said, "{\"ok\":false,\"where\":\"block\",\"what\":\"192.0.2.7/32: would shut");
	fake->unsure = true; /* of who is merely connected a block is nobody's to refuse */
	assert_says(ask("{\"command\":\"block\",\"prefix\":\"192.0.2.7\",\"for_s\":1}"), "\"blocked\":1,\"refused\":0");
	said = ask("{\"command\":\"rules\"}");
	assert_says(said, "\"blocks\":{\"ipv4\":2,\"ipv6\":1,\"capacity\":1024,\"listed\":0}");
	assert_says(said, "{\"prefix\":\"198.51.100.0/24\"");
	said = ask("{\"command\":\"rules\",\"limit\":1}");
	assert_says(said, "\"truncated\":true");
	end();
}

/* What users come from behind is no prefix to block; a network around it is, for the others in it. */
static void blocks_of_proxies(void **state)
{
	(void)state;
	begin("trusted_proxies: [203.0.113.0/28]\n", "");
	assert_says(ask("{\"command\":\"block\",\"prefix\":\"203.0.113.5\"}"),
	            "203.0.113.5/32: is of a trusted proxy (203.0.113.0/28), from which users come");
	assert_says(ask("{\"command\":\"block\",\"prefixes\":[\"203.0.113.0/28\",\"203.0.113.0/24\"]}"),
	            "\"blocked\":1,\"refused\":1");
	end();
}

/* ---- links, and whom to tell ---- */

/* A second of a link of 1 Gbit/s that is full, or nearly idle. */
static void a_second(int64_t second, uint64_t octets)
{
	message_init(&message, MESSAGE_LINKS, 0);
	message.links.monotonic_ns = second * NS_PER_S;
	message.links.count = 1;
	message_text(message.links.links[0].name, sizeof(message.links.links[0].name), "eth0");
	message.links.links[0].speed_mbps = 1000;
	message.links.links[0].octets = octets;
	assert_int_equal(message_send(loader_end, &message, NULL, 0), 0);
}

static void links_and_alerts(void **state)
{
	int ends[2];

	(void)state;
	begin("alerts: [{ name: hook, type: webhook, url: \"http://localhost/\" }]\n", "");
	assert_says(ask("{\"command\":\"status\"}"),
	            "\"links\":[],\"alerts\":{\"targets\":1,\"sent\":0,\"failed\":0,\"queued\":0,"
	            "\"unsaid\":0,\"state\":\"not running\"}");
	assert_says(ask("{\"command\":\"test_alert\",\"target\":\"hook\"}"), "the messenger does not run");
	assert_says(ask("{\"command\":\"test_alert\",\"target\":\"none\"}"), "no such target");
	channel(ends);
	message_init(&message, MESSAGE_MESSENGER, 0);
	assert_int_equal(message_send(parent_end, &message, &ends[1], 1), 0);
	(void)close(ends[1]);
	for (int64_t i = 1; i <= 3; i++)
		a_second(i, (uint64_t)i * 125000000);
	await(ends[0], MESSAGE_ENGINE_TO_MESSENGER, MESSAGE_ALERT);
	assert_int_equal(message.alert.change, ALERT_LINK_FULL);
	assert_string_equal(message.alert.target, "eth0");
	assert_int_equal(message.alert.bps, 1000000000);
	assert_true(message.alert.host[0]);
	assert_says(ask("{\"command\":\"status\"}"),
	            "\"links\":[{\"name\":\"eth0\",\"speed_mbps\":1000,\"rx_bps\":1000000000,"
	            "\"rx_pps\":0,\"rx_drops_pps\":0,\"percent\":100,\"full\":true}]");
	/* A test, and what came of it; a second one meanwhile is refused. */
	say(client, "{\"command\":\"test_alert\",\"target\":\"hook\"}");
	await(ends[0], MESSAGE_ENGINE_TO_MESSENGER, MESSAGE_TEST_ALERT);
	assert_string_equal(message.target, "hook");
	{
		uint64_t id = message.id;
		int other = connect_client();

		say(other, "{\"command\":\"test_alert\",\"target\":\"hook\"}");
		assert_says(hear(other), "another test is under way");
		message_init(&message, MESSAGE_TESTED, id);
		message_text(message.answer.what, sizeof(message.answer.what), "HTTP 202");
		assert_int_equal(message_send(ends[0], &message, NULL, 0), 0);
		assert_says(hear(client), "{\"sent\":true,\"said\":\"HTTP 202\"}");
		say(other, "{\"command\":\"test_alert\",\"target\":\"hook\"}");
		await(ends[0], MESSAGE_ENGINE_TO_MESSENGER, MESSAGE_TEST_ALERT);
		/* The messenger may go; nobody else does. */
		(void)close(ends[0]);
		assert_says(hear(other), "the messenger has ended");
		(void)close(other);
	}
	assert_says(ask("{\"command\":\"status\"}"), "\"state\":\"not running\"");
	end();
}

static void a_full_table(void **state)
{
	(void)state;
	begin(two_services, "");
	for (unsigned k = 0; k < 5; k++) {
		static char line[16384];
		size_t length = (size_t)sprintf(line, "{\"command\":\"block\",\"prefixes\":[");

		for (unsigned i = 0; i < 256; i++)
			length += (size_t)sprintf(line + length, "%s\"198.18.%u.%u\"", i ? "," : "", k, i);
		(void)sprintf(line + length, "]}");
		(void)ask(line);
	}
	assert_says(answer, "there is no room for it in the table of 1024");
	assert_says(ask("{\"command\":\"status\"}"), "\"ipv4\":1024,");
	end();
}

static void rules_by_match(void **state)
{
	const struct message_record *record;

	(void)state;
	begin(two_services, "");
	/* No scope: a rule for each service. */
	say(client, "{\"command\":\"block\",\"match\":\"udp and src port 123\",\"client\":\"203.0.113.7 1 22\"}");
	ordered(MESSAGE_WAY);
	ordered(MESSAGE_ADD_RULE);
	assert_int_equal(message.rule.scope.octets[15], 10);
	assert_int_equal(message.rule.for_ns, 3600 * NS_PER_S);
	loader_answers(0, 10, 0);
	ordered(MESSAGE_ADD_RULE);
	assert_int_equal(message.rule.scope.octets[15], 53);
	loader_answers(0, 11, 0);
	assert_says(hear(client), "\"rules\":[\"r10\",\"r11\"],\"match\":\"udp and src port 123\",\"action\":\"drop\"");
	record = recorded();
	assert_string_equal(record->object, "r10");
	assert_string_equal(record->rule.match, "udp and src port 123");
	assert_string_equal(recorded()->object, "r11");

	/* The second is refused: the first stands, and is named. */
	say(client, "{\"command\":\"block\",\"match\":\"tcp\",\"action\":\"rate_limit\",\"rate_pps\":5}");
	ordered(MESSAGE_ADD_RULE);
	assert_int_equal(message.rule.rate_pps, 5);
	loader_answers(0, 12, 0);
	ordered(MESSAGE_ADD_RULE);
	loader_answers(-EPERM, 0, 0);
	assert_says(hear(client), "the loader will not; rules r12 to r12 for other destinations stand");

	/* With a scope there is one. */
	say(client, "{\"command\":\"block\",\"match\":\"tcp\",\"scope\":\"::/0\"}");
	ordered(MESSAGE_ADD_RULE);
	assert_int_equal(message.rule.scope.length, 0);
	loader_answers(-ENOSPC, 0, 0);
	assert_says(hear(client), "\"what\":\"the loader will not\",\"hint\":\"ask another\",\"exit\":1");
	end();
}

static void allowances(void **state)
{
	static char line[8192];
	size_t length = (size_t)sprintf(line, "{\"command\":\"allow\",\"prefixes\":[");

	(void)state;
	begin(two_services, "");
	for (unsigned i = 0; i < 100; i++)
		length += (size_t)sprintf(line + length, "%s\"203.0.113.%u\"", i ? "," : "", i);
	(void)sprintf(line + length, "]}");
	say(client, line);
	ordered(MESSAGE_ALLOW);
	assert_int_equal(message.allow.prefixes.count, MESSAGE_PREFIXES_MAX);
	loader_answers(0, 0, MESSAGE_PREFIXES_MAX);
	ordered(MESSAGE_ALLOW);
	assert_int_equal(message.allow.prefixes.count, 36);
	loader_answers(-ENOSPC, 0, 10); /* the 75th is passed over */
	ordered(MESSAGE_ALLOW);
	assert_int_equal(message.allow.prefixes.count, 25);
	loader_answers(0, 0, 25);
	assert_says(hear(client), "\"allowed\":99,\"refused\":1");
	assert_says(answer,
	            "{\"prefix\":\"203.0.113.74/32\",\"what\":\"the loader will not\",\"hint\":\"ask another\"}");
	end();
}

static void releases(void **state)
{
	(void)state;
	begin(two_services, "");
	(void)ask("{\"command\":\"block\",\"prefix\":\"198.51.100.0/24\"}");
	say(client, "{\"command\":\"release\",\"prefix\":\"198.51.100.7\"}");
	ordered(MESSAGE_DISALLOW);
	loader_answers(-ENOENT, 0, 0);
	assert_says(hear(client),
	            "\"what\":\"198.51.100.7/32 is neither blocked nor allowed\",\"hint\":\"198.51.100.0/24 around it "
	            "is blocked: holdfast release 198.51.100.0/24\"");
	say(client, "{\"command\":\"release\",\"prefix\":\"198.51.100.0/24\"}");
	ordered(MESSAGE_DISALLOW);
	loader_answers(0, 0, 0);
	assert_says(hear(client), "\"released\":[\"block\",\"allow\"]");
	say(client, "{\"command\":\"release\",\"rule\":\"r7\"}");
	ordered(MESSAGE_REMOVE_RULE);
	assert_int_equal(message.number, 7);
	loader_answers(-ENOENT, 0, 0);
	assert_says(hear(client), "there is no rule r7");
	say(client, "{\"command\":\"release\",\"rule\":\"r8\"}");
	ordered(MESSAGE_REMOVE_RULE);
	loader_answers(0, 0, 0);
	assert_says(hear(client), "\"released\":[\"rule\"]");
	assert_says(ask("{\"command\":\"rules\"}"), "\"ipv4\":0,");
	end();
}

/* Of a list the loader hears only what is allowed. */
static void releases_of_lists(void **state)
{
	const struct message_record *record;

	(void)state;
	fake->allowed_before = true; /* 198.51.100.0/24 */
	begin(two_services, "");
	(void)ask("{\"command\":\"block\",\"prefixes\":[\"203.0.113.0/24\",\"192.0.2.0/24\"]}");
	(void)recorded();
	say(client, "{\"command\":\"release\",\"prefixes\":[\"203.0.113.0/24\",\"203.0.113.7\",\"198.51.100.0/24\"]}");
	ordered(MESSAGE_DISALLOW);
	assert_int_equal(message.prefix.octets[12], 198);
	loader_answers(0, 0, 0);
	assert_says(hear(client), "{\"ok\":true,\"result\":{\"prefixes\":2,\"passed_over\":1}}");
	record = recorded();
	assert_string_equal(record->command, "release");
	assert_string_equal(record->outcome, "done");
	assert_int_equal(record->prefixes.count, 2);
	assert_says(ask("{\"command\":\"release\",\"prefixes\":[\"203.0.113.0/24\"]}"),
	            "{\"prefixes\":0,\"passed_over\":1}");
	say(client, "{\"command\":\"release\",\"prefixes\":[\"192.0.2.0/24\",\"198.51.100.0/24\"]}");
	ordered(MESSAGE_DISALLOW);
	loader_answers(-EIO, 0, 0);
	assert_says(hear(client), "\"ok\":false");
	assert_says(ask("{\"command\":\"rules\"}"), "\"ipv4\":0,");
	end();
}

static void modes(void **state)
{
	(void)state;
	begin(two_services, "");
	say(client, "{\"command\":\"enforce\",\"confirm_s\":60}");
	ordered(MESSAGE_MODE);
	assert_int_equal(message.mode.enforce, 1);
	assert_int_equal(message.mode.for_ns, 60 * NS_PER_S);
	loader_answers(0, 0, 0);
	assert_says(hear(client), "\"mode\":\"enforce\",\"enforce_until\":\"20");
	say(client, "{\"command\":\"confirm\"}");
	ordered(MESSAGE_CONFIRM);
	loader_answers(-ENOENT, 0, 0);
	assert_says(hear(client), "\"where\":\"confirm\",\"what\":\"the loader will not\"");
	say(client, "{\"command\":\"observe\"}");
	ordered(MESSAGE_MODE);
	assert_int_equal(message.mode.enforce, 0);
	loader_answers(0, 0, 0);
	assert_says(hear(client), "\"mode\":\"observe\",\"enforce_until\":null");
	assert_string_equal(recorded()->command, "enforce");
	assert_string_equal(recorded()->outcome, "failed");
	end();
}

/* Two clients: the second's command waits for the first's, and questions for neither. */
static void one_after_the_other(void **state)
{
	int other;

	(void)state;
	begin(two_services, "");
	other = connect_client();
	say(client, "{\"command\":\"enforce\"}\n{\"command\":\"ping\"}"); /* two lines at once */
	ordered(MESSAGE_MODE);
	say(other, "{\"command\":\"observe\"}");
	assert_int_equal(poll(&(struct pollfd){ .fd = loader_end, .events = POLLIN }, 1, 100), 0);
	{
		int third = connect_client();

		say(third, "{\"command\":\"ping\"}");
		assert_says(hear(third), "version");
		(void)close(third);
	}
	loader_answers(0, 0, 0);
	assert_says(hear(client), "\"mode\":\"enforce\"");
	assert_says(hear(client), "version");
	ordered(MESSAGE_MODE);
	(void)close(other); /* it is done all the same */
	loader_answers(0, 0, 0);
	assert_says(ask("{\"command\":\"ping\"}"), "version");
	end();
}

/* ---- clients that are not as they should be ---- */

static void rude_clients(void **state)
{
	static char flood[CONTROL_LINE_MAX];
	int many[CLIENTS_MAX], other;

	(void)state;
	begin(two_services, "");
	memset(flood, 'x', sizeof(flood));
	other = connect_client();
	assert_int_equal(send(other, flood, sizeof(flood), MSG_NOSIGNAL), sizeof(flood));
	assert_says(hear(other), "a line is longer than 65536 octets");
	assert_int_equal(recv(other, flood, 1, 0), 0); /* and it is let go */
	(void)close(other);
	for (unsigned i = 0; i < CLIENTS_MAX - 1; i++)
		many[i] = connect_client();
	for (unsigned i = 0; i < CLIENTS_MAX - 1; i++) {
		say(many[i], "{\"command\":\"ping\"}");
		assert_says(hear(many[i]), "version");
	}
	other = connect_client(); /* with `client` that is one too many */
	assert_says(hear(other), "it serves 64 clients already");
	(void)close(other);
	for (unsigned i = 0; i < CLIENTS_MAX - 1; i++)
		(void)close(many[i]);
	assert_says(ask("{\"command\":\"ping\"}"), "version");
	end();
}

/* Only root can be somebody else, so only as root it is seen what others may. */
static void who_is_no_operator(void **state)
{
	pid_t pid;

	(void)state;
	if (getuid() != 0)
		skip();
	begin(two_services, "");
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(chmod(address_path, 0666), 0);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int fd;

		if (setgid(4000) != 0 || setuid(4000) != 0)
			_exit(2);
		fd = connect_client();
		say(fd, "{\"command\":\"observe\"}");
		if (!strstr(hear(fd), "only root and members of the group holdfast may"))
			_exit(3);
		say(fd, "{\"command\":\"ping\"}");
		_exit(strstr(hear(fd), "version") ? 0 : 4);
	}
	assert_int_equal(role_child_end(pid), 0);
	assert_string_equal(recorded()->outcome, "refused");
	end();
}

/* ---- the record ---- */

static void a_recorder_that_is_behind(void **state)
{
	static char line[8192];
	size_t length = (size_t)sprintf(line, "{\"command\":\"block\",\"prefixes\":[");

	(void)state;
	begin(two_services, "");
	for (unsigned i = 0; i < 256; i++)
		length += (size_t)sprintf(line + length, "%s\"198.18.0.%u\"", i ? "," : "", i);
	(void)sprintf(line + length, "]}");
	for (unsigned i = 0; i < 300; i++) /* four entries each, and nobody takes them */
		assert_says(ask(line), "\"blocked\":256");
	assert_null(strstr(ask("{\"command\":\"status\"}"), "\"lost\":0,\"state\""));
	end();
}

/* ---- what was in force ---- */

static void what_was_in_force(void **state)
{
	struct prefix prefix;

	(void)state;
	fake->origin = SHIELD_REPLACED;
	fake->rule_count = 1;
	fake->rules[0] = (struct shield_rule_told){ .number = 4, .expires = SHIELD_NEVER };
	start(two_services, "");
	for (unsigned kind = MESSAGE_KIND_BLOCK; kind <= MESSAGE_KIND_RULE + 1; kind++) {
		message_init(&message, MESSAGE_IN_FORCE, 1);
		message.in_force.kind = kind <= MESSAGE_KIND_RULE ? kind : MESSAGE_KIND_RULE;
		message.in_force.for_ns = 3600 * NS_PER_S;
		assert_int_equal(
			prefix_parse(kind == MESSAGE_KIND_BLOCK ? "198.51.100.0/24" : "203.0.113.0/24", &prefix), 0);
		message_put_prefix(&message.in_force.prefix, &prefix);
		message.in_force.rule.for_ns = NS_PER_S;
		message.in_force.rule.number = kind <= MESSAGE_KIND_RULE ? 4 : 5; /* r4 is there already */
		message_text(message.in_force.rule.match, sizeof(message.in_force.rule.match), "udp");
		assert_int_equal(message_send(recorder_end, &message, NULL, 0), 0);
	}
	end_of_force();
	ordered(MESSAGE_ALLOW);
	assert_int_equal(message.id, 0); /* nobody waits for an answer */
	ordered(MESSAGE_ADD_RULE);
	assert_int_equal(message.rule.number, 5);
	ordered(MESSAGE_RESTORED);
	assert_int_equal(applied(parent_end), 0);
	client = connect_client();
	assert_says(ask("{\"command\":\"rules\"}"), "\"blocked\":[{\"prefix\":\"198.51.100.0/24\"");
	end();
}

/* ---- configuration ---- */

static const char with_list[] = "block_files: [/x]\n";

static void lists(void **state)
{
	(void)state;
	fake->guarded = true;
	begin(with_list, "198.51.100.0/24\n203.0.113.1\n203.0.113.2\n203.0.113.1\n192.0.2.0/24\n");
	/* One came twice; one would shut a way in. */
	assert_says(ask("{\"command\":\"status\"}"),
	            "\"blocks\":{\"ipv4\":3,\"ipv6\":0,\"capacity\":1024,\"listed\":4}");
	configure(parent_end, with_list, "203.0.113.2\n2001:db8::/32\n");
	assert_int_equal(applied(parent_end), 0);
	assert_says(ask("{\"command\":\"status\"}"),
	            "\"blocks\":{\"ipv4\":1,\"ipv6\":1,\"capacity\":1024,\"listed\":2}");
	configure(parent_end, with_list, "203.0.113.2\nnonsense\n");
	assert_int_equal(applied(parent_end), -EINVAL);
	assert_int_equal(strncmp(message.applied.lines[0], "/x:2: 'nonsense' is no", 22), 0);
	assert_says(ask("{\"command\":\"status\"}"),
	            "\"blocks\":{\"ipv4\":1,\"ipv6\":1,\"capacity\":1024,\"listed\":2}");
	end();
}

/*
 * What the recorder is told of who is being dropped, as texts in the order of their coming: "203.0.113.1/32
 * !198.51.100.0/24".
 */
static const char *told_dropped(void)
{
	static char text[512];
	struct message_prefix prefixes[8];
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count, count;
	size_t length = 0;

	do {
		struct pollfd fd = { .fd = recorder_end, .events = POLLIN };

		assert_int_equal(poll(&fd, 1, ROLE_CHILD_WAIT_MS), 1);
		assert_int_equal(message_receive(recorder_end, MESSAGE_ENGINE_TO_RECORDER, &message, fds, &fd_count),
		                 0);
		if (message.type != MESSAGE_DROPPED)
			channel_drop(fds, &fd_count);
	} while (message.type != MESSAGE_DROPPED);
	count = message.dropped.dropping + message.dropped.passing;
	assert_in_range(count, 0, 8);
	assert_int_equal(pread(fds[0], prefixes, sizeof(prefixes), 0), count * sizeof(prefixes[0]));
	channel_drop(fds, &fd_count);
	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		struct prefix prefix = message_prefix(&prefixes[i]);
		char printed[PREFIX_TEXT_SIZE];

		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s", i ? " " : "",
		                           i < message.dropped.dropping ? "" : "!", prefix_format(&prefix, printed));
	}
	assert_int_equal(message.dropped.left_out, 0);
	return text;
}

/* Of who observes nobody is dropped, whoever is on the list; that is said once, at the beginning. */
static void who_is_dropped(void **state)
{
	(void)state;
	begin(with_list, "203.0.113.0/24\n");
	assert_string_equal(told_dropped(), "");
	end();
	fake->enforce = true;
	fake->until = SHIELD_NEVER;
	fake->allowed_before = true;
	begin(with_list, "203.0.113.0/24\n2001:db8::/48\n");
	assert_string_equal(told_dropped(), "203.0.113.0/24 2001:db8::/48 !198.51.100.0/24");
	assert_says(ask("{\"command\":\"status\"}"),
	            "\"streams_cut\":0,\"dropped_left_out\":0,\"dropped_refused\":0,\"attempts_refused\":0,"
	            "\"signals_lost\":0}");
	end();
}

static void a_list_that_is_too_long(void **state)
{
	char *list = malloc(1025 * 16);
	size_t length = 0;

	(void)state;
	assert_non_null(list);
	for (unsigned i = 0; i < 1025; i++)
		length += (size_t)sprintf(list + length, "198.18.%u.%u\n", i >> 8, i & 255);
	start(with_list, list);
	end_of_force();
	assert_int_equal(applied(parent_end), -ENOSPC);
	assert_string_equal(message.applied.lines[0],
	                    "block_files name 1025 IPv4 and 0 IPv6 prefixes, there is room for 1024 of each; raise "
	                    "shield.block_capacity and start holdfast anew");
	(void)close(loader_end);
	(void)close(recorder_end);
	(void)close(parent_end);
	assert_int_equal(role_child_end(engine), 1);
	free(list);
}

static void reloads(void **state)
{
	int other;
	uint64_t id;

	(void)state;
	begin(two_services, "");
	say(client, "{\"command\":\"reload\"}");
	await(parent_end, MESSAGE_ROLE_TO_PARENT, MESSAGE_RELOAD);
	id = message.id;
	other = connect_client();
	say(other, "{\"command\":\"reload\"}");
	assert_says(hear(other), "a reload is under way");
	(void)close(other);
	message_init(&message, MESSAGE_RELOADED, id);
	message.applied.line_count = 1;
	message_text(message.applied.lines[0], CONFIG_ERROR_SIZE, "user takes effect later");
	assert_int_equal(message_send(parent_end, &message, NULL, 0), 0);
	assert_says(hear(client), "{\"reloaded\":true,\"notes\":[\"user takes effect later\"]}");
	assert_string_equal(recorded()->outcome, "done");

	say(client, "{\"command\":\"reload\"}");
	await(parent_end, MESSAGE_ROLE_TO_PARENT, MESSAGE_RELOAD);
	id = message.id;
	message_init(&message, MESSAGE_RELOADED, id);
	message.applied.result = -EINVAL;
	message.applied.line_count = 2;
	message_text(message.applied.lines[0], CONFIG_ERROR_SIZE, "f.yaml:1:1: wrong");
	message_text(message.applied.lines[1], CONFIG_ERROR_SIZE, "f.yaml:2:1: wrong too");
	assert_int_equal(message_send(parent_end, &message, NULL, 0), 0);
	assert_says(hear(client), "\"what\":\"f.yaml:1:1: wrong\"");
	assert_says(answer, "\"errors\":[\"f.yaml:1:1: wrong\",\"f.yaml:2:1: wrong too\"]");
	end();
}

#define BLOCKED_AT_ONCE 1000 /* more than a channel has room for */

static void nftables_stands_in(void)
{
	message_init(&message, MESSAGE_STATE, 0);
	message.state.hz = 250;
	message.state.hook_count = 1;
	message_text(message.state.hooks[0].name, sizeof(message.state.hooks[0].name), "eth0");
	message.state.hooks[0].hook = MESSAGE_HOOK_NFTABLES;
	assert_int_equal(message_send(loader_end, &message, NULL, 0), 0);
}

/* What a loader that is busy cannot be told one by one it is told as a whole, once. */
static void more_blocks_than_the_loader_hears(void **state)
{
	static char line[65536];
	size_t length;
	unsigned blocks = 0;

	(void)state;
	begin(two_services, "");
	nftables_stands_in();
	await(recorder_end, MESSAGE_ENGINE_TO_RECORDER, MESSAGE_SETTLED);
	length = (size_t)snprintf(line, sizeof(line), "{\"command\":\"block\",\"for_s\":9,\"prefixes\":[");
	for (unsigned i = 0; i < BLOCKED_AT_ONCE; i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length, "%s\"198.18.%u.%u\"", i ? "," : "",
		                           i / 256, i % 256);
	(void)snprintf(line + length, sizeof(line) - length, "]}");
	assert_says(ask(line), "\"blocked\":1000");
	for (ordered(MESSAGE_BLOCK);; await_any(loader_end, MESSAGE_ENGINE_TO_LOADER)) {
		if (message.type != MESSAGE_BLOCK)
			break;
		blocks++;
	}
	assert_true(blocks < BLOCKED_AT_ONCE);
	assert_int_equal(message.type, MESSAGE_BLOCKS);
	assert_int_equal(message.number, 1); /* with what was let go meanwhile */
	(void)ask("{\"command\":\"block\",\"prefix\":\"198.51.100.0/24\",\"for_s\":9}");
	ordered(MESSAGE_BLOCK);
	end();
}

/* Where nftables stands in, the loader hears of blocks. */
static void blocks_for_nftables(void **state)
{
	(void)state;
	begin(two_services, "");
	nftables_stands_in();
	message_init(&message, MESSAGE_COUNTED, 0);
	message.counted.counters.enforced[SHIELD_DROP_RULE] = (struct shield_count){ 100, 10000 };
	assert_int_equal(message_send(loader_end, &message, NULL, 0), 0);
	await(recorder_end, MESSAGE_ENGINE_TO_RECORDER, MESSAGE_SETTLED);
	(void)ask("{\"command\":\"block\",\"prefix\":\"198.51.100.0/24\",\"for_s\":9}");
	ordered(MESSAGE_BLOCK);
	assert_int_equal(message.allow.prefixes.count, 1);
	assert_int_equal(message.allow.for_ns, 9 * NS_PER_S);
	say(client, "{\"command\":\"release\",\"prefix\":\"198.51.100.0/24\"}");
	ordered(MESSAGE_UNBLOCK);
	ordered(MESSAGE_DISALLOW);
	loader_answers(-ENOENT, 0, 0);
	assert_says(hear(client), "\"released\":[\"block\"]");
	assert_says(ask("{\"command\":\"status\"}"), "\"drop_rule\":{\"packets\":100,\"octets\":10000}");
	end();
}

/* ---- */

static int set_up(void **state)
{
	(void)state;
	fake = fake_new();
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	if (!fake || !mkdtemp(path))
		return -1;
	listen_at_path();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_free();
	(void)close(listener);
	(void)unlink(address_path);
	return rmdir(path);
}

/* ---- what it decides by itself ---- */

static const char one_service[] = "shield: { interfaces: [eth0] }\n"
				  "services: [{ name: web, addresses: [192.0.2.10] }]\n";

/* The next message that the recorder gets of a type, and how many descriptors come with it. */
static unsigned handed(enum message_type type)
{
	for (;;) {
		struct pollfd fd = { .fd = recorder_end, .events = POLLIN };
		int fds[MESSAGE_FDS_MAX];
		unsigned fd_count;

		assert_int_equal(poll(&fd, 1, ROLE_CHILD_WAIT_MS), 1);
		assert_int_equal(message_receive(recorder_end, MESSAGE_ENGINE_TO_RECORDER, &message, fds, &fd_count),
		                 0);
		for (unsigned i = 0; i < fd_count; i++)
			(void)close(fds[i]);
		if (message.type == type)
			return fd_count;
	}
}

/* Until the status says so. */
static void status_says(const char *part)
{
	for (unsigned i = 0; i < 500; i++) {
		if (strstr(ask("{\"command\":\"status\"}"), part))
			return;
		(void)poll(NULL, 0, 20);
	}
	fail_msg("'%s' never said '%s'", answer, part);
}

static void a_flood(void **state)
{
	struct message_rule rule;
	uint64_t id;

	(void)state;
	begin(one_service, "");
	assert_int_equal(handed(MESSAGE_STREAM), 1);
	assert_int_equal(message.stream.sequence, 0);
	fake->flood = 100000;
	ordered(MESSAGE_ADD_RULE);
	rule = message.rule;
	id = message.id;
	assert_int_equal(rule.made_by, SHIELD_BY_ENGINE);
	assert_int_equal(rule.scope.octets[15], 10);
	assert_non_null(strstr(rule.match, "udp"));
	assert_true(rule.arm_pps > 0 && rule.hold_s > 0 && rule.for_ns > 0);
	/* While the loader owes an answer about it, a person's command goes its way. */
	say(client, "{\"command\":\"observe\"}");
	ordered(MESSAGE_MODE);
	loader_answers(0, 0, 0);
	assert_says(hear(client), "\"mode\":\"observe\"");
	fake->rules[0].number = 41;
	fake->rules[0].made_by = SHIELD_BY_ENGINE;
	fake->rule_count = 1;
	message_init(&message, MESSAGE_ANSWER, id);
	loader_answers(0, 41, 0);
	status_says("\"rules\":[{\"id\":\"r41\",\"state\":");
	assert_says(answer, "\"service\":\"web\",\"target\":\"192.0.2.10/32\",\"vector\":\"ntp_reflection\"");
	assert_string_equal(recorded()->command, "observe");
	(void)recorded();
	assert_string_equal(message.record.command, "defend");
	assert_string_equal(message.record.object, "r41");
	assert_string_equal(message.record.user, "holdfast");
	assert_int_equal(message.record.until_ns, 0); /* it is not made again after a reboot */
	assert_int_equal(handed(MESSAGE_INCIDENT), 1);
	assert_int_equal(message.incident.state, MESSAGE_INCIDENT_OPEN);
	assert_string_equal(message.incident.service, "web");
	assert_string_equal(message.incident.target, "192.0.2.10/32");
	assert_string_equal(message.incident.vector, "ntp_reflection");
	assert_true(message.incident.length > 100);
	assert_int_equal(handed(MESSAGE_STREAM), 1);
	assert_int_equal(message.stream.kind, MESSAGE_STREAM_SEGMENT);
	/* A person lets it go: it is no longer there. */
	fake->rule_count = 0;
	status_says("\"state\":\"gone\"");
	/* With the last words comes all that was found, and what was learned. */
	fake->flood = 0;
	(void)close(parent_end);
	assert_int_equal(handed(MESSAGE_CHECKPOINT), 1);
	do
		(void)handed(MESSAGE_STREAM);
	while (message.stream.kind != MESSAGE_STREAM_KEEP);
	assert_int_equal(handed(MESSAGE_INCIDENT), 1);
	assert_int_equal(message.incident.state, MESSAGE_INCIDENT_FINAL);
	(void)handed(MESSAGE_STREAM);
	assert_int_equal(message.stream.kind, MESSAGE_STREAM_DROP);
	(void)close(client);
	(void)close(loader_end);
	(void)close(recorder_end);
	assert_int_equal(role_child_end(engine), 0);
}

/* What hits a way in the loader refuses, whoever asks: it is shown, and not asked for again at once. */
static void a_rule_that_is_refused(void **state)
{
	(void)state;
	begin(one_service, "");
	fake->flood = 100000;
	ordered(MESSAGE_ADD_RULE);
	loader_answers(-EPERM, 0, 0);
	status_says("\"state\":\"gone\"");
	do
		(void)recorded();
	while (strcmp(message.record.command, "defend") != 0);
	assert_string_equal(message.record.outcome, "refused");
	assert_string_equal(message.record.what, "the loader will not");
	end();
}

/* What an engine before this one has made is taken up where the same is wanted again; else it ends before long. */
static void rules_of_before(void **state)
{
	struct match_error error;
	struct message_rule rule;

	(void)state;
	fake->origin = SHIELD_TAKEN_OVER;
	begin(one_service, "");
	fake->flood = 100000;
	ordered(MESSAGE_ADD_RULE);
	rule = message.rule;
	end();

	fake->rule_count = 3;
	for (unsigned i = 0; i < fake->rule_count; i++) {
		fake->rules[i] = (struct shield_rule_told){ .number = 31 + i,
			                                    .counter = i,
			                                    .expires = SHIELD_NEVER,
			                                    .made_by = i == 2 ? 0 : SHIELD_BY_ENGINE };
		assert_int_equal(match_parse("tcp", &fake->rules[i].rule.match, &error), 0);
	}
	assert_int_equal(message_take_rule(&rule, &fake->rules[0].rule), 0);
	fake->rules[0].shadow = rule.shadow;
	fake->rules[0].spare = rule.spare;
	fake->rules[0].probe = rule.probe;
	fake->rules[0].arm_pps = rule.arm_pps;
	begin(one_service, "");
	for (unsigned i = 0; i < 2; i++) { /* both hold for less now; a person's is a person's */
		ordered(MESSAGE_RENEW_RULE);
		assert_int_equal(message.renewal.number, 31 + i);
		assert_int_equal(message.renewal.for_ns, 600 * NS_PER_S);
		loader_answers(0, 0, 0);
	}
	fake->flood = 100000;
	ordered(MESSAGE_RENEW_RULE);
	assert_int_equal(message.renewal.number, 31);
	loader_answers(0, 0, 0);
	status_says("\"rules\":[{\"id\":\"r31\",\"state\":");
	assert_says(ask("{\"command\":\"status\"}"), "\"strays\":1,");
	end();
}

/* However many samples wait, a client has his answer: of a million he waits for a few thousand. */
static void a_torrent(void **state)
{
	(void)state;
	begin(one_service, "");
	fake->torrent = true;
	fake->flood = 1000000;
	assert_says(ask("{\"command\":\"ping\"}"), "version");
	assert_true(fake->flood > 0);
	fake->flood = 0;
	end();
}

/* With other services there is another live, and another stream; not while there is an attack. */
static void other_services(void **state)
{
	uint64_t before;

	(void)state;
	begin(one_service, "");
	assert_int_equal(handed(MESSAGE_STREAM), 1);
	before = message.stream.generation;
	configure(parent_end, one_service, ""); /* the same are no others */
	assert_int_equal(applied(parent_end), 0);
	configure(parent_end, two_services, "");
	assert_int_equal(applied(parent_end), 0);
	do
		(void)handed(MESSAGE_STREAM);
	while (message.stream.kind == MESSAGE_STREAM_SEGMENT);
	assert_int_equal(message.stream.kind, MESSAGE_STREAM_DROP);
	assert_int_equal(message.stream.generation, before);
	assert_int_equal(handed(MESSAGE_STREAM), 1);
	assert_int_equal(message.stream.kind, MESSAGE_STREAM_SEGMENT);
	assert_int_equal(message.stream.sequence, 0);
	assert_true(message.stream.generation > before);
	before = message.stream.generation;
	fake->flood = 100000;
	ordered(MESSAGE_ADD_RULE);
	configure(parent_end, one_service, "");
	assert_int_equal(applied(parent_end), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(handed(MESSAGE_STREAM), 1);
		assert_int_equal(message.stream.generation, before);
	}
	status_says("\"vector\":\"ntp_reflection\"");
	end();
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(questions),
		CASE(descriptors_are_not_kept),
		CASE(rules_are_told),
		CASE(blocks_of_prefixes),
		CASE(blocks_of_proxies),
		CASE(links_and_alerts),
		CASE(a_full_table),
		CASE(rules_by_match),
		CASE(allowances),
		CASE(releases),
		CASE(releases_of_lists),
		CASE(a_flood),
		CASE(a_rule_that_is_refused),
		CASE(rules_of_before),
		CASE(a_torrent),
		CASE(other_services),
		CASE(modes),
		CASE(one_after_the_other),
		CASE(rude_clients),
		CASE(who_is_no_operator),
		CASE(a_recorder_that_is_behind),
		CASE(what_was_in_force),
		CASE(lists),
		CASE(who_is_dropped),
		CASE(a_list_that_is_too_long),
		CASE(reloads),
		CASE(more_blocks_than_the_loader_hears),
		CASE(blocks_for_nftables),
	};

	return cmocka_run_group_tests_name("engine_role", tests, NULL, NULL);
}
