/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names by c-ares, from a name server that the test plays and that means no good: it is silent, talks nonsense, answers
 * other questions, or answers with more than anybody asked for.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tell/lookup.h"

#define HEADER 12
#define REPLY_MAX 2048
#define TIMEOUT_MS 600
#define TURNS 2000 /* of at most 5 ms */
#define TYPE_A 1
#define TYPE_CNAME 5
#define RCODE_FAILED 2
#define RCODE_NO_NAME 3
#define RCODE_REFUSED 5

static int server, stranger;
static uint16_t port;

static int bound(uint16_t *at)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*at = ntohs(address.sin_port);
	return fd;
}

static int set_up(void **state)
{
	uint16_t other;

	(void)state;
	server = bound(&port);
	stranger = bound(&other);
	return lookup_load();
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(server);
	(void)close(stranger);
	return 0;
}

/* ---- answers ---- */

struct reply {
	uint8_t octets[REPLY_MAX];
	size_t length;
};

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* An answer to a question, with nothing in it yet. */
static struct reply reply_to(const uint8_t *query, size_t length, unsigned rcode)
{
	struct reply reply = { .length = length };

	memcpy(reply.octets, query, length);
	put16(reply.octets + 2, 0x8180 | rcode);
	return reply;
}

static void add_record(struct reply *reply, unsigned type, const void *octets, size_t length)
{
	uint8_t *at = reply->octets + reply->length;
	unsigned count = (unsigned)(reply->octets[6] << 8 | reply->octets[7]) + 1;

	assert_true(reply->length + 12 + length <= REPLY_MAX);
	put16(at, 0xc00c); /* the question's name */
	put16(at + 2, type);
	put16(at + 4, 1);
	memset(at + 6, 0, 4);
	put16(at + 10, (unsigned)length);
	memcpy(at + 12, octets, length);
	reply->length += 12 + length;
	put16(reply->octets + 6, count);
}

static void add_address(struct reply *reply, unsigned last)
{
	const uint8_t address[] = { 192, 0, 2, (uint8_t)last };

	add_record(reply, TYPE_A, address, sizeof(address));
}

static void send_reply(int from, const struct reply *reply, const struct sockaddr_in *to)
{
	(void)sendto(from, reply->octets, reply->length, 0, (const struct sockaddr *)to, sizeof(*to));
}

enum manner {
	GOOD,
	MANY,   /* addresses */
	CHATTY, /* nonsense a hundred times, then it answers */
	FAILED,
	NO_NAME,
	REFUSED,
	NOTHING, /* there is such a name, and it has no address */
	SILENT,
	NONSENSE,
	SHORT, /* less than a header */
	CUT,   /* in the middle of a record */
	OTHER_ID,
	OTHER_NAME,
	OTHER_SENDER,   /* from where nobody was asked */
	SHORT_ADDRESS,  /* of three octets */
	IN_CIRCLES,     /* a name that is its own other name */
	NAME_IN_ITSELF, /* whose compression points at itself */
	TOO_MANY_TOLD,  /* more records than there are */
	MANNERS
};

static void answer(enum manner manner, const uint8_t *query, size_t length, const struct sockaddr_in *to)
{
	bool of_ipv4 = query[length - 3] == TYPE_A; /* the question ends with type and class */
	struct reply reply = reply_to(query, length, 0);
	static const uint8_t itself[] = { 0xc0, 0x0c };
	int from = server;

	if (of_ipv4)
		add_address(&reply, 1);
	switch (manner) {
	case GOOD:
	case MANNERS:
		break;
	case MANY:
		for (unsigned i = 0; i < 28 && of_ipv4; i++) /* as many as 512 octets hold */
			add_address(&reply, 1 + i);          /* the first one twice */
		break;
	case CHATTY:
		for (unsigned i = 0; i < 100; i++) {
			struct reply noise = reply;

			put16(noise.octets, (unsigned)(query[0] << 8 | query[1]) + i + 1);
			send_reply(server, &noise, to);
		}
		break;
	case FAILED:
		reply = reply_to(query, length, RCODE_FAILED);
		break;
	case NO_NAME:
		reply = reply_to(query, length, RCODE_NO_NAME);
		break;
	case REFUSED:
		reply = reply_to(query, length, RCODE_REFUSED);
		break;
	case NOTHING:
		reply = reply_to(query, length, 0);
		break;
	case SILENT:
		return;
	case NONSENSE:
		memset(reply.octets + 2, 0xff, reply.length - 2);
		break;
	case SHORT:
		reply.length = HEADER - 1;
		break;
	case CUT:
		reply.length -= of_ipv4 ? 2 : 0;
		break;
	case OTHER_ID:
		reply.octets[0] ^= 0x55;
		break;
	case OTHER_NAME:
		reply.octets[HEADER + 1] ^= 1;
		break;
	case OTHER_SENDER:
		from = stranger;
		break;
	case SHORT_ADDRESS:
		reply = reply_to(query, length, 0);
		add_record(&reply, TYPE_A, "\300\0\2", 3);
		break;
	case IN_CIRCLES:
		reply = reply_to(query, length, 0);
		add_record(&reply, TYPE_CNAME, itself, sizeof(itself));
		break;
	case NAME_IN_ITSELF:
		reply = reply_to(query, length, 0);
		add_record(&reply, TYPE_CNAME, (const uint8_t[]){ 0xc0, (uint8_t)(reply.length + 12) }, 2);
		break;
	case TOO_MANY_TOLD:
		put16(reply.octets + 6, 0xffff);
		break;
	}
	send_reply(from, &reply, to);
}

