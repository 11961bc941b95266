/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery to subscribers, with a post office that is faked: what is sent to whom, how much at a time, what becomes of
 * it, and what a deliverer that dies leaves to the next. Real web and mail servers are tests/cli/subscription.py's.
 */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/deliver.h"
#include "record/components.h"
#include "tell/post.h"

#define START_NS (1764230400LL * NS_PER_S)
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

/* ---- the post office ---- */

/* What was given to it, and is under way until the test says what became of it. */
static struct parcel {
	uint64_t token;
	bool mail;
	char to[256], id[96], text[16384];
} parcels[POST_MAX];
static unsigned parcels_count;
static struct post_result ended[POST_MAX];
static unsigned ended_count, sent;
static bool post_is_there;

int post_new(struct post **post)
{
	static int office;

	*post = (struct post *)(void *)&office;
	return post_is_there ? 0 : -ENOSYS;
}

void post_free(struct post *post)
{
	(void)post;
	parcels_count = ended_count = 0;
}

static struct parcel *take(uint64_t token, const char *octets, size_t length)
{
	struct parcel *parcel = &parcels[parcels_count++];

	assert_true(parcels_count <= POST_MAX);
	*parcel = (struct parcel){ .token = token };
	(void)snprintf(parcel->text, sizeof(parcel->text), "%.*s", (int)length, octets);
	sent++;
	return parcel;
}

int post_send(struct post *post, const struct alert_request *request, uint64_t token)
{
	struct parcel *parcel = take(token, request->body, request->length);

	(void)post;
	(void)snprintf(parcel->to, sizeof(parcel->to), "%.200s", request->url);
	(void)snprintf(parcel->id, sizeof(parcel->id), "%.*s", (int)strcspn(request->headers, "\n"), request->headers);
	assert_non_null(strstr(request->headers, "\nwebhook-signature: v1,"));
	return 0;
}

int post_send_mail(struct post *post, const struct post_mail *mail, uint64_t token)
{
	struct parcel *parcel = take(token, mail->octets, mail->length);
	const char *id = strstr(parcel->text, "Message-ID:");

	(void)post;
	parcel->mail = true;
	(void)snprintf(parcel->to, sizeof(parcel->to), "%.200s", mail->to);
	assert_non_null(id);
	(void)snprintf(parcel->id, sizeof(parcel->id), "%.*s", (int)strcspn(id, "\r"), id);
	assert_string_equal(mail->password, "secret");
	assert_true(mail->starttls);
	return 0;
}

int post_wait(struct post *post, struct pollfd *fds, unsigned count, int timeout_ms)
{
	(void)post;
	(void)fds;
	(void)count;
	(void)timeout_ms;
	return 0;
}

bool post_next(struct post *post, struct post_result *result)
{
	(void)post;
	if (ended_count == 0)
		return false;
	*result = ended[--ended_count];
	return true;
}

/* What is under way ends so. */
static void end_all(int result, unsigned status, bool reached)
{
	for (unsigned i = 0; i < parcels_count; i++) {
		ended[i] = (struct post_result){
			.token = parcels[i].token, .result = result, .status = status, .reached = reached
		};
		if (result != 0)
			(void)snprintf(ended[i].what, sizeof(ended[i].what), "answered %u", status);
	}
	ended_count = parcels_count;
	parcels_count = 0;
}

/* ---- the stage ---- */

static char folder[64], path[96];
static struct ledger *ledger;
static struct record_error error;
static struct config config;
static struct config_webhook hooks[5];
static struct deliver_secrets secrets;
static struct deliver *deliver;
static int64_t now_ns;

static int remove_one(const char *name, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(name);
}

static void add_component(const char *id)
{
	struct component component = { .showcase = true,
		                       .name = { id, id },
		                       .description = { "", "" },
		                       .added_ns = START_NS,
		                       .updated_ns = START_NS };

	(void)snprintf(component.id, sizeof(component.id), "%s", id);
	assert_int_equal(component_add(ledger, &component, &error), 0);
}

