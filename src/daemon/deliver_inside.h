/* SPDX-License-Identifier: Apache-2.0 */
/* What deliver.c and deliver_make.c share: a delivery with texts of its own, and what it becomes. */
#ifndef HOLDFAST_DAEMON_DELIVER_INSIDE_H
#define HOLDFAST_DAEMON_DELIVER_INSIDE_H

#include "daemon/deliver.h"
#include "daemon/page_settings.h"
#include "tell/mail.h"
#include "tell/post.h"

#define PARCEL_ID_SIZE 25

/* A delivery, copied out of the ledger's row. */
struct deliver_item {
	struct delivery row;
	char name[SUBSCRIPTIONS_NAME_SIZE], components[SUBSCRIPTIONS_COMPONENTS_SIZE], lang[SUBSCRIPTIONS_LANG_SIZE],
		nonce[SUBSCRIPTIONS_NONCE_SIZE], component[COMPONENT_ID_SIZE];
};

/* What it is made of. */
struct deliver_maker {
	const struct config *config;
	struct ledger *ledger;
	const struct deliver_secrets *secrets;
	struct subscriptions_key key;
	struct page_settings_kept settings;
	struct page *page; /* NULL: none is at hand */
	int64_t page_ns;
};

void deliver_item_copy(struct deliver_item *item, const struct delivery *row);
/* The webhook of that name in the configuration; config->webhook_count: none. */
unsigned deliver_webhook(const struct config *config, const char *name);
/*
 * Sends what the item is. 0: it is under way; -ENOENT with why: there is nothing (any more) to be told; -EAGAIN: no
 * room; -EPERM with why: it can never be sent; -errno with the error said, or why.
 */
int deliver_send(struct deliver_maker *maker, struct post *post, const struct deliver_item *item, int64_t now_ns,
                 uint64_t token, const char **why, struct record_error *error);
void deliver_maker_fini(struct deliver_maker *maker);

#endif