/* The server answers in that manner until the look-up has come to an end. */
static struct lookup_result looked_up(enum manner manner)
{
	struct lookup_result result = { .count = 0 };
	struct lookup *lookup;

	assert_int_equal(lookup_begin("site.test", "127.0.0.1", port, TIMEOUT_MS, &lookup), 0);
	for (unsigned i = 0; i < TURNS; i++) {
		struct pollfd fds[LOOKUP_FDS_MAX + 1] = { { .fd = server, .events = POLLIN } };
		int wait_ms = 5;
		unsigned count = lookup_fds(lookup, fds + 1, LOOKUP_FDS_MAX, &wait_ms);
		struct sockaddr_in from;
		socklen_t from_length = sizeof(from);
		uint8_t query[REPLY_MAX / 2];
		ssize_t got;

		(void)poll(fds, count + 1, wait_ms);
		while ((got = recvfrom(server, query, sizeof(query), 0, (struct sockaddr *)&from, &from_length)) >
		       HEADER)
			answer(manner, query, (size_t)got, &from);
		if (lookup_turn(lookup, &result)) {
			lookup_free(lookup);
			return result;
		}
	}
	fail_msg("manner %d: it has no end", manner);
	return result;
}

static void good_ones(void **state)
{
	struct lookup_result result = looked_up(GOOD);

	(void)state;
	assert_int_equal(result.reason, PROBE_OK);
	assert_int_equal(result.count, 1);
	result = looked_up(CHATTY);
	assert_int_equal(result.reason, PROBE_OK);
	assert_int_equal(result.count, 1);
	result = looked_up(MANY);
	assert_int_equal(result.reason, PROBE_OK);
	assert_int_equal(result.count, PROBE_ADDRESSES_MAX);
	assert_int_equal(result.left_out, 28 - PROBE_ADDRESSES_MAX);
}

static void bad_ones(void **state)
{
	static const struct {
		enum manner manner;
		enum probe_reason reason, or ;
	} cases[] = {
		{ FAILED, PROBE_RESOLVER_FAILED, PROBE_RESOLVER_FAILED },
		{ NO_NAME, PROBE_NO_NAME, PROBE_NO_NAME },
		{ REFUSED, PROBE_RESOLVER_FAILED, PROBE_RESOLVER_FAILED },
		{ NOTHING, PROBE_NO_ADDRESS, PROBE_NO_ADDRESS },
		{ SILENT, PROBE_RESOLVER_TIMEOUT, PROBE_RESOLVER_TIMEOUT },
		{ OTHER_ID, PROBE_RESOLVER_TIMEOUT, PROBE_RESOLVER_TIMEOUT },
		{ OTHER_SENDER, PROBE_RESOLVER_TIMEOUT, PROBE_RESOLVER_TIMEOUT },
		{ OTHER_NAME, PROBE_RESOLVER_TIMEOUT, PROBE_RESOLVER_TIMEOUT },
		/* Versions of c-ares differ in when they believe a server that talks so. */
		{ NONSENSE, PROBE_RESOLVER_TIMEOUT, PROBE_RESOLVER_FAILED },
		{ SHORT, PROBE_RESOLVER_TIMEOUT, PROBE_RESOLVER_FAILED },
		{ CUT, PROBE_RESOLVER_FAILED, PROBE_NO_ADDRESS },
		{ SHORT_ADDRESS, PROBE_RESOLVER_FAILED, PROBE_NO_ADDRESS },
		{ IN_CIRCLES, PROBE_RESOLVER_FAILED, PROBE_NO_ADDRESS },
		{ NAME_IN_ITSELF, PROBE_RESOLVER_FAILED, PROBE_RESOLVER_TIMEOUT },
		{ TOO_MANY_TOLD, PROBE_RESOLVER_FAILED, PROBE_RESOLVER_TIMEOUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lookup_result result = looked_up(cases[i].manner);

		if ((result.reason != cases[i].reason && result.reason != cases[i].or) || result.count != 0)
			fail_msg("case %zu: %s, %u addresses", i, probe_reason_name(result.reason), result.count);
	}
}

/* Given up before its end, however it stands. */
static void given_up(void **state)
{
	struct lookup *lookup;
	struct lookup_result result;

	(void)state;
	assert_int_equal(lookup_begin("site.test", "127.0.0.1", port, TIMEOUT_MS, &lookup), 0);
	assert_false(lookup_turn(lookup, &result));
	lookup_free(lookup);
	assert_int_equal(lookup_begin("site.test", "no address", port, TIMEOUT_MS, &lookup), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(given_up, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