static int begin(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_deliver.XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/holdfast.db", folder);
	assert_int_equal(ledger_open(path, true, &ledger, &error), 0);
	add_component("web");
	add_component("api");
	assert_int_equal(config_init(&config), 0);
	(void)snprintf(config.state_dir, sizeof(config.state_dir), "%s", folder);
	(void)snprintf(config.page.title[LANGUAGE_EN], sizeof(config.page.title[0]), "Example");
	(void)snprintf(config.page.url, sizeof(config.page.url), "https://status.example.org/");
	(void)snprintf(config.mail.smtp, sizeof(config.mail.smtp), "smtp://mail.example.org");
	(void)snprintf(config.mail.from, sizeof(config.mail.from), "status@example.org");
	memset(hooks, 0, sizeof(hooks));
	memset(&secrets, 0, sizeof(secrets));
	(void)snprintf(secrets.password, sizeof(secrets.password), "secret");
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(hooks[i].name, sizeof(hooks[i].name), "hook%u", i);
		(void)snprintf(hooks[i].url, sizeof(hooks[i].url), "https://%s/%u",
		               i < 3 ? "one.example.org" : "two.example.org:8443", i);
		assert_int_equal(webhook_secret_read(SECRET, &secrets.webhooks[i]), 0);
	}
	post_is_there = true;
	sent = 0;
	now_ns = START_NS;
	return 0;
}

static void hire(unsigned webhooks)
{
	config.webhooks = hooks;
	config.webhook_count = webhooks;
	assert_int_equal(deliver_new(&config, ledger, &secrets, 7, now_ns, &deliver, &error), 0);
}

static int end(void **state)
{
	(void)state;
	deliver_free(deliver);
	deliver = NULL;
	config.webhooks = NULL;
	config.webhook_count = 0;
	config_fini(&config);
	ledger_close(ledger);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void turn(void)
{
	if (deliver_turn(deliver, now_ns, 0, &error) != 0)
		fail_msg("%s", error.message);
}

/* A second later the component is that. */
static void set(const char *id, enum component_status status)
{
	struct component_state one = { .status = status, .cause = "", .added_by = "test" };

	now_ns += NS_PER_S;
	one.added_ns = now_ns;
	(void)snprintf(one.component, sizeof(one.component), "%s", id);
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), 0);
}

static void add_mail(const char *address, const char *components)
{
	const struct subscriber who = {
		.name = address, .lang = "en", .components = components, .nonce = "", .added_by = "test"
	};
	uint64_t id;

	assert_int_equal(subscriptions_add(ledger, &who, now_ns, &id, &error), 0);
}

static int count_state(void *context, const struct delivery *one)
{
	unsigned *counts = context;

	counts[one->state]++;
	return 0;
}

static unsigned in_state(enum delivery_state state)
{
	unsigned counts[DELIVERY_STATES] = { 0 };

	assert_int_equal(subscriptions_deliveries_each(ledger, DELIVERY_STATES, count_state, counts, &error), 0);
	return counts[state];
}

/* ---- tests ---- */

static void each_gets_what_concerns_them(void **state)
{
	(void)state;
	(void)snprintf(hooks[1].components, sizeof(hooks[1].components), "api,mail");
	hire(2);
	add_mail("ann@example.org", "api");
	add_mail("bob@example.org", "web");
	turn();
	assert_int_equal(sent, 0);
	set("web", COMPONENT_MAJOR_OUTAGE);
	turn();
	assert_int_equal(sent, 2); /* hook0, who wants all, and bob */
	assert_int_equal(deliver_busy(deliver), 2);
	for (unsigned i = 0; i < 2; i++)
		if (parcels[i].mail) {
			assert_string_equal(parcels[i].to, "bob@example.org");
			assert_non_null(strstr(parcels[i].text, "/unsubscribe?token=e"));
		} else {
			assert_string_equal(parcels[i].to, "https://one.example.org/0");
			assert_non_null(strstr(parcels[i].text, "\"new_status\": \"major_outage\""));
		}
	end_all(0, 200, true);
	turn();
	assert_int_equal(deliver_busy(deliver), 0);
	assert_int_equal(deliver_counts(deliver).sent, 2);
	assert_int_equal(deliver_counts(deliver).spared, 2);
	assert_int_equal(in_state(DELIVERY_SENT), 2);
	now_ns += 86400 * NS_PER_S;
	turn();
	assert_int_equal(sent, 2);
}

