/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast subscription: who is told of what is published, and what became of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "daemon/deliver.h"
#include "record/subscriptions.h"
#include "tell/build.h"
#include "tell/language.h"
#include "tell/mail.h"

#define SCHEMA "holdfast.subscriptions/1"
#define TURN_MS 200

#define OF_SIZE 64 /* what a delivery is of, as it is listed */

struct options {
	const char *config, *record, *verb, *what;
	const char *lang, *components, *secrets;
	struct option_duration patience;
	bool confirmed, all, json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "VERB", OPTION_INTO(struct options, verb), .help = "add, list, remove, confirm, leave, deliver, dead or retry",
	  .missing = "say what to do: add, list, remove, confirm, leave, deliver, dead or retry" },
	{ .value = "WHAT", OPTION_INTO(struct options, what), .help = "add: an address; remove: an address, or a subscriber's number; confirm, leave: a mail's token; retry: a delivery's number, or all" },
	{ .name = "lang", .value = "LANG", OPTION_INTO(struct options, lang), .help = "add: en or fr; else the first of page.languages" },
	{ .name = "components", .value = "ID,...", OPTION_INTO(struct options, components), .help = "add: only what concerns these" },
	{ .name = "confirmed", OPTION_INTO(struct options, confirmed), .help = "add: they have asked for it already; no question is sent" },
	{ .name = "for", .value = "TIME", OPTION_INTO(struct options, patience), .help = "deliver: how long to go on with what is due; else 60s",
	  .minimum = NS_PER_S, .maximum = 3600 * NS_PER_S },
	{ .name = "secrets", .value = "FILE", OPTION_INTO(struct options, secrets),
	  .help = "deliver: the keys that the configuration names files for, a line each in its order: mail's, then webhooks'" },
	{ .name = "all", OPTION_INTO(struct options, all), .help = "list: those who left too; dead: all deliveries, whatever became of them" },
	{ .name = "json", OPTION_INTO(struct options, json), .help = "as JSON (" SCHEMA ")" },
	BOOKS_RECORD_ROW(struct options),
	PLACE_CONFIG_ROW(struct options),
};

static const struct option_table table = {
	.command = "subscription",
	.synopsis = "add ADDRESS [--confirmed] | list [--all] | remove WHAT | confirm|leave TOKEN | deliver [--for TIME] | dead [--all] | retry ID|all",
	.purpose =
		"Who is told when something is published: addresses of mail, and the web servers that `webhooks:` names. 'add' sends a question\n"
		"first, whose answer makes a subscriber. 'deliver' sends what is due now, needs no daemon, and can be called as often as one\n"
		"likes: what was sent is not sent again, and what was not is tried again after pauses that double. 'dead' lists what was given\n"
		"up; 'retry' puts it back into the queue.\n",
	.notes =
		"Exit status: 0 done, 1 it cannot be read, written or sent, 2 wrong usage, 4 deliver: something is dead.\n"
		"\n"
		"Example:\n"
		"  holdfast subscription add someone@example.org --lang fr\n"
		"  holdfast subscription deliver\n"
		"  holdfast subscription dead\n",
	OPTION_ROWS(rows),
};
/* clang-format on */

