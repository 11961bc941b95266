/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/serve_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/daemon.h"

#define FILE_MAX (256u << 10)
#define FILE_MODE 0644
#define PATH_SIZE (CONFIG_PATH_SIZE + 32)

static json_t *role_json(enum serve_role role, const struct serve_state_role *state)
{
	const struct serve_counted *counted = state->counted;
	json_t *counters = json_object();

	for (uint32_t i = 0; i < counted->count; i++)
		(void)json_object_set_new(counters, counted->counters[i].name,
		                          json_integer((json_int_t)(counted->counters[i].value & INT64_MAX)));
	return json_pack("{ss sb sb sI ss so}", "name", serve_role_name(role), "up", state->up, "ready", state->ready,
	                 "restarts", (json_int_t)state->restarts, "state", counted->state, "counters", counters);
}

static json_t *state_json(const struct serve_state *state)
{
	json_t *roles = json_array();

	for (unsigned i = 0; i < SERVE_ROLES; i++)
		if (state->roles[i].wanted)
			(void)json_array_append_new(roles, role_json((enum serve_role)i, &state->roles[i]));
	return json_pack("{ss si sI sI so}", "schema", SERVE_STATE_SCHEMA, "pid", (int)state->pid, "since_ns",
	                 (json_int_t)state->since_ns, "time_ns", (json_int_t)state->now_ns, "roles", roles);
}

int serve_state_write(const struct serve_state *state, const char *run_dir)
{
	char path[PATH_SIZE];
	json_t *json = state_json(state);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL; /* NULL too where a role's state was no UTF-8 */
	int result;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "%s/" SERVE_STATE_NAME, run_dir);
	result = file_replace(path, FILE_MODE, text, strlen(text), FILE_PASSING);
	free(text);
	return result;
}

/* Its lock is held as long as it lives, whatever became of its files. */
static bool is_running(const char *run_dir)
{
	char path[PATH_SIZE];
	bool running;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/" DAEMON_SERVE_PID_NAME, run_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	running = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return running;
}

int serve_state_read(const char *run_dir, json_t **state)
{
	char path[PATH_SIZE];
	const char *schema;
	void *octets = NULL;
	size_t length = 0;
	json_t *json;
	int result;

	if (!is_running(run_dir))
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "%s/" SERVE_STATE_NAME, run_dir);
	result = file_load(path, FILE_MAX, &octets, &length);
	if (result != 0)
		return result;
	json = json_loadb(octets, length, JSON_REJECT_DUPLICATES, NULL);
	free(octets);
	schema = json_string_value(json_object_get(json, "schema"));
	if (!schema || strcmp(schema, SERVE_STATE_SCHEMA) != 0) {
		json_decref(json);
		return -EBADMSG;
	}
	*state = json;
	return 0;
}
