/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is told when something is published, and what of it went to whom: in the ledger's database (record/ledger.h),
 * beside what is published, but not for good. Addresses are erased when somebody leaves.
 *
 * A subscriber is an address of mail, which asked and then confirmed, or a web server that the configuration names. He
 * is told of what is published after he came: statements published and withdrawn (rows of statement_act), changes of
 * components (rows of component_state), planned works that are announced, begin, end or are called off (rows of works,
 * and time). Of subscriber and publication there is at most one delivery, whoever makes it and however often:
 *
 *     queued ── begin (on the disk) ──► sending ── end ──► sent | spared | dead | queued again, later
 *
 * A deliverer writes "sending" before the first octet goes out, and what became of it after the last came back. One
 * that dies between leaves "sending": the next one, who alone can be at work (a lock), puts it back into the queue and
 * counts a repeat. So nothing is lost, and what may have gone out goes out again, with the same webhook-id or
 * Message-ID, by which a receiver drops it: at least once, and twice only over such a death.
 *
 * A token is not stored: it is HMAC-SHA256, by a key that is in a file of its own (SUBSCRIPTIONS_KEY_FILE), over what
 * it is for, the subscriber's number and a nonce of theirs. Who reads the database has no token.
 *
 * Times are nanoseconds since the Unix epoch; texts are UTF-8, never NULL; those given to `each` are valid during the
 * call. Functions return 0 or -errno, with the error said as the ledger's do.
 */
#ifndef HOLDFAST_RECORD_SUBSCRIPTIONS_H
#define HOLDFAST_RECORD_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "record/ledger.h"

#define SUBSCRIPTIONS_SCHEMA 7 /* the first that has these tables */

#define SUBSCRIPTIONS_KEY_FILE "/subscriptions.key"
#define SUBSCRIPTIONS_KEY_OCTETS 32
#define SUBSCRIPTIONS_NAME_SIZE 256
#define SUBSCRIPTIONS_COMPONENTS_SIZE 512
#define SUBSCRIPTIONS_LANG_SIZE 8
#define SUBSCRIPTIONS_NONCE_SIZE 33       /* 32 hexadecimal digits */
#define SUBSCRIPTIONS_DELIVERY_ID_SIZE 25 /* 24 hexadecimal digits */
#define SUBSCRIPTIONS_TOKEN_SIZE 56       /* hexadecimal digits: c or e, the subscriber's number, 32 of the hash */
#define SUBSCRIPTIONS_ERROR_MAX 160       /* octets of what went wrong */

#define SUBSCRIPTIONS_MAX 100000        /* subscribers that are not gone: more are refused */
#define SUBSCRIPTIONS_QUEUE_MAX 1000000 /* deliveries that wait: nothing more is queued until some went */

#define SUBSCRIPTIONS_ASK_NS (3600 * NS_PER_S)          /* between two questions to one address */
#define SUBSCRIPTIONS_ASKS_MAX 3                        /* questions to one address that does not answer */
#define SUBSCRIPTIONS_ASKS_AN_HOUR 200                  /* of all addresses */
#define SUBSCRIPTIONS_CONFIRM_NS (2 * 86400 * NS_PER_S) /* how long a question can be answered */
#define SUBSCRIPTIONS_FORGET_NS (7 * 86400 * NS_PER_S)  /* then who did not answer is forgotten */
#define SUBSCRIPTIONS_KEPT_NS (90 * 86400 * NS_PER_S)   /* what was sent, and who left */
#define SUBSCRIPTIONS_OLD_NS (3 * 86400 * NS_PER_S)     /* what could not be sent so long is dead */
#define SUBSCRIPTIONS_ATTEMPTS 12                       /* likewise */
#define SUBSCRIPTIONS_FIRST_PAUSE_NS (30 * NS_PER_S)    /* doubles with each attempt */
#define SUBSCRIPTIONS_LANG_NS (600 * NS_PER_S) /* what is in another language waits so long for the subscriber's own */
/* Works are looked for so long before the last look again: a row may have come late, a clock be set back. */
#define SUBSCRIPTIONS_LATE_NS (3600 * NS_PER_S)

