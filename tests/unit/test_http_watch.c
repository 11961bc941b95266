/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks over HTTP and what looks like them, request by request, up to the incident. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "detect/http_watch.h"
#include "made_http.h"
#include "measure/track.h"

#define SERVER 0xc0000201u
#define CLIENT 0xc6336401u
#define SEED 1
#define BEGAN (1000 * NS_PER_S)
#define CONNECTIONS_MAX 2000

struct stage {
	struct http_watch *watch;
	struct detector *detector;
	struct track_table *tracks, *probes;
	int64_t ns, slot;
	uint64_t draws;
	uint64_t taken;
	uint32_t server;
	uint16_t port; /* each time others */
	struct made_connection connections[CONNECTIONS_MAX];
};

static int setup(void **state)
{
	struct stage *s = test_calloc(1, sizeof(*s));

	s->watch = http_watch_new(SEED);
	s->detector = detector_new(SEED);
	s->tracks = track_table_new(TRACK_SOURCES_SLOTS);
	s->probes = track_table_new(TRACK_SOURCES_SLOTS);
	s->ns = BEGAN;
	s->slot = slot_of(s->ns);
	s->draws = 9;
	s->server = SERVER;
	*state = s;
	return s->watch && s->detector && s->tracks && s->probes ? 0 : -1;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	http_watch_free(s->watch);
	detector_free(s->detector);
	track_table_free(s->tracks);
	track_table_free(s->probes);
	test_free(s);
	return 0;
}

/* As the engine does: the clock first. */
static void move(struct stage *s, int64_t ns)
{
	s->ns = ns;
	if (slot_of(ns) == s->slot)
		return;
	s->slot = slot_of(ns);
	detector_tick(s->detector, s->tracks, s->probes, s->slot);
	http_watch_tick(s->watch, s->detector, s->slot);
}

static bool show(struct stage *s, struct observation o)
{
	struct keys keys;
	bool taken;

	o.time.ns = s->ns;
	keys_make(&keys, &o, SEED);
	taken = http_watch_observe(s->watch, s->detector, &o, &keys, s->slot);
	s->taken += taken;
	return taken;
}

static void pause_for(struct stage *s, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++)
		move(s, s->ns + NS_PER_S);
}

static const struct incident *only_incident(struct stage *s)
{
	struct capture_time last = { s->ns };

	http_watch_finish(s->watch, s->detector, last);
	detector_finish(s->detector, s->tracks, s->probes, last);
	assert_int_equal(detector_count(s->detector), 1);
	return detector_incident(s->detector, 0);
}

static void no_incident(struct stage *s)
{
	struct capture_time last = { s->ns };

	http_watch_finish(s->watch, s->detector, last);
	detector_finish(s->detector, s->tracks, s->probes, last);
	assert_int_equal(detector_count(s->detector), 0);
}

static void connect_clients(struct stage *s, uint32_t clients)
{
	for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
		s->connections[i] =
			made_connection(made_ipv4(CLIENT + i % clients), ++s->port, made_ipv4(s->server), 80);
}

struct load {
	uint32_t clients, per_s, seconds;
	uint32_t answered;          /* of a hundred requests */
	const char *before, *after; /* target with something between that always changes; without `after` it does not */
	const char *headers;        /* NULL: two orders */
	bool kept;                  /* each client on one connection, one request after another; else a new one each */
};

static void play(struct stage *s, const struct load *l)
{
	uint32_t connections = l->kept ? l->clients : CONNECTIONS_MAX;
	int64_t from = s->ns;

	connect_clients(s, l->clients);
	for (uint32_t i = 0; i < l->per_s * l->seconds; i++) {
		struct made_connection *c = &s->connections[i % connections];
		char target[128], text[512];

		move(s, from + i * (NS_PER_S / l->per_s));
		if (l->after)
			(void)snprintf(target, sizeof(target), "%s%x%s", l->before, (unsigned)made_random(&s->draws),
			               l->after);
		else
			(void)snprintf(target, sizeof(target), "%s", l->before);
		(void)snprintf(text, sizeof(text), "%s HTTP/1.1\r\n%s\r\n", target,
		               l->headers ? l->headers
		                          : (i / l->clients % 2 ? "Host: x\r\nAccept: y\r\n"
		                                                : "Accept: y\r\nHost: x\r\n"));
		show(s, made_text(c, 0, text));
		if (made_below(&s->draws, 100) < l->answered)
			show(s, made_ack(c, 0, 700, 500));
	}
}

