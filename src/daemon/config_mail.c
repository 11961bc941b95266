/* SPDX-License-Identifier: Apache-2.0 */
/* The server that takes our mail, and in whose name it is sent. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_reader.h"
#include "tell/mail.h"

#define PORT_DIGITS 5

static bool port_ok(const char *text)
{
	size_t length = strspn(text, "0123456789");
	unsigned long port = length > 0 && length <= PORT_DIGITS ? strtoul(text, NULL, 10) : 0;

	return text[length] == '\0' && port > 0 && port <= UINT16_MAX;
}

/* smtp://HOST[:PORT] or smtps://HOST[:PORT]: letters of a host's name, or an address. */
static bool smtp_ok(const char *url)
{
	const char *host = strncmp(url, "smtp://", 7) == 0    ? url + 7
	                   : strncmp(url, "smtps://", 8) == 0 ? url + 8
	                                                      : NULL;
	size_t length;

	if (!host)
		return false;
	length = host[0] == '[' ? strcspn(host, "]") + 1
	                        : strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
	if (length == 0 || length > strlen(host) || host[0] == '-' || host[0] == '.' ||
	    (host[0] == '[' && (length == 2 || strspn(host + 1, "0123456789abcdefABCDEF:.") != length - 2)))
		return false;
	host += length;
	return *host == '\0' || (*host == ':' && port_ok(host + 1));
}

static void read_smtp(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node, void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);

	if (text && !smtp_ok(text))
		config_complain(reader, &node->start_mark,
		                "%s is '%.*s'; write smtp://HOST:587 or smtps://HOST, no user in it", key->name,
		                CONFIG_REPEATED_MAX, text);
	else if (text)
		memcpy(field, text, strlen(text) + 1);
}

static void read_address(struct config_reader *reader, const struct config_key *key, const yaml_node_t *node,
                         void *field)
{
	const char *text = config_short_text(reader, key, key->name, node);
	char address[MAIL_ADDRESS_SIZE];

	if (text && mail_address_read(text, false, address) != 0)
		config_complain(reader, &node->start_mark, "%s is '%.*s'; write an address, such as status@example.org",
		                key->name, CONFIG_REPEATED_MAX, text);
	else if (text)
		memcpy(field, address, strlen(address) + 1);
}

#define IN_CONFIG(field) offsetof(struct config, field)
/* clang-format off */
const struct config_key config_mail_keys[] = {
	{ .name = "smtp", .read = read_smtp, .offset = IN_CONFIG(mail.smtp), .high = ALERT_URL_SIZE - 1, .needed = true },
	{ .name = "from", .read = read_address, .offset = IN_CONFIG(mail.from), .high = CONFIG_MAILBOX_SIZE - 1, .needed = true },
	{ .name = "name", .read = config_read_name, .offset = IN_CONFIG(mail.name), .high = CONFIG_PAGE_TITLE_SIZE - 1 },
	{ .name = "user", .read = config_read_name, .offset = IN_CONFIG(mail.user), .high = CONFIG_MAILBOX_SIZE - 1 },
	{ .name = "password_file", .read = config_read_path, .offset = IN_CONFIG(mail.password_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "ca_file", .read = config_read_path, .offset = IN_CONFIG(mail.ca_file), .high = CONFIG_PATH_SIZE - 1 },
	{ .name = "public_url", .read = config_read_url, .offset = IN_CONFIG(mail.public_url), .high = ALERT_URL_SIZE - 1 },
	{ .name = "tls", .read = config_read_choice, .offset = IN_CONFIG(mail.no_tls), .standard_is = "required|none" },
	{ .name = NULL },
};
/* clang-format on */

static bool is_local(const char *url)
{
	static const char *const local[] = { "smtp://127.0.0.1", "smtp://[::1]", "smtp://localhost" };

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		size_t length = strlen(local[i]);

		if (strncmp(url, local[i], length) == 0 && (url[length] == ':' || url[length] == '\0'))
			return true;
	}
	return false;
}

void config_mail_check(struct config_reader *reader, const yaml_node_t *root, const struct config *config)
{
	const struct config_mail *mail = &config->mail;

	if (!mail->user[0] != !mail->password_file[0])
		config_complain(reader, &root->start_mark,
		                "mail has %s; name both, or neither where the server asks nobody who he is",
		                mail->user[0] ? "a user and no password_file" : "a password_file and no user");
	if (mail->no_tls && mail->smtp[0] && !is_local(mail->smtp))
		config_complain(reader, &root->start_mark,
		                "mail would go over the network in the open; tls: none is for a server on this host");
	if (mail->smtp[0] && !config->page.url[0])
		config_complain(reader, &root->start_mark,
		                "mail has no page to lead to; say in page.url where the status page stands");
}