enum subscriber_kind { SUBSCRIBER_MAIL, SUBSCRIBER_WEBHOOK, SUBSCRIBER_KINDS };
enum subscriber_state { SUBSCRIBER_ASKED, SUBSCRIBER_CONFIRMED, SUBSCRIBER_GONE, SUBSCRIBER_STATES };
enum delivery_what { DELIVERY_STATEMENT, DELIVERY_STATE, DELIVERY_WORKS, DELIVERY_QUESTION, DELIVERY_WHATS };
/* Which news of planned works: in the order in which they come, and stand in the record. */
enum delivery_stage { DELIVERY_ANNOUNCED, DELIVERY_BEGUN, DELIVERY_ENDED, DELIVERY_CALLED_OFF, DELIVERY_STAGES };
enum delivery_state {
	DELIVERY_QUEUED,
	DELIVERY_SENDING,
	DELIVERY_SENT,
	DELIVERY_SPARED,
	DELIVERY_DEAD,
	DELIVERY_STATES
};
enum token_purpose { TOKEN_CONFIRM, TOKEN_LEAVE, TOKEN_PURPOSES };

struct subscriptions_key {
	uint8_t octets[SUBSCRIPTIONS_KEY_OCTETS];
};

struct subscriber {
	uint64_t id;
	enum subscriber_kind kind;
	enum subscriber_state state;
	const char *name;       /* address, or the webhook's name; "": gone, and erased */
	const char *lang;       /* "en" */
	const char *components; /* IDs with commas between; "": all */
	const char *nonce, *added_by;
	int64_t asked_ns, confirmed_ns, gone_ns;
};

struct delivery {
	uint64_t id;
	struct subscriber to;
	enum delivery_what what;
	enum delivery_state state;
	uint32_t attempts, repeats; /* repeats: of them those after a deliverer's death */
	int64_t queued_ns, next_ns, done_ns;
	const char *error; /* what went wrong last; "" */
	/* Of a statement: */
	uint64_t statement, thread; /* numbers */
	bool withdrawn;             /* it is the withdrawal that is told */
	bool told; /* the same was published in the subscriber's language, and this one is in another */
	/* Of a component: */
	const char *component;
	int64_t since_ns;
	/* Of planned works: */
	uint64_t works; /* number */
	enum delivery_stage stage;
};

/* What became of an attempt. */
struct delivery_end {
	enum delivery_state state; /* DELIVERY_QUEUED: again, at next_ns */
	const char *error;         /* "" */
	int64_t at_ns, next_ns;
};

const char *subscriber_kind_name(enum subscriber_kind kind);
const char *subscriber_state_name(enum subscriber_state state);
const char *delivery_what_name(enum delivery_what what);
const char *delivery_state_name(enum delivery_state state);

/* ---- keys and tokens ---- */

/* That of a state_dir, made where there is none; its owner's, as the record is. -EBADMSG: the file is no such key. */
int subscriptions_key_open(const char *state_dir, struct subscriptions_key *key, struct record_error *error);
void subscriptions_token(const struct subscriptions_key *key, enum token_purpose purpose, uint64_t subscriber,
                         const char *nonce, char token[SUBSCRIPTIONS_TOKEN_SIZE]);
/* What a token says of itself, true or not. -EINVAL: it is none. */
int subscriptions_token_read(const char *token, enum token_purpose *purpose, uint64_t *subscriber);
/* What a delivery is called by its receiver, however often it is sent: 24 hexadecimal digits. */
void subscriptions_delivery_id(const struct subscriptions_key *key, const struct delivery *delivery,
                               char id[SUBSCRIPTIONS_DELIVERY_ID_SIZE]);
/* How long to wait after so many attempts: doubling, up to half of it more by `seed`. */
int64_t subscriptions_pause_ns(uint32_t attempts, uint64_t seed);