/* -ENOENT and the like have a message of the ledger's own here: it is not the record that is missing. */
static int refuse(const struct books *books, int result, const struct record_error *error)
{
	if (result != -ENOENT || !error->message[0])
		return books_refuse(books, result, error);
	say_error("subscription", "%s%s%s", error->message, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

static const char *moment(int64_t ns, char text[TIME_TEXT_SIZE])
{
	return ns ? time_format((struct capture_time){ ns / NS_PER_S * NS_PER_S }, text) : "";
}

static bool number_of(const char *text, uint64_t *number)
{
	char *end;

	if (!text[0] || strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
		return false;
	*number = strtoull(text, &end, 10);
	return *number != 0;
}

/* ---- add, remove ---- */

static int put(struct books *books, const struct options *options, const struct subscriber *who)
{
	struct record_error error = { .message = "" };
	bool queued = false;
	uint64_t id;
	int result = options->confirmed ? subscriptions_add(books->ledger, who, books_now(), &id, &error)
	                                : subscriptions_ask(books->ledger, who, books_now(), &queued, &error);

	if (result != 0)
		return refuse(books, result, &error);
	if (options->confirmed)
		(void)printf("%s is subscriber %llu\n", who->name, (unsigned long long)id);
	else if (queued)
		(void)printf("%s is asked by mail; 'holdfast subscription deliver' sends it, unless the daemon does\n",
		             who->name);
	else
		(void)printf("%s is a subscriber, or was asked lately; nothing is sent\n", who->name);
	return output_finish();
}

static int add(const struct options *options)
{
	char address[MAIL_ADDRESS_SIZE], user[BOOKS_NAME_SIZE];
	enum language language = LANGUAGE_EN;
	struct config config;
	struct books books;
	int status;

	if (mail_address_read(options->what, false, address) != 0)
		return options_refuse(
			&table, "'%.80s' is no address of mail; web servers are named in the configuration: webhooks",
			options->what);
	if (options->components && !subscriptions_components_ok(options->components))
		return options_refuse(
			&table,
			"--components wants IDs with commas between, as 'holdfast page component list' has them");
	status = place_configuration("subscription", options->config, &config);
	if (status != COMMAND_DONE)
		return status;
	if (config.page.language_count)
		language = config.page.languages[0];
	config_fini(&config);
	if (options->lang && !language_find(options->lang, &language))
		return options_refuse(&table, "--lang wants en or fr");
	status = books_open(&books, "subscription", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	status = put(&books, options,
	             &(struct subscriber){ .kind = SUBSCRIBER_MAIL,
	                                   .name = address,
	                                   .lang = language_code(language),
	                                   .components = options->components ? options->components : "",
	                                   .nonce = "",
	                                   .added_by = books_user(user) });
	books_close(&books);
	return status;
}

struct seeking {
	const char *name;
	uint64_t id;
};

static int seek(void *context, const struct subscriber *one)
{
	struct seeking *seeking = context;

	if (strcmp(one->name, seeking->name) == 0)
		seeking->id = one->id;
	return 0;
}

static int remove_one(const struct options *options)
{
	struct record_error error = { .message = "" };
	char address[MAIL_ADDRESS_SIZE];
	struct seeking seeking = { .name = options->what };
	struct books books;
	int status, result = 0;

	if (mail_address_read(options->what, false, address) == 0)
		seeking.name = address;
	status = books_open(&books, "subscription", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	if (!number_of(options->what, &seeking.id))
		result = subscriptions_each(books.ledger, false, seek, &seeking, &error);
	if (result == 0)
		result = subscriptions_remove(books.ledger, seeking.id, books_now(), &error);
	if (result != 0) {
		status = refuse(&books, result, &error);
	} else {
		(void)printf("subscriber %llu is gone, and the address erased\n", (unsigned long long)seeking.id);
		status = output_finish();
	}
	books_close(&books);
	return status;
}

/* What the links in mails do, for one who has no public role, or was called by telephone. */
static int answer(const struct options *options)
{
	struct record_error error = { .message = "" };
	bool confirm = strcmp(options->verb, "confirm") == 0;
	struct subscriptions_key key;
	struct config config;
	struct books books;
	int status = place_configuration("subscription", options->config, &config), result;

	if (status != COMMAND_DONE)
		return status;
	status = books_open(&books, "subscription", options->config, options->record, true);
	if (status != COMMAND_DONE) {
		config_fini(&config);
		return status;
	}
	result = subscriptions_key_open(config.state_dir, &key, &error);
	config_fini(&config);
	if (result == 0)
		result = confirm ? subscriptions_confirm(books.ledger, &key, options->what, books_now(), NULL, &error)
		                 : subscriptions_leave(books.ledger, &key, options->what, books_now(), NULL, &error);
	explicit_bzero(&key, sizeof(key));
	if (result != 0) {
		status = refuse(&books, result, &error);
	} else {
		(void)puts(confirm ? "confirmed" : "gone, and the address erased");
		status = output_finish();
	}
	books_close(&books);
	return status;
}

/* ---- lists ---- */

struct listing {
	json_t *list; /* NULL: lines */
	unsigned count;
};

static int list_one(void *context, const struct subscriber *one)
{
	char asked[TIME_TEXT_SIZE], confirmed[TIME_TEXT_SIZE], gone[TIME_TEXT_SIZE];
	struct listing *listing = context;

	listing->count++;
	if (listing->list)
		return json_array_append_new(
			       listing->list,
			       json_pack("{sI ss ss so ss so ss ss ss so}", "id", (json_int_t)one->id, "kind",
		                         subscriber_kind_name(one->kind), "state", subscriber_state_name(one->state),
		                         "name", build_text(one->name, SUBSCRIPTIONS_NAME_SIZE), "lang", one->lang,
		                         "components", build_text(one->components, SUBSCRIPTIONS_COMPONENTS_SIZE),
		                         "asked", moment(one->asked_ns, asked), "confirmed",
		                         moment(one->confirmed_ns, confirmed), "gone", moment(one->gone_ns, gone),
		                         "added_by", build_text(one->added_by, LEDGER_TEXT_MAX))) == 0
		               ? 0
		               : -ENOMEM;
	if (listing->count == 1)
		(void)printf("%6s  %-8s %-10s %-4s %-22s %s\n", "", "KIND", "STATE", "LANG", "SINCE", "NAME");
	(void)printf("%6llu  %-8s %-10s %-4s %-22s %s%s%s%s\n", (unsigned long long)one->id,
	             subscriber_kind_name(one->kind), subscriber_state_name(one->state), one->lang,
	             moment(one->confirmed_ns ? one->confirmed_ns : one->asked_ns, asked), one->name,
	             one->components[0] ? " (" : "", one->components, one->components[0] ? ")" : "");
	return 0;
}

/* "s3 withdrawn", "web", "m1 begun", "question" */
static void name_subject(const struct delivery *one, char of[OF_SIZE])
{
	static const char *const stages[DELIVERY_STAGES] = { [DELIVERY_ANNOUNCED] = "announced",
		                                             [DELIVERY_BEGUN] = "begun",
		                                             [DELIVERY_ENDED] = "ended",
		                                             [DELIVERY_CALLED_OFF] = "called off" };

	switch (one->what) {
	case DELIVERY_STATEMENT:
		(void)snprintf(of, OF_SIZE, "s%llu%s", (unsigned long long)one->statement,
		               one->withdrawn ? " withdrawn" : "");
		break;
	case DELIVERY_WORKS:
		(void)snprintf(of, OF_SIZE, "m%llu %s", (unsigned long long)one->works, stages[one->stage]);
		break;
	case DELIVERY_STATE:
		(void)snprintf(of, OF_SIZE, "%s", one->component);
		break;
	case DELIVERY_QUESTION:
	case DELIVERY_WHATS:
		(void)snprintf(of, OF_SIZE, "%s", delivery_what_name(DELIVERY_QUESTION));
		break;
	}
}

static int show_delivery(void *context, const struct delivery *one)
{
	char queued[TIME_TEXT_SIZE], next[TIME_TEXT_SIZE], done[TIME_TEXT_SIZE], of[OF_SIZE];
	struct listing *listing = context;

	listing->count++;
	name_subject(one, of);
	if (listing->list)
		return json_array_append_new(listing->list,
		                             json_pack("{sI sI so ss ss ss sI sI ss ss ss so}", "id",
		                                       (json_int_t)one->id, "subscriber", (json_int_t)one->to.id,
		                                       "name", build_text(one->to.name, SUBSCRIPTIONS_NAME_SIZE),
		                                       "what", delivery_what_name(one->what), "of", of, "state",
		                                       delivery_state_name(one->state), "attempts",
		                                       (json_int_t)one->attempts, "repeats", (json_int_t)one->repeats,
		                                       "queued", moment(one->queued_ns, queued), "next",
		                                       moment(one->state == DELIVERY_QUEUED ? one->next_ns : 0, next),
		                                       "done", moment(one->done_ns, done), "error",
		                                       build_text(one->error, SUBSCRIPTIONS_ERROR_MAX))) == 0
		               ? 0
		               : -ENOMEM;
	if (listing->count == 1)
		(void)printf("%6s  %-8s %-20s %5s  %-20s %s\n", "", "STATE", "OF", "TRIED", "LAST", "TO");
	(void)printf("%6llu  %-8s %-20s %5u  %-20s %s\n", (unsigned long long)one->id, delivery_state_name(one->state),
	             of, one->attempts, one->error, one->to.name);
	return 0;
}

static int list(const struct options *options)
{
	bool dead = strcmp(options->verb, "dead") == 0;
	struct listing listing = { .list = options->json ? json_array() : NULL };
	struct record_error error = { .message = "" };
	struct books books;
	int status = books_open(&books, "subscription", options->config, options->record, false), result;

	if (status != COMMAND_DONE) {
		json_decref(listing.list);
		return status;
	}
	result = dead ? subscriptions_deliveries_each(books.ledger, options->all ? DELIVERY_STATES : DELIVERY_DEAD,
	                                              show_delivery, &listing, &error)
	              : subscriptions_each(books.ledger, options->all, list_one, &listing, &error);
	books_close(&books);
	if (result != 0) {
		json_decref(listing.list);
		return books_refuse(&books, result, &error);
	}
	if (options->json)
		return order_print_json(SCHEMA, json_pack("{so}", dead ? "deliveries" : "subscribers", listing.list));
	if (!listing.count)
		(void)puts(
			!dead ? "nobody is told: 'holdfast subscription add' asks an address, `webhooks:` names web servers"
			: options->all ? "nothing was to be delivered so far"
				       : "nothing was given up");
	return output_finish();
}

/* ---- deliver, retry ---- */

static int run(struct deliver *deliver, struct books *books, int64_t until_ns)
{
	struct record_error error = { .message = "" };
	struct deliver_counts counts;
	int64_t next_ns = 0, now_ns = books_now();
	bool more = true;
	int result = 0;

	/* With one turn at least, and until nothing is due; what is under way then is waited for, which is bounded. */
	do {
		result = more ? deliver_turn(deliver, now_ns, TURN_MS, &error)
		              : deliver_wait(deliver, now_ns, TURN_MS, &error);
		if (result == 0)
			result = subscriptions_next(books->ledger, &next_ns, &error);
		now_ns = books_now();
		more = now_ns < until_ns;
	} while (result == 0 && (deliver_busy(deliver) || (next_ns <= now_ns && more)));
	if (result != 0)
		return books_refuse(books, result, &error);
	counts = deliver_counts(deliver);
	(void)printf("%llu sent, %llu to be tried again, %llu given up, %llu not needed",
	             (unsigned long long)counts.sent, (unsigned long long)counts.again, (unsigned long long)counts.dead,
	             (unsigned long long)counts.spared);
	if (counts.repeats)
		(void)printf("; %llu may have gone out twice, for the one who sent them died",
		             (unsigned long long)counts.repeats);
	(void)putchar('\n');
	if (counts.dead)
		say_error("subscription", "%llu given up; 'holdfast subscription dead' lists them",
		          (unsigned long long)counts.dead);
	return output_finish() != COMMAND_DONE ? COMMAND_BAD : counts.dead ? COMMAND_DUE : COMMAND_DONE;
}

static int begin(struct books *books, const struct options *options, const struct config *config,
                 const struct deliver_secrets *secrets)
{
	struct record_error error = { .message = "" };
	struct deliver *deliver;
	int64_t now_ns = books_now();
	int result = deliver_new(config, books->ledger, secrets, (uint64_t)now_ns ^ (uint64_t)getpid(), now_ns,
	                         &deliver, &error);
	int status;

	if (result == -EALREADY) {
		(void)puts("somebody else is delivering: what is due goes out there");
		return output_finish();
	}
	if (result != 0)
		return books_refuse(books, result, &error);
	status = run(deliver, books, now_ns + options->patience.ns);
	deliver_free(deliver);
	return status;
}

static int deliver_all(const struct options *options)
{
	static struct deliver_secrets secrets;
	char error[CONFIG_ERROR_SIZE];
	struct config config;
	struct books books;
	int status = place_configuration("subscription", options->config, &config);

	if (status != COMMAND_DONE)
		return status;
	if (deliver_secrets_read(&config, options->secrets, &secrets, error) != 0) {
		say_line(error);
		status = COMMAND_BAD;
	} else {
		status = books_open(&books, "subscription", options->config, options->record, true);
	}
	if (status == COMMAND_DONE) {
		status = begin(&books, options, &config, &secrets);
		books_close(&books);
	}
	explicit_bzero(&secrets, sizeof(secrets));
	config_fini(&config);
	return status;
}

static int retry(const struct options *options)
{
	struct record_error error = { .message = "" };
	uint64_t number = 0;
	unsigned count = 0;
	struct books books;
	int status, result;

	if (strcmp(options->what, "all") != 0 && !number_of(options->what, &number))
		return options_refuse(&table, "'%.40s' is no delivery's number; 'holdfast subscription dead' has them",
		                      options->what);
	status = books_open(&books, "subscription", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	result = subscriptions_retry(books.ledger, number, books_now(), &count, &error);
	if (result != 0) {
		status = books_refuse(&books, result, &error);
	} else if (!count && number) {
		say_error("subscription",
		          "delivery %llu is not dead; 'holdfast subscription dead --all' says what it is",
		          (unsigned long long)number);
		status = COMMAND_BAD;
	} else {
		(void)printf("%u put back into the queue\n", count);
		status = output_finish();
	}
	books_close(&books);
	return status;
}

static const struct {
	const char *verb;
	bool what; /* it wants to know of what */
	int (*run)(const struct options *options);
} verbs[] = {
	{ "add", true, add },        { "list", false, list },   { "remove", true, remove_one },
	{ "confirm", true, answer }, { "leave", true, answer }, { "deliver", false, deliver_all },
	{ "dead", false, list },     { "retry", true, retry },
};

int subscription_command(int argc, char **argv)
{
	struct options options = { .patience = { 60 * NS_PER_S } };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(options.verb, verbs[i].verb) != 0)
			continue;
		if (verbs[i].what && !options.what)
			return options_refuse(&table, "'subscription %s' wants to know of what", options.verb);
		if (!verbs[i].what && options.what)
			return options_refuse(&table, "'%.40s' is one argument too many", options.what);
		return verbs[i].run(&options);
	}
	return options_refuse(
		&table,
		"no command 'subscription %.40s'; there are add, list, remove, confirm, leave, deliver, dead, retry",
		options.verb);
}
