/* SPDX-License-Identifier: Apache-2.0 */
/* Which roles `holdfast serve` has, and what of root's each is given. */
#include "daemon/desk_subscribe.h"
#include "daemon/serve_inside.h"

_Static_assert(CONFIG_LOGS_MAX <= SERVE_LISTENERS_MAX, "each log may come by syslog");

static bool always(const struct config *config)
{
	(void)config;
	return true;
}

static unsigned desk_files(const struct config *config, const char *paths[SERVE_FDS_MAX])
{
	unsigned count = 0;

	if (config->page.key_file[0])
		paths[count++] = config->page.key_file;
	return count + desk_subscribe_files(config, paths + count, SERVE_FDS_MAX - 2 - count);
}

static bool is_probing(const struct config *config)
{
	return config->probes.check_count > 0;
}

static bool tells(const struct config *config)
{
	return config->alert_count > 0;
}

static unsigned messenger_files(const struct config *config, const char *paths[SERVE_FDS_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < config->alert_count; i++)
		if (config->alerts[i].key_file[0])
			paths[count++] = config->alerts[i].key_file;
	return count;
}

static bool public_wanted(const struct config *config)
{
	return config->public_role.listen_count > 0;
}

static unsigned public_files(const struct config *config, const char *paths[SERVE_FDS_MAX])
{
	const struct config_public *of = &config->public_role;
	unsigned count = 0;

	if (of->gatus_key_file[0])
		paths[count++] = of->gatus_key_file;
	for (unsigned i = 0; i < of->vantage_count; i++)
		paths[count++] = of->vantages[i].key_file;
	return count;
}

static unsigned public_listeners(const struct config *config, const char *addresses[SERVE_LISTENERS_MAX])
{
	for (unsigned i = 0; i < config->public_role.listen_count; i++)
		addresses[i] = config->public_role.listen[i].text;
	return config->public_role.listen_count;
}

static bool has_logs(const struct config *config)
{
	return config->log_count > 0;
}

static unsigned log_listeners(const struct config *config, const char *addresses[SERVE_LISTENERS_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < config->log_count; i++)
		if (config->logs[i].syslog[0])
			addresses[count++] = config->logs[i].syslog;
	return count;
}

static bool console_wanted(const struct config *config)
{
	return config->console.token_count > 0;
}

static unsigned console_listeners(const struct config *config, const char *addresses[SERVE_LISTENERS_MAX])
{
	addresses[0] = config->console.listen;
	return 1;
}

/* A role that has no row here is not there. */
const struct serve_row serve_rows[SERVE_ROLES] = {
	[SERVE_ROLE_DESK] = { .wanted = always, .files = desk_files },
	[SERVE_ROLE_PROBER] = { .wanted = is_probing },
	[SERVE_ROLE_MESSENGER] = { .wanted = tells, .files = messenger_files },
	[SERVE_ROLE_CONSOLE] = { .wanted = console_wanted, .listeners = console_listeners },
	[SERVE_ROLE_PUBLIC] = { .wanted = public_wanted, .files = public_files, .listeners = public_listeners },
	[SERVE_ROLE_READER] = { .wanted = has_logs, .listeners = log_listeners, .datagrams = true },
};
