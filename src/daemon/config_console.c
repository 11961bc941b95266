/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of `holdfast serve`: where it listens, and who may come. Of tokens the file has sums, which open nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/config_reader.h"
#include "tell/http_server.h"

#define LISTEN_STANDARD "127.0.0.1:8081"

static void read_listen(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	const char *text = config_scalar(reader, key->name, node);
	struct address address;
	struct prefix here[2];
	uint16_t port;

	(void)prefix_parse("127.0.0.0/8", &here[0]);
	(void)prefix_parse("::1/128", &here[1]);
	if (!text)
		return;
	if (strlen(text) >= CONFIG_CONSOLE_LISTEN_SIZE || http_server_address(text, &address, &port) != 0 ||
	    (!prefix_contains(&here[0], &address) && !prefix_contains(&here[1], &address)))
		config_complain(
			reader, &node->start_mark,
			"%s is '%.*s'; the console listens on this host alone: write 127.0.0.1:8081 or '[::1]:8081'",
			key->name, CONFIG_REPEATED_MAX, text);
	else
		memcpy(field, text, strlen(text) + 1);
}

static void read_role(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_scalar(reader, key->name, node);

	if (text && !console_role_find(text, field))
		config_complain(reader, &node->start_mark, "%s is '%.*s'; there are read, operate, publish", key->name,
		                CONFIG_REPEATED_MAX, text);
}

static void read_token(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_scalar(reader, key->name, node);

	/* What is wrong here may be a token itself: it is not repeated. */
	if (text && !console_token_sum(text, field))
		config_complain(reader, &node->start_mark,
		                "%s is not sha256: and 64 digits; 'holdfast console token NAME' makes one", key->name);
}

#define IN_TOKEN(field) offsetof(struct config_token, field)
/* clang-format off */
static const struct config_key token_keys[] = {
	{ .name = "name", .read = config_read_word, .offset = IN_TOKEN(name), .high = CONSOLE_NAME_SIZE - 1, .needed = true },
	{ .name = "role", .read = read_role, .offset = IN_TOKEN(role), .needed = true },
	{ .name = "token", .read = read_token, .offset = IN_TOKEN(sum), .needed = true },
	{ .name = NULL },
};
/* clang-format on */

static void read_tokens(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                        void *field)
{
	static const struct config_items items = { .what = "a token",
		                                   .several = "tokens",
		                                   .wants = "a name, a role and a token",
		                                   .keys = token_keys,
		                                   .size = sizeof(struct config_token) };
	struct config_console *console =
		(struct config_console *)(void *)((char *)field - offsetof(struct config_console, tokens));
	unsigned count;
	struct config_token *tokens = config_read_items(reader, key, node, &items, &count);

	if (!tokens)
		return;
	free(console->tokens);
	console->tokens = tokens;
	console->token_count = count;
}

#define IN_CONFIG(field) offsetof(struct config, field)
/* clang-format off */
const struct config_key config_console_keys[] = {
	{ .name = "listen", .read = read_listen, .offset = IN_CONFIG(console.listen), .high = CONFIG_CONSOLE_LISTEN_SIZE - 1,
	  .standard_is = LISTEN_STANDARD },
	{ .name = "tokens", .read = read_tokens, .offset = IN_CONFIG(console.tokens), .high = CONSOLE_TOKENS_MAX },
	{ .name = NULL },
};
/* clang-format on */

void config_console_fini(struct config_console *console)
{
	free(console->tokens);
}