static void so_many_at_a_time(void **state)
{
	(void)state;
	hire(5);
	for (unsigned i = 0; i < 9; i++) {
		char address[32];

		(void)snprintf(address, sizeof(address), "a%u@example.org", i);
		add_mail(address, "");
	}
	set("web", COMPONENT_DEGRADED);
	set("web", COMPONENT_OPERATIONAL);
	turn();
	assert_int_equal(deliver_busy(deliver), 4 + DELIVER_MAIL_MAX); /* of each host two; of each subscriber one */
	for (unsigned i = 0; i < parcels_count; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(parcels[i].to, parcels[k].to);
	for (unsigned turns = 0; turns < 20 && (in_state(DELIVERY_QUEUED) || parcels_count); turns++) {
		end_all(0, 200, true);
		turn();
	}
	assert_int_equal(sent, 2 * (5 + 9));
	assert_int_equal(in_state(DELIVERY_SENT), 2 * (5 + 9));
}

/* Who has no more time waits for what is under way, and begins nothing. */
static void only_what_is_under_way(void **state)
{
	(void)state;
	hire(1);
	set("web", COMPONENT_DEGRADED);
	set("web", COMPONENT_OPERATIONAL);
	turn();
	assert_int_equal(deliver_busy(deliver), 1);
	end_all(0, 200, true);
	assert_int_equal(deliver_wait(deliver, now_ns, 0, &error), 0);
	assert_int_equal(deliver_busy(deliver), 0);
	assert_int_equal(in_state(DELIVERY_SENT), 1);
	assert_int_equal(in_state(DELIVERY_QUEUED), 1);
	assert_int_equal(deliver_wait(deliver, now_ns, 0, &error), 0);
	assert_int_equal(sent, 1);
}

static void what_fails_waits_and_dies(void **state)
{
	static const struct {
		int result;
		unsigned status;
		enum delivery_state becomes;
	} rows[] = {
		{ -EAGAIN, 500, DELIVERY_QUEUED }, { -EAGAIN, 0, DELIVERY_QUEUED }, { -EPERM, 410, DELIVERY_DEAD },
		{ -EPERM, 0, DELIVERY_DEAD },      { 0, 204, DELIVERY_SENT },
	};
	unsigned attempts = 0;

	(void)state;
	hire(1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned before;

		set("web", i % 2 ? COMPONENT_OPERATIONAL : COMPONENT_DEGRADED);
		before = in_state(rows[i].becomes);
		turn();
		assert_int_equal(deliver_busy(deliver), 1);
		end_all(rows[i].result, rows[i].status, true);
		turn();
		assert_int_equal(in_state(rows[i].becomes), before + 1);
		now_ns += 2 * 86400 * NS_PER_S;
		for (turn(); deliver_busy(deliver); turn()) /* what waits goes */
			end_all(0, 200, true);
		assert_int_equal(in_state(DELIVERY_QUEUED), 0);
	}
	/* A server that never takes it: after pauses that grow, and not for ever. */
	set("web", COMPONENT_MAJOR_OUTAGE);
	for (turn(); in_state(DELIVERY_QUEUED) + deliver_busy(deliver); turn()) {
		int64_t next_ns;

		if (deliver_busy(deliver)) {
			attempts++;
			end_all(-EAGAIN, 503, true);
			continue;
		}
		assert_int_equal(subscriptions_next(ledger, &next_ns, &error), 0);
		assert_true(next_ns > now_ns);
		now_ns = next_ns;
	}
	assert_true(attempts > 5 && attempts <= SUBSCRIPTIONS_ATTEMPTS);
	assert_int_equal(in_state(DELIVERY_DEAD), 3);
}

static void a_mail_server_that_is_down_delays_all_mail(void **state)
{
	(void)state;
	hire(1);
	add_mail("ann@example.org", "");
	add_mail("bob@example.org", "");
	set("web", COMPONENT_DEGRADED);
	set("web", COMPONENT_OPERATIONAL);
	turn();
	assert_int_equal(deliver_busy(deliver), 3);
	end_all(-EAGAIN, 0, false);
	turn();
	turn();
	assert_int_equal(deliver_busy(deliver), 0); /* what came second waits, too: the same servers have just failed */
	now_ns += 3600 * NS_PER_S;
	turn();
	assert_int_equal(deliver_busy(deliver), 3);
	/* One box that is refused for good is nobody else's matter. */
	for (unsigned i = 0; i < parcels_count; i++)
		if (strcmp(parcels[i].to, "bob@example.org") == 0) {
			struct parcel bob = parcels[i];

			parcels[i] = parcels[parcels_count - 1];
			parcels[parcels_count - 1] = bob;
		}
	end_all(0, 250, true);
	ended[ended_count - 1].result = -EPERM;
	ended[ended_count - 1].status = 550;
	turn();
	assert_int_equal(in_state(DELIVERY_DEAD), 1);
	assert_int_equal(in_state(DELIVERY_SENT), 2);
	turn();
	assert_int_equal(deliver_busy(deliver), 3);
}

static void who_dies_leaves_it_to_the_next(void **state)
{
	char ids[2][96];
	struct deliver *other;

	(void)state;
	hire(1);
	add_mail("ann@example.org", "");
	set("web", COMPONENT_DEGRADED);
	turn();
	assert_int_equal(deliver_busy(deliver), 2);
	assert_int_equal(deliver_new(&config, ledger, &secrets, 7, now_ns, &other, &error), -EALREADY);
	for (unsigned i = 0; i < 2; i++)
		memcpy(ids[parcels[i].mail], parcels[i].id, sizeof(ids[0]));
	deliver_free(deliver); /* nobody knows what became of them */
	assert_int_equal(in_state(DELIVERY_SENDING), 2);
	hire(1);
	assert_int_equal(deliver_counts(deliver).repeats, 2);
	turn();
	assert_int_equal(deliver_busy(deliver), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(parcels[i].id, ids[parcels[i].mail]);
	end_all(0, 200, true);
	turn();
	deliver_free(deliver);
	hire(1);
	assert_int_equal(deliver_counts(deliver).repeats, 0);
	turn();
	assert_int_equal(sent, 4);
}

static void what_is_configured_no_more(void **state)
{
	unsigned tries = 0;

	(void)state;
	hire(2);
	add_mail("ann@example.org", "");
	set("web", COMPONENT_DEGRADED);
	deliver_free(deliver);
	config.mail.smtp[0] = '\0';
	hire(1); /* hook1 has left, before it was told */
	turn();
	assert_int_equal(sent, 1);
	assert_string_equal(parcels[0].to, "https://one.example.org/0");
	end_all(0, 200, true);
	turn();
	assert_int_equal(in_state(DELIVERY_QUEUED), 1); /* ann's waits for a mail server */
	deliver_free(deliver);
	(void)snprintf(config.mail.smtp, sizeof(config.mail.smtp), "smtp://mail.example.org");
	hire(1);
	now_ns += 3600 * NS_PER_S;
	turn();
	assert_int_equal(sent, 2);
	assert_string_equal(parcels[0].to, "ann@example.org");
	end_all(0, 250, true);
	turn();
	/* For which there is no server does not wait for ever either. */
	deliver_free(deliver);
	config.mail.smtp[0] = '\0';
	hire(1);
	set("web", COMPONENT_OPERATIONAL);
	for (turn(); in_state(DELIVERY_QUEUED) + deliver_busy(deliver); turn(), tries++) {
		int64_t next_ns;

		end_all(0, 200, true);
		assert_int_equal(subscriptions_next(ledger, &next_ns, &error), 0);
		now_ns = next_ns < INT64_MAX && next_ns > now_ns ? next_ns : now_ns;
		assert_true(tries < 2 * SUBSCRIPTIONS_ATTEMPTS);
	}
	assert_int_equal(in_state(DELIVERY_DEAD), 1);
	deliver_free(deliver);
	deliver = NULL;
	post_is_there = false;
	assert_int_equal(deliver_new(&config, ledger, &secrets, 7, now_ns, &deliver, &error), -ENOSYS);
	assert_non_null(strstr(error.message, "libcurl"));
}

static void works(void **state)
{
	struct component_works planned = {
		.components = "web", .name = { "New disks", "Nouveaux disques" }, .text = { "", "" }, .added_by = "test"
	};
	char id[LEDGER_ID_SIZE];

	(void)state;
	(void)snprintf(hooks[0].lang, sizeof(hooks[0].lang), "fr");
	(void)snprintf(hooks[1].components, sizeof(hooks[1].components), "api");
	hire(2);
	turn();
	planned.added_ns = now_ns += NS_PER_S;
	planned.from_ns = now_ns + 3600 * NS_PER_S;
	planned.until_ns = now_ns + 7200 * NS_PER_S;
	assert_int_equal(component_works_add(ledger, &planned, id, &error), 0);
	turn();
	assert_int_equal(sent, 1);
	assert_non_null(strstr(parcels[0].text, "\"name\": \"Nouveaux disques\""));
	assert_non_null(strstr(parcels[0].text, "\"status\": \"scheduled\""));
	/* While the server was away they have begun: that is told, and that they were planned is told no more. */
	end_all(-EAGAIN, 503, true);
	turn();
	now_ns = planned.from_ns;
	turn();
	assert_int_equal(deliver_busy(deliver), 1);
	assert_non_null(strstr(parcels[0].text, "\"status\": \"in_progress\""));
	end_all(0, 200, true);
	turn();
	assert_int_equal(sent, 2);
	/* Ended before their time. */
	now_ns += 60 * NS_PER_S;
	assert_int_equal(component_works_cancel(ledger, id, now_ns, "test", &error), 0);
	turn();
	assert_non_null(strstr(parcels[0].text, "\"status\": \"completed\""));
	end_all(0, 200, true);
	turn();
	now_ns = planned.until_ns + NS_PER_S;
	turn();
	assert_int_equal(sent, 3);
	assert_int_equal(in_state(DELIVERY_SENT), 2);
}

static void keys(void **state)
{
	char said[CONFIG_ERROR_SIZE], lines[96];
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "secret\n" SECRET "\n" SECRET "\n", true },
		{ "secret\n" SECRET "\n", false },
		{ "secret\n" SECRET "\nwhsec_short\n", false },
		{ "\n" SECRET "\n" SECRET "\n", false },
		{ "", false },
	};

	(void)state;
	config.webhooks = hooks;
	config.webhook_count = 2;
	(void)snprintf(config.mail.password_file, sizeof(config.mail.password_file), "%s/password", folder);
	(void)snprintf(hooks[0].secret_file, sizeof(hooks[0].secret_file), "%s/none", folder);
	(void)snprintf(lines, sizeof(lines), "%s/lines", folder);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *out = fopen(lines, "w");

		assert_non_null(out);
		assert_true(fputs(rows[i].text, out) >= 0 && fclose(out) == 0);
		said[0] = '\0';
		assert_int_equal(deliver_secrets_read(&config, lines, &secrets, said) == 0, rows[i].good);
		assert_true(rows[i].good || strstr(said, "line for each key") || strstr(said, "is no secret"));
		assert_null(strstr(said, "MfKQ9"));
		if (rows[i].good)
			assert_string_equal(secrets.password, "secret");
	}
	assert_true(deliver_secrets_read(&config, "/nonexistent", &secrets, said) < 0);
	assert_true(deliver_secrets_read(&config, NULL, &secrets, said) < 0);
	assert_non_null(strstr(said, "password"));
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(each_gets_what_concerns_them),
		STAGED(so_many_at_a_time),
		STAGED(only_what_is_under_way),
		STAGED(what_fails_waits_and_dies),
		STAGED(a_mail_server_that_is_down_delays_all_mail),
		STAGED(who_dies_leaves_it_to_the_next),
		STAGED(what_is_configured_no_more),
		STAGED(works),
		STAGED(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