static const struct incident *flood(struct stage *s, const struct load *l)
{
	const struct incident *inc;

	play(s, l);
	inc = only_incident(s);
	assert_int_equal(inc->parts_count, 1);
	assert_string_equal(vector_get(inc->parts[0].kind)->name, "http_flood");
	return inc;
}

#define SAME "Host: x\r\nUser-Agent: y\r\n"

static void random_names(void **state)
{
	const struct load l = { 1, 10, 20, 100, "GET /?n", "=1", SAME, false };
	const struct incident *inc = flood(*state, &l);
	const struct address server = made_ipv4(SERVER);

	/* From the first request that was counted in detail on. */
	assert_in_range(inc->packets, 180, 200);
	assert_int_equal(inc->parts[0].http.mark.likeness, HTTP_RANDOM_NAMES);
	assert_true(time_since(inc->began, (struct capture_time){ BEGAN }) < 2 * NS_PER_S);
	assert_int_equal(inc->waves_count, 1);
	assert_true(address_equal(&inc->scope.address, &server));
	assert_int_equal(inc->scope.length, 32);
}

static bool without_memory;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names for ours and theirs */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return without_memory ? NULL : __real_malloc(size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* To look for a flood takes no memory that may be wanting. */
static void found_without_memory(void **state)
{
	const struct load l = { 1, 10, 20, 100, "GET /?n", "=1", SAME, false };

	without_memory = true;
	play(*state, &l);
	without_memory = false;
	/* Not only once there is memory again. */
	assert_true(((struct stage *)*state)->taken > 0);
	assert_int_equal(only_incident(*state)->parts[0].http.mark.likeness, HTTP_RANDOM_NAMES);
}

static void random_values_are_what_programs_ask_for(void **state)
{
	const struct load l = { 3, 60, 30, 100, "GET /api?token=", "", SAME, true };

	play(*state, &l);
	no_incident(*state);
}

static void random_values_of_a_crowd_that_repeats_itself(void **state)
{
	const struct load l = { 250, 1000, 12, 100, "GET /api?token=", "", SAME, true };
	const struct incident *inc = flood(*state, &l);

	assert_int_equal(inc->parts[0].http.mark.likeness, HTTP_RANDOM_VALUES);
}

static void machines_in_step(void **state)
{
	const struct load l = { 250, 1000, 12, 100, "GET /", NULL, SAME, true };
	const struct incident *inc = flood(*state, &l);

	assert_int_equal(inc->parts[0].http.mark.likeness, HTTP_ONE_TARGET);
	assert_true(inc->parts[0].http.mark.order != 0);
}

static void machines_of_more_than_one_make(void **state)
{
	const struct load l = { 250, 1000, 12, 100, "GET /", NULL, NULL, true };

	play(*state, &l);
	no_incident(*state);
}

static void a_crowd_that_polls(void **state)
{
	const struct load l = { 600, 600, 15, 100, "GET /api/bids", NULL, SAME, true };

	play(*state, &l);
	no_incident(*state);
}

static void proxies_that_open_a_connection_for_each(void **state)
{
	const struct load l = { 60, 500, 12, 100, "GET /", NULL, SAME, false };

	play(*state, &l);
	no_incident(*state);
}

static void proxies_that_keep_theirs(void **state)
{
	const struct load l = { 60, 500, 12, 100, "GET /api?token=", "", SAME, true };

	play(*state, &l);
	no_incident(*state);
}

/* Four requests a second come of each address, but one in two seconds on each connection. */
static void a_crowd_behind_few_addresses(void **state)
{
	const struct load l = { 250, 1000, 25, 100, "GET /api/bids", NULL, SAME, false };

	play(*state, &l);
	no_incident(*state);
}

/* Half a minute of a few, then the load. */
static void play_suddenly(struct stage *s, const struct load *l)
{
	const struct load before = { 5, 10, 30, 100, "GET /", NULL, SAME, true };

	play(s, &before);
	play(s, l);
}

/* Some ask a little less often. */
static void bots_that_ask_twice_a_second(void **state)
{
	const struct load l = { 300, 540, 15, 100, "GET /api/bids", NULL, SAME, true };

	play_suddenly(*state, &l);
	assert_string_equal(vector_get(only_incident(*state)->parts[0].kind)->name, "http_flood");
}

static void a_crowd_that_polls_of_a_sudden(void **state)
{
	const struct load l = { 600, 660, 15, 100, "GET /api/bids", NULL, SAME, true };

	play_suddenly(*state, &l);
	no_incident(*state);
}

static void the_same_where_the_server_fails(void **state)
{
	const struct load l = { 500, 600, 15, 20, "GET /api/bids", NULL, SAME, true };

	flood(*state, &l);
}

static void a_load_test(void **state)
{
	const struct load l = { 1, 900, 12, 100, "GET /hello.html", NULL, SAME, false };

	play(*state, &l);
	no_incident(*state);
}

static void one_client_whom_the_server_cannot_serve(void **state)
{
	const struct load l = { 1, 80, 15, 10, "GET /hello.html", NULL, SAME, false };

	flood(*state, &l);
}

static void caches_whose_server_fails(void **state)
{
	const struct load l = { 30, 500, 12, 10, "GET /image/", ".jpg", SAME, true };

	play(*state, &l);
	no_incident(*state);
}

static void bare_requests(void **state)
{
	const struct load l = { 4, 60, 12, 100, "GET /", NULL, "", false };

	assert_true(flood(*state, &l)->parts[0].http.mark.plain);
}

static void others_are_told_from_the_flood(void **state)
{
	struct stage *s = *state;
	const struct load l = { 1, 50, 10, 50, "GET /?n", "=1", SAME, false };
	struct made_connection other = made_connection(made_ipv4(CLIENT + 99), 1, made_ipv4(SERVER), 80);

	play(s, &l);
	assert_true(s->taken > 100);
	assert_false(show(s, made_text(&other, 0, "GET /?q=1 HTTP/1.1\r\nAccept: z\r\nHost: x\r\n\r\n")));
	assert_false(show(s, made_text(&other, 0, "GET /style.css HTTP/1.1\r\n" SAME "\r\n")));
	assert_true(show(s, made_text(&other, 0, "GET /?zz=1 HTTP/1.1\r\n" SAME "\r\n")));
}

static void a_second_wave(void **state)
{
	struct stage *s = *state;
	const struct load l = { 1, 50, 10, 50, "GET /?n", "=1", SAME, false };
	const struct incident *inc;

	play(s, &l);
	move(s, s->ns + 60 * NS_PER_S);
	play(s, &l);
	inc = only_incident(s);
	assert_int_equal(inc->waves_count, 2);
	assert_in_range(inc->packets, 950, 1000);
}

/* Those that were busy before gave their detail up, though the clock has ticked for them since. */
static void behind_many_servers_that_fell_silent(void **state)
{
	struct stage *s = *state;
	const struct load l = { 1, 10, 20, 100, "GET /?n", "=1", SAME, false };

	for (uint32_t i = 1; i <= HTTP_DETAILS_MAX; i++) {
		struct made_connection c = made_connection(made_ipv4(CLIENT), 1, made_ipv4(SERVER + i), 80);

		move(s, s->ns + 100 * NS_PER_MS);
		for (unsigned request = 0; request < HTTP_PROMOTE; request++)
			show(s, made_text(&c, 0, "GET /style.css HTTP/1.1\r\n" SAME "\r\n"));
	}
	pause_for(s, 30);
	flood(s, &l);
	assert_int_equal(http_watch_counters(s->watch).refused, 0);
}

/* One after another, each on a server that falls silent with it. */
static void more_floods_than_there_are_cases(void **state)
{
	struct stage *s = *state;
	/* In the end so slow that its pause is longer than a silent server is looked at. */
	const struct load first = { 1, 10, 10, 100, "GET /?n", "=1", SAME, false };
	const struct load then = { 1, 1, 60, 100, "GET /?n", "=1", SAME, false };

	for (uint32_t i = 0; i <= HTTP_WATCH_CASES; i++) {
		s->server = SERVER + (i << 8); /* neighbours would be one target */
		play(s, &first);
		play(s, &then);
		pause_for(s, 30);
	}
	assert_int_equal(http_watch_counters(s->watch).refused, 0);
	assert_int_equal(detector_count(s->detector), HTTP_WATCH_CASES + 1);
}

/* ------------------------------------------------------------------ slow */

struct slow {
	uint32_t connections, clients, seconds;
	const char *first;
	const char *piece; /* every two seconds; NULL: nothing */
	uint16_t window;   /* of an acknowledgement then, where there is no piece and an answer was begun */
	bool answered;
};

static void play_slowly(struct stage *s, const struct slow *l)
{
	int64_t from = s->ns;

	connect_clients(s, l->clients);
	for (uint32_t i = 0; i < l->connections; i++) {
		move(s, from + i * NS_PER_MS);
		show(s, made_text(&s->connections[i], 0, l->first));
		if (l->answered)
			show(s, made_ack(&s->connections[i], 0, 1400, l->window));
	}
	for (uint32_t t = 2; t < l->seconds; t += 2)
		for (uint32_t i = 0; i < l->connections; i++) {
			move(s, from + t * NS_PER_S + i * NS_PER_MS);
			if (l->piece)
				show(s, made_text(&s->connections[i], 0, l->piece));
			else if (l->answered)
				show(s, made_ack(&s->connections[i], 0, 0, l->window));
		}
}

static const struct incident *slow_attack(struct stage *s, const struct slow *l)
{
	const struct incident *inc;

	play_slowly(s, l);
	inc = only_incident(s);
	assert_int_equal(inc->parts_count, 1);
	assert_string_equal(vector_get(inc->parts[0].kind)->name, "slow_http");
	assert_int_equal(inc->parts[0].http.held, l->connections);
	assert_int_equal(inc->parts[0].http.held_clients, l->clients);
	assert_int_equal(inc->waves_count, 1);
	assert_int_equal(inc->packets, s->taken > inc->packets ? s->taken : inc->packets);
	return inc;
}

#define UNFINISHED "GET / HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LONG_BODY "POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"

static void headers_without_end(void **state)
{
	const struct slow l = { 40, 2, 20, UNFINISHED, "X-a: b\r\n", 0, false };
	const struct incident *inc = slow_attack(*state, &l);

	assert_int_equal(inc->packets, 40 * 10);
	assert_int_equal(inc->began.ns, BEGAN);
	assert_true(inc->open);
}

static void too_few_to_say(void **state)
{
	const struct slow l = { 18, 2, 40, UNFINISHED, "X-a: b\r\n", 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void headers_that_end_in_time(void **state)
{
	const struct slow l = { 200, 200, 6, UNFINISHED, "\r\n", 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void waiting_for_an_answer(void **state)
{
	const struct slow l = { 300, 300, 60, UNFINISHED "\r\n", NULL, 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void bodies_octet_by_octet(void **state)
{
	const struct slow l = { 30, 30, 20, LONG_BODY, "a", 0, false };

	slow_attack(*state, &l);
}

static void uploads_that_stall(void **state)
{
	const struct slow l = { 100, 100, 60, LONG_BODY, NULL, 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void chunks_octet_by_octet(void **state)
{
	const struct slow l = { 30, 2, 20, CHUNKED, "1\r\na\r\n", 0, false };
	const struct incident *inc = slow_attack(*state, &l);

	assert_int_equal(inc->parts[0].http.held_by, HTTP_DRIBBLE);
}

/* A program that streams what it measures has one connection, and is silent for long. */
static void streams_that_have_little_to_say(void **state)
{
	const struct slow l = { 100, 100, 60, CHUNKED, "1\r\n\n\r\n", 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

/* Many behind one address, with a line now and then. */
static void streams_of_short_lines(void **state)
{
	const struct slow l = { 100, 1, 60, CHUNKED, "1f\r\n{\"at\":1722500000,\"load\":0.07}\n\r\n", 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void chunked_uploads_that_stall(void **state)
{
	const struct slow l = { 100, 4, 60, CHUNKED "1\r\na\r\n", NULL, 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void chunks_that_end(void **state)
{
	const struct slow l = { 100, 4, 60, CHUNKED "1\r\na\r\n", "0\r\n\r\n", 0, false };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void answers_not_taken(void **state)
{
	const struct slow l = { 60, 3, 20, UNFINISHED "\r\n", NULL, 0, true };

	slow_attack(*state, &l);
}

static void players_that_pause(void **state)
{
	const struct slow l = { 60, 60, 60, UNFINISHED "\r\n", NULL, 0, true };

	play_slowly(*state, &l);
	no_incident(*state);
}

static void what_the_clients_close_is_over(void **state)
{
	struct stage *s = *state;
	const struct slow l = { 40, 2, 20, UNFINISHED, "X-a: b\r\n", 0, false };
	const struct incident *inc;
	int64_t last;

	play_slowly(s, &l);
	last = s->ns;
	for (uint32_t i = 0; i < l.connections; i++)
		show(s, made_end(&s->connections[i], 0, i % 2 == 0));
	for (unsigned i = 1; i < 40; i++)
		move(s, last + i * NS_PER_S);
	inc = only_incident(s);
	assert_false(inc->open);
	assert_int_equal(inc->ended.ns, last);
}

static void after_the_clock_was_set(void **state)
{
	struct stage *s = *state;
	const struct slow l = { 40, 2, 20, UNFINISHED, "X-a: b\r\n", 0, false };

	play_slowly(s, &l);
	detector_break(s->detector, (struct capture_time){ s->ns });
	http_watch_clear(s->watch);
	s->slot = 0;
	s->ns = 5 * NS_PER_S;
	play_slowly(s, &l);
	http_watch_finish(s->watch, s->detector, (struct capture_time){ s->ns });
	detector_finish(s->detector, s->tracks, s->probes, (struct capture_time){ s->ns });
	assert_int_equal(detector_count(s->detector), 2);
}

/* With the largest numbers no sentence is cut. */
static void sentences(void **state)
{
	char lines[HTTP_FACTS_MAX][HTTP_FACT_SIZE];
	struct http_facts facts = { .requests = UINT64_MAX,
		                    .clients = UINT64_MAX,
		                    .seconds = UINT32_MAX,
		                    .distinct = UINT64_MAX,
		                    .failing = true,
		                    .times = UINT32_MAX };

	(void)state;
	for (unsigned likeness = HTTP_UNLIKE; likeness <= HTTP_RANDOM_VALUES; likeness++) {
		for (unsigned bits = 0; bits < 8; bits++) {
			unsigned count;

			facts.mark = (struct http_mark){ .likeness = (enum http_likeness)likeness,
				                         .order = bits & 1,
				                         .plain = bits & 2 };
			facts.failing = bits & 4;
			count = http_facts_tell(&facts, lines);
			assert_true(likeness == HTTP_UNLIKE ? count == 0
			                                    : count >= 3 - !(bits & 3) && count <= HTTP_FACTS_MAX);
			for (unsigned i = 0; i < count; i++)
				assert_in_range(strlen(lines[i]), 10, HTTP_FACT_SIZE - 2);
		}
	}
	facts = (struct http_facts){ .held = UINT32_MAX, .held_clients = UINT32_MAX };
	for (unsigned by = HTTP_HEADER; by < HTTP_STATES; by++) {
		facts.held_by = (enum http_state)by;
		assert_int_equal(http_facts_tell(&facts, lines), 2);
		assert_in_range(strlen(lines[1]), 10, HTTP_FACT_SIZE - 2);
	}
}

int main(void)
{
#define ON_STAGE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON_STAGE(random_names),
		ON_STAGE(found_without_memory),
		ON_STAGE(random_values_are_what_programs_ask_for),
		ON_STAGE(random_values_of_a_crowd_that_repeats_itself),
		ON_STAGE(machines_in_step),
		ON_STAGE(machines_of_more_than_one_make),
		ON_STAGE(a_crowd_that_polls),
		ON_STAGE(proxies_that_open_a_connection_for_each),
		ON_STAGE(proxies_that_keep_theirs),
		ON_STAGE(a_crowd_behind_few_addresses),
		ON_STAGE(bots_that_ask_twice_a_second),
		ON_STAGE(a_crowd_that_polls_of_a_sudden),
		ON_STAGE(the_same_where_the_server_fails),
		ON_STAGE(a_load_test),
		ON_STAGE(one_client_whom_the_server_cannot_serve),
		ON_STAGE(caches_whose_server_fails),
		ON_STAGE(bare_requests),
		ON_STAGE(others_are_told_from_the_flood),
		ON_STAGE(a_second_wave),
		ON_STAGE(behind_many_servers_that_fell_silent),
		ON_STAGE(more_floods_than_there_are_cases),
		ON_STAGE(headers_without_end),
		ON_STAGE(too_few_to_say),
		ON_STAGE(headers_that_end_in_time),
		ON_STAGE(waiting_for_an_answer),
		ON_STAGE(bodies_octet_by_octet),
		ON_STAGE(uploads_that_stall),
		ON_STAGE(chunks_octet_by_octet),
		ON_STAGE(streams_that_have_little_to_say),
		ON_STAGE(streams_of_short_lines),
		ON_STAGE(chunked_uploads_that_stall),
		ON_STAGE(chunks_that_end),
		ON_STAGE(answers_not_taken),
		ON_STAGE(players_that_pause),
		ON_STAGE(what_the_clients_close_is_over),
		ON_STAGE(after_the_clock_was_set),
		cmocka_unit_test(sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
