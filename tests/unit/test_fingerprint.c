/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fingerprint for DDoS-DB, field by field. What a field is named, which type it has and what it means:
 * fingerprint_format.md of NLADC/dissector; how the dissector fills it: as_dict(), determine_tags() and
 * compute_summary() in its src/attack.py and src/analysis.py.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <md5.h>

#include "made.h"

#include "tell/fingerprint.h"

#define START (1748772000 * NS_PER_S) /* 2025-06-01T10:00:00Z */
#define TARGET 0xc000020a

static void give(struct engine *e, const struct observation *o)
{
	struct packet packet = { .observation = *o };

	engine_prepare(e, &packet);
	engine_observe(e, &packet, 1);
}

/* 4,000 answers of 400 NTP servers in 8 s, of 468 octets each; TTLs of two kinds. */
static void ntp(struct engine *e)
{
	static const uint8_t monlist[8] = { 0xd7, 0, 3, 0x2a, 0, 6, 0, 0x48 };

	for (unsigned i = 0; i < 4000; i++) {
		struct observation o = made_udp(START + (int64_t)i * 2 * NS_PER_MS, made_ipv4(0x08080000 + i % 400),
		                                123, made_ipv4(TARGET),
		                                i % 20 == 1 ? 8080
		                                : i % 4     ? 443
		                                            : 80,
		                                0);

		made_payload(&o, monlist, sizeof(monlist), 440);
		o.ttl = i % 5 ? 50 : 120;
		give(e, &o);
	}
}

/* 6,000 SYNs from as many addresses in the same time. */
static void syn(struct engine *e)
{
	uint64_t chance = 3;

	for (unsigned i = 0; i < 6000; i++) {
		struct observation o =
			made_tcp(START + (int64_t)i * NS_PER_MS, made_ipv4((uint32_t)made_random(&chance)),
		                 (uint16_t)(1024 + made_below(&chance, 60000)), made_ipv4(TARGET), 443, TCP_SYN,
		                 (uint32_t)made_random(&chance), 0);

		o.ttl = (uint8_t)(40 + made_below(&chance, 80));
		give(e, &o);
	}
}

struct made {
	struct engine *engine;
	char *text;
	char key[FINGERPRINT_KEY_SIZE];
	json_t *json;
};

static struct made make(void (*traffic)(struct engine *))
{
	struct made m = { .engine = engine_new(1) };

