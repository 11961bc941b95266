/* SPDX-License-Identifier: Apache-2.0 */
/* SYNs that are answered with a cookie, and the trial that says whether such answers arrive. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "packet.h"
#include "rig.h"
#include "shield/shield.h"

#define COOKIE_PORT 80
#define CLIENTS 512 /* conversations of a trial: some sixteen of them are left to the host */

/* Where this process has a listener, and the kernel makes cookies at any time; nothing of it is seen elsewhere. */
struct place {
	int before, listener;
};

static bool place_enter(struct place *place)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(COOKIE_PORT) };
	FILE *setting;

	place->before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(place->before >= 0);
	if (unshare(CLONE_NEWNET) != 0) {
		close(place->before);
		return false;
	}
	setting = fopen("/proc/sys/net/ipv4/tcp_syncookies", "w");
	assert_non_null(setting);
	assert_true(fputs("2", setting) >= 0);
	assert_int_equal(fclose(setting), 0);
	place->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(place->listener >= 0);
	assert_int_equal(bind(place->listener, (const struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(place->listener, 8), 0);
	return true;
}

static void place_leave(struct place *place)
{
	close(place->listener);
	assert_int_equal(setns(place->before, CLONE_NEWNET), 0);
	close(place->before);
}

#define NEED_PLACE(place)                \
	do {                             \
		if (!place_enter(place)) \
			skip();          \
	} while (0)

static void serve(enum shield_cookies cookies)
{
	static const uint16_t port = COOKIE_PORT;
	const struct prefix here = rig_prefix("192.0.2.10/32");
	const struct shield_service service = { .name = "web",
		                                .prefixes = &here,
		                                .prefix_count = 1,
		                                .tcp = &port,
		                                .tcp_count = 1,
		                                .local = true,
		                                .cookies = cookies };
	struct shield_error error;

	rig_begin();
	assert_int_equal(shield_set_services(rig.shield, &service, 1, &error), 0);
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

#define SEQUENCE 1000u

static struct packet segment(uint16_t port, uint8_t flags, bool tagged, uint32_t acknowledges)
{
	static const uint8_t mss[4] = { 2, 4, 5, 0xb4 };
	struct packet p;

	packet_begin(&p);
	if (tagged)
		packet_vlan(&p, 0x8100, 100);
	packet_ipv4(&p, "198.51.100.9", "192.0.2.10");
	packet_tcp(&p, port, COOKIE_PORT, flags, 64000, mss, flags == 2 ? sizeof(mss) : 0);
	put32(p.octets + p.ip + 20 + 4, flags == 2 ? SEQUENCE : SEQUENCE + 1);
	put32(p.octets + p.ip + 20 + 8, acknowledges);
	packet_end(&p);
	return p;
}

static uint32_t sum16(const uint8_t *at, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Runs a SYN; the number of the SYN-ACK that goes back, which is looked at; 0: it passes. */
static uint32_t answered_by(const struct packet *p)
{
	uint8_t out[PACKET_MAX];
	struct bpf_test_run_opts options = { .sz = sizeof(options),
		                             .repeat = 1,
		                             .data_in = p->octets,
		                             .data_size_in = (uint32_t)p->length,
		                             .data_out = out,
		                             .data_size_out = sizeof(out) };
	const uint8_t *ip = out + p->ip, *tcp = ip + 20;
	size_t length;

	assert_int_equal(bpf_prog_test_run_opts(rig.program, &options), 0);
	if (options.retval == XDP_PASS) {
		assert_int_equal(options.data_size_out, p->length);
		assert_memory_equal(out, p->octets, p->length);
		return 0;
	}
	assert_int_equal(options.retval, XDP_TX);
	assert_true(options.data_size_out <= p->length);
	assert_memory_equal(out, p->octets + 6, 6);
	assert_memory_equal(out + 6, p->octets, 6);
	assert_memory_equal(out + 12, p->octets + 12, p->ip - 12); /* a tag stays */
	assert_memory_equal(ip + 12, p->octets + p->ip + 16, 4);
	assert_memory_equal(ip + 16, p->octets + p->ip + 12, 4);
	assert_int_equal(folded(sum16(ip, 20, 0)), 0xffff);
	length = (size_t)(ip[2] << 8 | ip[3]) - 20;
	assert_int_equal(folded(sum16(tcp, length, sum16(ip + 12, 8, 6 + (uint32_t)length))), 0xffff);
	assert_memory_equal(tcp, p->octets + p->ip + 22, 2);
	assert_memory_equal(tcp + 2, p->octets + p->ip + 20, 2);
	assert_int_equal(tcp[13], 0x12);
	assert_int_equal(get32(tcp + 8), SEQUENCE + 1);
	assert_int_not_equal(get32(tcp + 4), 0);
	return get32(tcp + 4);
}

/* Frames with and without a tag; not where it only observes, nor to who is let in anyhow. */
static void a_syn_is_answered_with_a_cookie(void **state)
{
	const struct shield_way_in way = { rig_prefix("198.51.100.0/24"), COOKIE_PORT, true, SHIELD_NEVER };
	const struct prefix allowed = rig_prefix("198.51.100.9/32");
	struct packet plain = segment(4000, 2, false, 0), tagged = segment(4001, 2, true, 0);
	struct packet optional = packet_layered(PACKET_IPV4_OPTIONS);
	struct shield_error error;
	struct place place;

	(void)state;
	NEED_SHIELD;
	NEED_PLACE(&place);
	serve(SHIELD_COOKIES_ON);
	assert_int_not_equal(answered_by(&plain), 0);
	assert_int_not_equal(answered_by(&tagged), 0);
	rig_meets(&optional, SHIELD_PASS_CLEAN, "with IPv4 options it is the host's");
	shield_set_mode(rig.shield, false, SHIELD_NEVER);
	rig_would_meet(&plain, SHIELD_TX_COOKIE, "where it observes");
	rig_would_meet(&tagged, SHIELD_TX_COOKIE, "where it observes, tagged");
	shield_set_mode(rig.shield, true, SHIELD_NEVER);
	assert_int_equal(shield_allow(rig.shield, &allowed, SHIELD_NEVER, &error), 0);
	rig_meets(&plain, SHIELD_PASS_ALLOWED, "an allowed source");
	assert_int_equal(shield_disallow(rig.shield, &allowed, &error), 0);
	assert_int_equal(shield_set_guard(rig.shield, &way, 1, &error), 0);
	rig_meets(&tagged, SHIELD_PASS_GUARD, "the way in");
	serve(SHIELD_COOKIES_AUTO);
	rig_meets(&plain, SHIELD_PASS_CLEAN, "without pressure");
	serve(SHIELD_COOKIES_OFF);
	rig_meets(&plain, SHIELD_PASS_CLEAN, "where there are none");
	place_leave(&place);
}

static void press(uint32_t service, bool pressed)
{
	int map = shield_maps(rig.shield)->fd[SHIELD_MAP_TCP_STATES];
	struct shield_tcp_state state = { .cookies_until = pressed ? rig_jiffies() + rig_seconds(60) : 0 };

	assert_int_equal(bpf_map_update_elem(map, &service, &state, BPF_ANY), 0);
}

/* The one trial, of the interface that frames of a test come by. */
static struct shield_trial trial_now(uint32_t *ifindex)
{
	int map = shield_maps(rig.shield)->fd[SHIELD_MAP_TRIALS];
	struct shield_trial trial;

	assert_int_equal(bpf_map_get_next_key(map, NULL, ifindex), 0);
	assert_int_equal(bpf_map_lookup_elem(map, ifindex, &trial), 0);
	return trial;
}

/* Of each conversation its cookie, or 0 where it is left to the host; how many are. */
static unsigned try_all(uint32_t cookies[CLIENTS])
{
	unsigned left = 0;

	for (unsigned i = 0; i < CLIENTS; i++) {
		struct packet p = segment((uint16_t)(5000 + i), 2, false, 0);

		cookies[i] = answered_by(&p);
		left += cookies[i] == 0;
	}
	return left;
}

static void completes(unsigned client, uint32_t cookie)
{
	struct packet p = segment((uint16_t)(5000 + client), 0x10, false, cookie + 1);

	(void)rig_run(p.octets, p.length);
}

/* As long as it is not known whether cookies arrive a few SYNs are left to the host; what is completed says it. */
static void cookies_are_tried(void **state)
{
	uint32_t all[CLIENTS], cookies[CLIENTS], ifindex;
	struct packet p = segment(4000, 2, false, 0);
	struct shield_trial trial;
	struct place place;
	unsigned left, told;
	int map;

	(void)state;
	NEED_SHIELD;
	NEED_PLACE(&place);
	map = shield_maps(rig.shield)->fd[SHIELD_MAP_TRIALS];
	serve(SHIELD_COOKIES_TRUSTED);
	press(0, true);
	assert_int_equal(try_all(all), 0);
	for (unsigned arrive = 0; arrive < 2; arrive++) {
		serve(SHIELD_COOKIES_AUTO);
		press(0, true);
		assert_int_equal(answered_by(&p), 0); /* the first begins a trial */
		left = try_all(cookies);
		assert_in_range(left, CLIENTS / SHIELD_TRIAL_SHARE / 4, CLIENTS / SHIELD_TRIAL_SHARE * 4);
		for (unsigned i = 0, n = 0; i < CLIENTS && n < SHIELD_TRIAL_LOST; i++)
			if (cookies[i] == 0) {
				completes(i, all[i]);
				n++;
			}
		trial = trial_now(&ifindex);
		assert_int_equal(trial.by_host, 0); /* too early to say anything */
		trial.began -= rig_seconds(1);
		assert_int_equal(bpf_map_update_elem(map, &ifindex, &trial, BPF_ANY), 0);
		told = 0;
		for (unsigned i = 0; i < CLIENTS && told < (arrive ? SHIELD_TRIAL_PROVEN : SHIELD_TRIAL_LOST); i++)
			if ((cookies[i] != 0) == arrive) {
				completes(i, all[i] + 1); /* a wrong one says nothing */
				trial = trial_now(&ifindex);
				assert_int_equal(arrive ? trial.by_cookie : trial.by_host, told);
				assert_true(trial.proven_until == 0 && trial.lost_until == 0);
				completes(i, all[i]);
				told++;
			}
		trial = trial_now(&ifindex);
		assert_int_equal(trial.proven_until != 0, arrive);
		assert_int_equal(trial.lost_until != 0, !arrive);
		assert_int_equal(try_all(cookies), arrive ? 0 : CLIENTS);
		assert_int_equal(shield_count_cookies_lost(shield_maps(rig.shield), rig_jiffies(), &told), 0);
		assert_int_equal(told, !arrive);
		if (!arrive) { /* after a while it is tried again */
			trial.lost_until = rig_jiffies() - 1;
			trial.began -= rig_seconds(SHIELD_TRIAL_S);
			assert_int_equal(bpf_map_update_elem(map, &ifindex, &trial, BPF_ANY), 0);
			assert_in_range(try_all(cookies), 1, CLIENTS / 2);
			assert_int_equal(trial_now(&ifindex).by_host, 0);
		}
		assert_int_equal(bpf_map_delete_elem(map, &ifindex), 0);
	}
	/* Of an interface that is unsure few get one, and many have to come in otherwise before it is given up. */
	for (unsigned arrive = 0; arrive < 2; arrive++) {
		struct shield_trial unsure = { .unsure = 1 };

		serve(SHIELD_COOKIES_AUTO);
		press(0, true);
		assert_int_equal(bpf_map_update_elem(map, &ifindex, &unsure, BPF_ANY), 0);
		left = try_all(cookies);
		assert_in_range(CLIENTS - left, CLIENTS / SHIELD_TRIAL_SHARE / 4, CLIENTS / SHIELD_TRIAL_SHARE * 4);
		unsure = trial_now(&ifindex);
		assert_int_equal(unsure.unsure, 1);
		unsure.began -= rig_seconds(1);
		unsure.by_host = arrive ? 0 : SHIELD_TRIAL_LOST_UNSURE - 2;
		assert_int_equal(bpf_map_update_elem(map, &ifindex, &unsure, BPF_ANY), 0);
		told = 0;
		for (unsigned i = 0; i < CLIENTS && told < 2; i++) {
			if ((cookies[i] != 0) != arrive)
				continue;
			trial = trial_now(&ifindex);
			assert_true(trial.proven_until == 0 && trial.lost_until == 0);
			completes(i, all[i]);
			told++;
		}
		trial = trial_now(&ifindex);
		assert_int_equal(trial.proven_until != 0, arrive);
		assert_int_equal(trial.lost_until != 0, !arrive);
		assert_int_equal(try_all(cookies), arrive ? 0 : CLIENTS);
		assert_int_equal(bpf_map_delete_elem(map, &ifindex), 0);
	}
	/* Where nothing is sent nothing is learned, and nobody is held to a trial. */
	shield_set_mode(rig.shield, false, SHIELD_NEVER);
	rig_would_meet(&p, SHIELD_TX_COOKIE, "where it observes");
	assert_int_equal(bpf_map_get_next_key(map, NULL, &ifindex), -ENOENT);
	press(0, false);
	place_leave(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_is_answered_with_a_cookie),
		cmocka_unit_test(cookies_are_tried),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