/* ---- subscribers ---- */

/* "web,login": component's IDs with commas between, as many as SUBSCRIPTIONS_COMPONENTS_SIZE holds; not "". */
bool subscriptions_components_ok(const char *list);
/*
 * An address wants to be told; it must be one (tell/mail.h). A question is queued, or nothing, where it is confirmed,
 * was asked a while ago, or often: whoever asks is told the same. *queued says which. -EDQUOT: too many ask.
 */
int subscriptions_ask(struct ledger *ledger, const struct subscriber *who, int64_t now_ns, bool *queued,
                      struct record_error *error);
/* The same, but it is confirmed: by an operator who knows. *id is the subscriber's. -EEXIST. */
int subscriptions_add(struct ledger *ledger, const struct subscriber *who, int64_t now_ns, uint64_t *id,
                      struct record_error *error);
/* -ENOENT: no such token, or its time is over. Again makes no difference. `lang` may be NULL. */
int subscriptions_confirm(struct ledger *ledger, const struct subscriptions_key *key, const char *token, int64_t now_ns,
                          char lang[SUBSCRIPTIONS_LANG_SIZE], struct record_error *error);
int subscriptions_leave(struct ledger *ledger, const struct subscriptions_key *key, const char *token, int64_t now_ns,
                        char lang[SUBSCRIPTIONS_LANG_SIZE], struct record_error *error);
/* -ENOENT. The name is erased, and what waits for it. */
int subscriptions_remove(struct ledger *ledger, uint64_t id, int64_t now_ns, struct record_error *error);
/*
 * The web servers that are configured, and no others: `count` rows, of which name, lang, components are read.
 */
int subscriptions_webhooks(struct ledger *ledger, const struct subscriber *webhooks, unsigned count, int64_t now_ns,
                           struct record_error *error);
/* In the order in which they came; `gone` too. */
int subscriptions_each(struct ledger *ledger, bool gone, int (*each)(void *context, const struct subscriber *one),
                       void *context, struct record_error *error);

/* ---- deliveries ---- */

/* What was published since goes into the queue, once for each; what is old is forgotten. */
int subscriptions_queue(struct ledger *ledger, int64_t now_ns, struct record_error *error);
/* For who has the lock, once as he begins: what another left half done. *repeats: how many. */
int subscriptions_recover(struct ledger *ledger, int64_t now_ns, unsigned *repeats, struct record_error *error);
/*
 * What may go now to subscribers of a kind, the longest due first, `most` at most; none to whom something is under way.
 */
int subscriptions_due(struct ledger *ledger, enum subscriber_kind kind, int64_t now_ns, unsigned most,
                      int (*each)(void *context, const struct delivery *delivery), void *context,
                      struct record_error *error);
/* Before the first octet. -ENOENT: it is not queued any more. */
int subscriptions_begin(struct ledger *ledger, uint64_t delivery, struct record_error *error);
int subscriptions_end(struct ledger *ledger, uint64_t delivery, const struct delivery_end *end,
                      struct record_error *error);
/* What is queued for a subscriber, or with 0 for all of mail, waits until then at least. */
int subscriptions_put_off(struct ledger *ledger, uint64_t subscriber, int64_t until_ns, struct record_error *error);
/* When the next is due; INT64_MAX: none is queued. */
int subscriptions_next(struct ledger *ledger, int64_t *next_ns, struct record_error *error);
/* Those in a state, by their numbers; DELIVERY_STATES: all. */
int subscriptions_deliveries_each(struct ledger *ledger, enum delivery_state state,
                                  int (*each)(void *context, const struct delivery *delivery), void *context,
                                  struct record_error *error);
/* A dead one, or with 0 all of them, is queued anew. *count: how many. */
int subscriptions_retry(struct ledger *ledger, uint64_t delivery, int64_t now_ns, unsigned *count,
                        struct record_error *error);

#endif
