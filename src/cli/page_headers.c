/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast page headers: what a site answers so that browsers report by themselves what fails. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/page.h"
#include "cli/place.h"
#include "daemon/config.h"
#include "tell/nel.h"

#define PPM 1000000
#define PER_CENT_PPM 10000
#define SUCCESS_PPM 10000 /* one of a hundred that went well: with them there is a share */

/* "5", "0.5", "100": per cent, in millionths. */
static bool share_of(const char *text, uint32_t *ppm)
{
	char *end;
	double value;

	if (strspn(text, "0123456789.") != strlen(text) || !*text)
		return false;
	value = strtod(text, &end);
	if (*end || value > 100)
		return false;
	*ppm = (uint32_t)(value * PER_CENT_PPM);
	return true;
}

static int url_of(const struct page_options *options, char url[ALERT_URL_SIZE])
{
	struct config config;
	size_t length;
	int status;

	if (options->id) {
		if (snprintf(url, ALERT_URL_SIZE, "%s", options->id) >= ALERT_URL_SIZE)
			return options_refuse(&page_table, "the URL has more than %d octets", ALERT_URL_SIZE - 1);
	} else {
		status = place_configuration("page", options->config, &config);
		if (status != COMMAND_DONE)
			return status;
		(void)snprintf(url, ALERT_URL_SIZE, "%s", config.page.url);
		config_fini(&config);
	}
	for (length = strlen(url); length && url[length - 1] == '/';)
		url[--length] = '\0';
	return COMMAND_DONE;
}

int page_headers(const struct page_options *options)
{
	struct nel_policy policy = { .success_ppm = SUCCESS_PPM,
		                     .failure_ppm = PPM,
		                     .subdomains = options->subdomains };
	enum nel_server server = NEL_PLAIN;
	char url[ALERT_URL_SIZE], text[NEL_HEADERS_SIZE];
	int status;

	if (options->server && !nel_server_find(options->server, &server))
		return options_refuse(&page_table, "--for is '%.40s'; there are plain, nginx, apache, haproxy",
		                      options->server);
	if (options->successes && !share_of(options->successes, &policy.success_ppm))
		return options_refuse(&page_table, "--successes is '%.40s'; write per cent, from 0 to 100",
		                      options->successes);
	status = url_of(options, url);
	if (status != COMMAND_DONE)
		return status;
	policy.url = url;
	if (nel_headers(&policy, server, text) != 0)
		return options_refuse(
			&page_table,
			"browsers report to https alone: name the public role's URL, https://HOST, or put it into "
			"page.url of the configuration");
	(void)fputs(text, stdout);
	return output_finish();
}