	assert_non_null(m.engine);
	traffic(m.engine);
	assert_int_equal(engine_finish(m.engine), 0);
	assert_int_equal(engine_count(m.engine), 1);
	assert_int_equal(fingerprint_make(engine_finding(m.engine, 0), &m.text, m.key), 0);
	m.json = json_loads(m.text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(m.json);
	return m;
}

static void unmake(struct made *m)
{
	json_decref(m->json);
	free(m->text);
	engine_free(m->engine);
}

/* The value as compact JSON. */
static void expect(const json_t *object, const char *key, const char *wanted)
{
	char *said = json_dumps(json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

	if (!said || strcmp(said, wanted) != 0)
		fail_msg("%s is %s, not %s", key, said ? said : "missing", wanted);
	free(said);
}

static void expect_keys(json_t *object, const char *const *keys)
{
	void *at = json_object_iter(object);

	for (; *keys; keys++) {
		assert_non_null(at);
		assert_string_equal(json_object_iter_key(at), *keys);
		at = json_object_iter_next(object, at);
	}
	assert_null(at);
}

static void reflection_field_by_field(void **state)
{
	static const char *const summary[] = { "attack_vectors",
		                               "target",
		                               "tags",
		                               "time_start",
		                               "time_end",
		                               "duration_seconds",
		                               "total_packets",
		                               "total_megabytes",
		                               "total_ips",
		                               "avg_bps",
		                               "avg_pps",
		                               "avg_Bpp",
		                               "key",
		                               NULL };
	static const char *const fields[] = {
		"service",    "protocol",      "fraction_of_attack",   "source_port", "destination_ports",
		"tcp_flags",  "nr_packets",    "nr_megabytes",         "time_start",  "duration_seconds",
		"source_ips", "ethernet_type", "fragmentation_offset", "ttl",         "ntp_requestcode",
		NULL
	};
	struct made m = make(ntp);
	json_t *vector = json_array_get(json_object_get(m.json, "attack_vectors"), 0);
	json_t *ips = json_object_get(vector, "source_ips");

	(void)state;
	expect_keys(m.json, summary);
	assert_int_equal(json_array_size(json_object_get(m.json, "attack_vectors")), 1);
	expect(m.json, "target", "\"Anonymous\"");
	expect(m.json, "tags", "[\"Amplification attack\",\"UDP\"]");
	expect(m.json, "time_start", "\"2025-06-01T10:00:00.000000+00:00\"");
	expect(m.json, "time_end", "\"2025-06-01T10:00:07.998000+00:00\"");
	expect(m.json, "duration_seconds", "7"); /* whole seconds that have passed */
	expect(m.json, "total_packets", "4000");
	expect(m.json, "total_megabytes", "1"); /* 4,000 x 468 octets, cut off */
	expect(m.json, "avg_pps", "571");
	expect(m.json, "avg_bps", "2139424"); /* 4,000 x 468 / 7, cut off, x 8 */
	expect(m.json, "avg_Bpp", "468");
	assert_int_equal(json_integer_value(json_object_get(m.json, "total_ips")), 400);

	expect_keys(vector, fields);
	expect(vector, "service", "\"NTP\"");
	expect(vector, "protocol", "\"UDP\"");
	expect(vector, "fraction_of_attack", "1.0");
	expect(vector, "source_port", "123");
	expect(vector, "destination_ports", "{\"443\":0.7,\"80\":0.25,\"others\":0.05}");
	expect(vector, "tcp_flags", "null");
	expect(vector, "nr_packets", "4000");
	expect(vector, "nr_megabytes", "1");
	expect(vector, "time_start", "\"2025-06-01T10:00:00.000000+00:00\"");
	expect(vector, "duration_seconds", "7");
	expect(vector, "ethernet_type", "{\"IPv4\":1.0}");
	expect(vector, "fragmentation_offset", "{\"0\":1.0}");
	expect(vector, "ttl", "{\"50\":0.8,\"120\":0.2}");
	expect(vector, "ntp_requestcode", "{\"42\":1.0}");
	/* reflectors are evidence: each once, in order */
	assert_int_equal(json_array_size(ips), 400);
	assert_string_equal(json_string_value(json_array_get(ips, 0)), "8.8.0.0");
	assert_string_equal(json_string_value(json_array_get(ips, 399)), "8.8.1.143");
	unmake(&m);
}

static void forged_sources_are_not_listed(void **state)
{
	struct made m = make(syn);
	json_t *vector = json_array_get(json_object_get(m.json, "attack_vectors"), 0);

	(void)state;
	expect(vector, "source_ips", "[]");
	expect(vector, "service", "null");
	expect(vector, "source_port", "\"random\"");
	expect(vector, "ttl", "\"random\"");
	expect(vector, "tcp_flags", "{\"..........S.\":1.0}");
	expect(vector, "destination_ports", "{\"443\":1.0}");
	expect(m.json, "tags", "[\"TCP\",\"TCP SYN flag attack\",\"TCP flood attack\"]");
	unmake(&m);
}

/* By turns, so that they are one incident. */
static void both(struct engine *e)
{
	uint64_t chance = 3;

	for (unsigned i = 0; i < 6000; i++) {
		static const uint8_t monlist[8] = { 0xd7, 0, 3, 0x2a, 0, 6, 0, 0x48 };
		struct observation o = made_udp(START + (int64_t)i * NS_PER_MS, made_ipv4(0x08080000 + i % 400), 123,
		                                made_ipv4(TARGET), 80, 0);

		made_payload(&o, monlist, sizeof(monlist), 440);
		give(e, &o);
		o = made_tcp(START + (int64_t)i * NS_PER_MS, made_ipv4((uint32_t)made_random(&chance)),
		             (uint16_t)(1024 + made_below(&chance, 60000)), made_ipv4(TARGET), 443, TCP_SYN,
		             (uint32_t)made_random(&chance), 0);
		give(e, &o);
	}
}

/* What comes when all is over is counted, and makes the attack no longer than the analysis says it was. */
static void late(struct engine *e)
{
	struct observation o;

	ntp(e);
	o = made_udp(START + 9 * NS_PER_S, made_ipv4(0x08080000), 123, made_ipv4(TARGET), 80, 468);
	give(e, &o);
}

static void late_packets_are_no_part_of_its_time(void **state)
{
	struct made m = make(late);
	json_t *vector = json_array_get(json_object_get(m.json, "attack_vectors"), 0);

	(void)state;
	expect(m.json, "total_packets", "4001");
	expect(m.json, "time_end", "\"2025-06-01T10:00:07.998000+00:00\"");
	expect(m.json, "duration_seconds", "7");
	expect(vector, "duration_seconds", "7");
	unmake(&m);
}

static void several_vectors(void **state)
{
	struct made m = make(both);
	json_t *vectors = json_object_get(m.json, "attack_vectors");

	(void)state;
	assert_int_equal(json_array_size(vectors), 2);
	expect(m.json, "tags",
	       "[\"Amplification attack\",\"Multi-vector attack\",\"TCP\",\"TCP SYN flag attack\",\"TCP flood attack\",\"UDP\"]");
	for (size_t i = 0; i < 2; i++) {
		json_t *vector = json_array_get(vectors, i);
		bool is_ntp = strcmp(json_string_value(json_object_get(vector, "protocol")), "UDP") == 0;

		/* by octets: 468 and 40 */
		expect(vector, "fraction_of_attack", is_ntp ? "0.921" : "0.079");
		assert_true(json_array_size(json_object_get(vector, "source_ips")) == 0 || is_ntp);
	}
	unmake(&m);
}

/* The key is what it says it is, and no name of another fingerprint. */
static void key_is_md5_of_the_rest(void **state)
{
	struct made m = make(ntp), other = make(syn);
	char digest[FINGERPRINT_KEY_SIZE], *compact;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(m.json, "key")), m.key);
	json_object_del(m.json, "key");
	compact = json_dumps(m.json, JSON_COMPACT | JSON_REAL_PRECISION(6));
	assert_string_equal(MD5Data((const uint8_t *)compact, strlen(compact), digest), m.key);
	assert_string_not_equal(m.key, other.key);
	free(compact);
	unmake(&m);
	unmake(&other);
}

static void scan(struct engine *e)
{
	for (uint16_t i = 0; i < 500; i++) {
		struct observation o = made_tcp(START + (int64_t)i * 10 * NS_PER_MS, made_ipv4(0x09090909), 40000,
		                                made_ipv4(TARGET), (uint16_t)(i + 1), TCP_SYN, i, 0);

		give(e, &o);
	}
}

static void a_scan_has_none(void **state)
{
	struct engine *e = engine_new(1);
	char key[FINGERPRINT_KEY_SIZE], *text = NULL;

	(void)state;
	assert_non_null(e);
	scan(e);
	assert_int_equal(engine_finish(e), 0);
	assert_int_equal(engine_count(e), 1);
	assert_int_equal(fingerprint_make(engine_finding(e, 0), &text, key), -EINVAL);
	assert_null(text);
	engine_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reflection_field_by_field),
		cmocka_unit_test(forged_sources_are_not_listed),
		cmocka_unit_test(late_packets_are_no_part_of_its_time),
		cmocka_unit_test(several_vectors),
		cmocka_unit_test(key_is_md5_of_the_rest),
		cmocka_unit_test(a_scan_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
