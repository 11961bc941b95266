/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may come into the console: tokens, which people are given, and sessions, which their browsers are given for one.
 * Of both only SHA-256 sums are kept, and compared in a time that says nothing. A session ends CONSOLE_IDLE_NS after
 * its last request, CONSOLE_SESSION_NS after it began, or when it is signed out of. Wrong tokens are a bounded number:
 * ten at once, then one each CONSOLE_ATTEMPT_NS; while there is none left no token is looked at, the right one neither.
 *
 * Pure: clock and randomness are passed in. The clock only grows.
 */
#ifndef HOLDFAST_TELL_CONSOLE_DOOR_H
#define HOLDFAST_TELL_CONSOLE_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/time.h"
#include "tell/language.h"

#define CONSOLE_NAME_SIZE 33
#define CONSOLE_TOKENS_MAX 32
#define CONSOLE_SESSIONS_MAX 64
#define CONSOLE_SECRET_OCTETS 32                            /* of a token, a session, a CSRF token */
#define CONSOLE_SECRET_SIZE (2 * CONSOLE_SECRET_OCTETS + 1) /* in hexadecimal, NUL-terminated */
#define CONSOLE_TOKEN_PREFIX "sha256:" /* of what stands in a token's file: its sum in hexadecimal */
#define CONSOLE_IDLE_NS (1800 * NS_PER_S)
#define CONSOLE_SESSION_NS (8 * 3600 * NS_PER_S)
#define CONSOLE_ATTEMPTS_MAX 10
#define CONSOLE_ATTEMPT_NS (6 * NS_PER_S)

/* Each may what those before it may. */
enum console_role {
	CONSOLE_READ,
	CONSOLE_OPERATE, /* drafts, edits, approves, says since when it is known; components, works, events */
	CONSOLE_PUBLISH, /* publishes, withdraws, notes what was handed in */
	CONSOLE_ROLES
};

/* "read", "operate", "publish". */
const char *console_role_name(enum console_role role);
bool console_role_find(const char *name, enum console_role *role);

struct console_token {
	char name[CONSOLE_NAME_SIZE];
	enum console_role role;
	uint8_t sum[DIGEST_SHA256_SIZE];
};

struct console_session {
	bool used;
	uint8_t sum[DIGEST_SHA256_SIZE];
	char csrf[CONSOLE_SECRET_SIZE];
	const struct console_token *token;
	enum language language;
	int64_t began_ns, seen_ns;
};

struct console_door {
	struct console_token tokens[CONSOLE_TOKENS_MAX];
	unsigned count;
	struct console_session sessions[CONSOLE_SESSIONS_MAX];
	int64_t spent_ns; /* of attempts: grows by CONSOLE_ATTEMPT_NS with each that is wrong */
	uint64_t refused, limited, pushed_out;
};

/* "sha256:" and 64 digits, spaces and lines' ends behind it; false: it is none. */
bool console_token_sum(const char *text, uint8_t sum[DIGEST_SHA256_SIZE]);
/* False: there are CONSOLE_TOKENS_MAX. */
bool console_door_add(struct console_door *door, const char *name, enum console_role role,
                      const uint8_t sum[DIGEST_SHA256_SIZE]);
/*
 * `random` becomes the session's secret, which `cookie` gets, and its CSRF token. -EACCES: there is no such token;
 * -EAGAIN: too many were wrong. Where all sessions are taken, the one that was unused for longest goes.
 */
int console_door_sign_in(struct console_door *door, const char *token, enum language language, int64_t now_ns,
                         const uint8_t random[2 * CONSOLE_SECRET_OCTETS], char cookie[CONSOLE_SECRET_SIZE],
                         struct console_session **session);
/* NULL: there is none, or it is over. */
struct console_session *console_door_find(struct console_door *door, const char *cookie, int64_t now_ns);
void console_door_sign_out(struct console_session *session);
bool console_door_csrf(const struct console_session *session, const char *csrf);
/* The value of the cookie in a header "Cookie"; "" where there is none of that name and form. */
void console_cookie(const char *header, const char *name, char value[CONSOLE_SECRET_SIZE]);

#endif
