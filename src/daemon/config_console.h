/* SPDX-License-Identifier: Apache-2.0 */
/* What operators may do by a browser, of `holdfast serve`: the section `console`. */
#ifndef HOLDFAST_DAEMON_CONFIG_CONSOLE_H
#define HOLDFAST_DAEMON_CONFIG_CONSOLE_H

#include <stdint.h>

#include "base/digest.h"
#include "tell/console_door.h"

#define CONFIG_CONSOLE_LISTEN_SIZE 64

struct config_token {
	char name[CONSOLE_NAME_SIZE];
	enum console_role role;
	uint8_t sum[DIGEST_SHA256_SIZE];
};

/* There is a console where there is somebody who may use it. */
struct config_console {
	char listen[CONFIG_CONSOLE_LISTEN_SIZE]; /* of loopback */
	unsigned token_count;
	struct config_token *tokens; /* owned */
};

#endif
