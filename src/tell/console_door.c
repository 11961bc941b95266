/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/console_door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"

static const char *const role_names[CONSOLE_ROLES] = {
	[CONSOLE_READ] = "read", [CONSOLE_OPERATE] = "operate", [CONSOLE_PUBLISH] = "publish"
};

const char *console_role_name(enum console_role role)
{
	return role_names[role];
}

bool console_role_find(const char *name, enum console_role *role)
{
	for (unsigned i = 0; i < CONSOLE_ROLES; i++)
		if (strcmp(role_names[i], name) == 0) {
			*role = (enum console_role)i;
			return true;
		}
	return false;
}

bool console_token_sum(const char *text, uint8_t sum[DIGEST_SHA256_SIZE])
{
	const char *hex = text + strlen(CONSOLE_TOKEN_PREFIX);
	uint8_t read[DIGEST_SHA256_SIZE];

	if (strncmp(text, CONSOLE_TOKEN_PREFIX, strlen(CONSOLE_TOKEN_PREFIX)) != 0)
		return false;
	if (hex_read(hex, read, sizeof(read)) != 0)
		return false;
	hex += 2 * sizeof(read);
	if (hex[strspn(hex, " \r\n")])
		return false;
	memcpy(sum, read, sizeof(read));
	return true;
}

bool console_door_add(struct console_door *door, const char *name, enum console_role role,
                      const uint8_t sum[DIGEST_SHA256_SIZE])
{
	struct console_token *token = &door->tokens[door->count];

	if (door->count == CONSOLE_TOKENS_MAX)
		return false;
	(void)snprintf(token->name, sizeof(token->name), "%s", name);
	token->role = role;
	memcpy(token->sum, sum, sizeof(token->sum));
	door->count++;
	return true;
}

static bool is_over(const struct console_session *session, int64_t now_ns)
{
	return now_ns - session->seen_ns >= CONSOLE_IDLE_NS || now_ns - session->began_ns >= CONSOLE_SESSION_NS;
}

/* Room for one more. */
static struct console_session *make_room(struct console_door *door, int64_t now_ns)
{
	struct console_session *oldest = &door->sessions[0];

	for (unsigned i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
		struct console_session *session = &door->sessions[i];

		if (!session->used || is_over(session, now_ns))
			return session;
		if (session->seen_ns < oldest->seen_ns)
			oldest = session;
	}
	door->pushed_out++;
	return oldest;
}

int console_door_sign_in(struct console_door *door, const char *token, enum language language, int64_t now_ns,
                         const uint8_t random[2 * CONSOLE_SECRET_OCTETS], char cookie[CONSOLE_SECRET_SIZE],
                         struct console_session **session)
{
	const struct console_token *found = NULL;
	uint8_t sum[DIGEST_SHA256_SIZE];
	struct console_session *made;

	if (door->spent_ns < now_ns)
		door->spent_ns = now_ns;
	if (door->spent_ns - now_ns > (CONSOLE_ATTEMPTS_MAX - 1) * CONSOLE_ATTEMPT_NS) {
		door->limited++;
		return -EAGAIN;
	}
	digest_sha256(token, strlen(token), sum);
	/* All of them, so that which one it is takes no other time. */
	for (unsigned i = 0; i < door->count; i++)
		if (digest_equal(door->tokens[i].sum, sum, sizeof(sum)))
			found = &door->tokens[i];
	if (!found) {
		door->spent_ns += CONSOLE_ATTEMPT_NS;
		door->refused++;
		return -EACCES;
	}
	made = make_room(door, now_ns);
	*made = (struct console_session){
		.used = true, .token = found, .language = language, .began_ns = now_ns, .seen_ns = now_ns
	};
	hex_write(random, CONSOLE_SECRET_OCTETS, cookie);
	hex_write(random + CONSOLE_SECRET_OCTETS, CONSOLE_SECRET_OCTETS, made->csrf);
	digest_sha256(cookie, strlen(cookie), made->sum);
	*session = made;
	return 0;
}

struct console_session *console_door_find(struct console_door *door, const char *cookie, int64_t now_ns)
{
	struct console_session *found = NULL;
	uint8_t sum[DIGEST_SHA256_SIZE];

	digest_sha256(cookie, strlen(cookie), sum);
	for (unsigned i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
		struct console_session *session = &door->sessions[i];

		if (session->used && digest_equal(session->sum, sum, sizeof(sum)))
			found = session;
	}
	if (found && is_over(found, now_ns)) {
		console_door_sign_out(found);
		found = NULL;
	}
	if (found)
		found->seen_ns = now_ns;
	return found;
}

void console_door_sign_out(struct console_session *session)
{
	*session = (struct console_session){ .used = false };
}

bool console_door_csrf(const struct console_session *session, const char *csrf)
{
	return strlen(csrf) == CONSOLE_SECRET_SIZE - 1 && digest_equal(session->csrf, csrf, CONSOLE_SECRET_SIZE - 1);
}

void console_cookie(const char *header, const char *name, char value[CONSOLE_SECRET_SIZE])
{
	size_t length = strlen(name);

	value[0] = '\0';
	while (*header) {
		header += strspn(header, "; ");
		if (strncmp(header, name, length) == 0 && header[length] == '=' &&
		    strcspn(header + length + 1, "; ") == CONSOLE_SECRET_SIZE - 1) {
			(void)snprintf(value, CONSOLE_SECRET_SIZE, "%s", header + length + 1);
			return;
		}
		header += strcspn(header, ";");
	}
}
