/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is what stands in an incident's file: `holdfast incidents` and `holdfast incident` read it, as a page or,
 * with an odd number of octets, as JSON. They end with 0 or 1; who is refused is told why; and nothing that a terminal
 * obeys is printed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "cli/command.h"
#include "tell/words.h"

#define INPUT_MAX (1u << 20)
#define ID "00000000000000ab"

static char folder[] = "/tmp/holdfast-fuzz-XXXXXX", config[64], file[160];

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	FILE *out = fopen(path, "wbe");

	REQUIRE(out && fwrite(data, 1, size, out) == size && fclose(out) == 0);
}

static void clean_up(void)
{
	char path[128];

	(void)unlink(file);
	(void)unlink(config);
	(void)snprintf(path, sizeof(path), "%s/incidents", folder);
	(void)rmdir(path);
	(void)rmdir(folder);
}

static void prepare(void)
{
	char path[128], text[128];

	REQUIRE(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/incidents", folder);
	REQUIRE(mkdir(path, 0700) == 0);
	(void)snprintf(file, sizeof(file), "%s/" ID ".json", path);
	(void)snprintf(config, sizeof(config), "%s/conf.yaml", folder);
	(void)snprintf(text, sizeof(text), "state_dir: %s\n", folder);
	write_file(config, (const uint8_t *)text, strlen(text));
	REQUIRE(atexit(clean_up) == 0);
}

/* UTF-8, in lines, without anything that a terminal obeys. */
static void check_text(const char *text, size_t size)
{
	REQUIRE(strlen(text) == size);
	while (*text) {
		uint32_t code;
		size_t length = words_utf8(text, &code);

		REQUIRE(length > 0 && (code == '\n' || (code >= ' ' && code < 0x7f) || code > 0x9f));
		text += length;
	}
}

static void ask(int (*command)(int argc, char **argv), int argc, char **argv, bool page)
{
	FILE *saved_out = stdout, *saved_err = stderr;
	char *said = NULL, *complaint = NULL;
	size_t length = 0, complained = 0;
	int status;

	stdout = open_memstream(&said, &length);
	stderr = open_memstream(&complaint, &complained);
	REQUIRE(stdout && stderr);
	status = command(argc, argv);
	REQUIRE(fclose(stdout) == 0 && fclose(stderr) == 0);
	stdout = saved_out;
	stderr = saved_err;
	REQUIRE(status == COMMAND_DONE || (status == COMMAND_BAD && complained > 0));
	if (page)
		check_text(said, length);
	check_text(complaint, complained);
	free(said);
	free(complaint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char list[] = "incidents", one[] = "incident", id[] = ID, option[] = "--config", json[] = "--json";
	bool page = size % 2 == 0;
	char *list_words[] = { list, option, config, page ? NULL : json, NULL };
	char *one_words[] = { one, id, option, config, page ? NULL : json, NULL };

	if (size > INPUT_MAX)
		return 0;
	if (!config[0])
		prepare();
	write_file(file, data, size);
	ask(incidents_command, page ? 3 : 4, list_words, page);
	ask(incident_command, page ? 4 : 5, one_words, page);
	return 0;
}
