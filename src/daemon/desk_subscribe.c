/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/desk_subscribe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/alert_files.h"
#include "daemon/desk_courier.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/supervise.h"
#include "tell/mail.h"

unsigned desk_subscribe_files(const struct config *config, const char **paths, unsigned most)
{
	unsigned count = 0;

	if (config->mail.password_file[0] && count < most)
		paths[count++] = config->mail.password_file;
	for (unsigned i = 0; i < config->webhook_count && count < most; i++)
		paths[count++] = config->webhooks[i].secret_file;
	return count;
}

/* A key a line, in the order of the files: what `subscription deliver --secrets` reads. */
static int copy_secrets(const int *files, unsigned count)
{
	char text[(1 + CONFIG_WEBHOOKS_MAX) * ALERT_SECRET_SIZE], key[ALERT_SECRET_SIZE];
	size_t length = 0;
	int result = 0;

	for (unsigned i = 0; i < count && result == 0; i++) {
		result = alert_key_read(files[i], key);
		if (result == 0)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s\n", key);
	}
	explicit_bzero(key, sizeof(key));
	if (result == 0)
		result = supervise_text_fd(text, length);
	explicit_bzero(text, sizeof(text));
	return result;
}

int desk_subscribe_begin(struct desk_subscribe *desk, struct serve_life *life, const int *files, unsigned file_count)
{
	const struct config *config = &life->config;
	struct record_error error;
	int secrets, result;

	message_text(desk->state, sizeof(desk->state), "ok");
	desk->wanted = config->mail.smtp[0] || config->webhook_count;
	if (!desk->wanted)
		return 0;
	desk->has_key = subscriptions_key_open(config->state_dir, &desk->key, &error) == 0;
	if (!desk->has_key)
		LOG_SAY(LOG_ERROR, "%s/subscriptions.key: %s; nobody can confirm or leave", config->state_dir,
		        error.message);
	if (file_count > 1 + CONFIG_WEBHOOKS_MAX)
		return -E2BIG;
	secrets = copy_secrets(files, file_count);
	if (secrets < 0)
		return secrets;
	result = desk_courier_begin(DESK_DELIVERS, life->text, secrets, &desk->courier);
	(void)close(secrets);
	return result;
}

void desk_subscribe_end(struct desk_subscribe *desk)
{
	supervise_close(&desk->courier, 1);
	explicit_bzero(&desk->key, sizeof(desk->key));
}

/* An address that the public role has looked at is looked at again: it has strangers' octets in its hands. */
static int ask(struct ledger *ledger, const struct serve_subscribe *asked, int64_t wall_ns, struct record_error *error)
{
	char address[MAIL_ADDRESS_SIZE];
	bool queued;
	const struct subscriber who = { .kind = SUBSCRIBER_MAIL,
		                        .name = address,
		                        .lang = language_code((enum language)asked->lang),
		                        .components = asked->components,
		                        .nonce = "",
		                        .added_by = "form" };

	if (asked->kind != SERVE_BY_MAIL || mail_address_read(asked->address, true, address) != 0 ||
	    (asked->components[0] && !subscriptions_components_ok(asked->components)))
		return -EINVAL;
	return subscriptions_ask(ledger, &who, wall_ns, &queued, error);
}

int desk_subscribe_heed(struct desk_subscribe *desk, struct ledger *ledger, const struct serve_message *message,
                        int64_t wall_ns)
{
	struct record_error error = { .message = "" };
	int result;

	if (!desk->wanted || !desk->has_key)
		return -ENOSYS;
	if (!ledger)
		return -EAGAIN;
	if (message->type == SERVE_SUBSCRIBE)
		result = ask(ledger, &message->subscribe, wall_ns, &error);
	else if (message->type == SERVE_CONFIRM)
		result = subscriptions_confirm(ledger, &desk->key, message->token.text, wall_ns, NULL, &error);
	else
		result = subscriptions_leave(ledger, &desk->key, message->token.text, wall_ns, NULL, &error);
	desk->asked++;
	if (result != 0)
		desk->refused++;
	else if (message->type == SERVE_SUBSCRIBE)
		desk->due_ns = 0; /* who has just asked looks for the mail */
	return result;
}

static void hear(struct desk_subscribe *desk)
{
	struct desk_courier_result result;
	bool gone;

	while (desk_courier_answer(desk->courier, &result, &gone)) {
		desk->delivering = false;
		if (result.result == 0) {
			desk->delivered++;
			message_text(desk->state, sizeof(desk->state), "ok");
			continue;
		}
		desk->failed++;
		if (strcmp(desk->state, result.what) != 0)
			LOG_SAY(LOG_ERROR, "subscribers: %s; 'holdfast subscription dead' lists what was given up",
			        result.what[0] ? result.what : strerror(-result.result));
		message_text(desk->state, sizeof(desk->state), result.what);
	}
	if (gone) {
		supervise_close(&desk->courier, 1);
		message_text(desk->state, sizeof(desk->state), "what delivers to subscribers has ended");
		LOG_SAY(LOG_ERROR, "the process that delivers to subscribers has ended");
	}
}

void desk_subscribe_turn(struct desk_subscribe *desk, int64_t now_ns, bool soon)
{
	if (desk->courier < 0)
		return;
	hear(desk);
	if (desk->courier < 0 || desk->delivering || (now_ns < desk->due_ns && !soon))
		return;
	if (desk_courier_ask(desk->courier) != 0)
		return;
	desk->delivering = true;
	desk->due_ns = now_ns + DESK_DELIVER_NS;
}
