/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay DIRECTORY...: gives every file of the directories to the harness it is linked with, once, in order of name,
 * and prints how many there were. It finds nothing new; it proves that what was found stays mended, with any compiler.
 * Fails where a file cannot be read or is larger than REPLAY_FILE_MAX, and where there is none: a replay of nothing
 * proves nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REPLAY_FILE_MAX (64u << 20)
#define REPLAY_PATH_SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* NOLINT(readability-identifier-naming): libFuzzer's */

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The whole of a file in exactly as much memory, so that a sanitizer sees the first octet read beyond it. */
static int file_read(const char *path, uint8_t **data, size_t *size)
{
	struct stat status;
	FILE *file = fopen(path, "rbe");
	uint8_t *octets;
	size_t length;

	if (!file)
		return -errno;
	if (fstat(fileno(file), &status) || !S_ISREG(status.st_mode) || status.st_size > (off_t)REPLAY_FILE_MAX) {
		fclose(file);
		return -EINVAL;
	}
	length = (size_t)status.st_size;
	octets = malloc(length);
	if ((!octets && length) || fread(octets, 1, length, file) != length) {
		free(octets);
		fclose(file);
		return -EIO;
	}
	fclose(file);
	*data = octets;
	*size = length;
	return 0;
}

static int replay_file(const char *path)
{
	uint8_t *data = NULL;
	size_t size = 0;
	int error = file_read(path, &data, &size);

	if (error) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(-error));
		return error;
	}
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

/* The number of files replayed, or -errno. */
static int replay_directory(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, visible, alphasort);
	int error = 0;

	if (count < 0) {
		error = -errno;
		fprintf(stderr, "replay: %s: %s\n", directory, strerror(-error));
		return error;
	}
	for (int i = 0; i < count; i++) {
		char path[REPLAY_PATH_SIZE];
		int length = snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);

		free(entries[i]);
		if (error)
			continue;
		error = length < 0 || (size_t)length >= sizeof(path) ? -ENAMETOOLONG : replay_file(path);
	}
	free(entries);
	return error ? error : count;
}

int main(int argc, char **argv)
{
	int replayed = 0;

	for (int i = 1; i < argc; i++) {
		int count = replay_directory(argv[i]);

		if (count < 0)
			return 1;
		replayed += count;
	}
	printf("%d inputs replayed\n", replayed);
	return replayed == 0;
}
