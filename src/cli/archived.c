/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/archived.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/place.h"
#include "cli/say.h"

int archived_refuse(const char *folder, int result)
{
	switch (-result) {
	case EACCES:
	case EPERM:
		say_error(folder,
		          "incidents there are not for you to read; be root, or a member of the group holdfast");
		break;
	case ENOENT:
		say_error(folder, "no incidents are recorded there; 'holdfast run' records them in its state_dir");
		break;
	default:
		say_error(folder, "incidents there cannot be read: %s; look at the disk", strerror(-result));
		break;
	}
	return COMMAND_BAD;
}

int archived_folder(const char *command, const char *config, char folder[CONFIG_PATH_SIZE])
{
	struct place place;
	int status = place_find(command, config, &place);

	if (status == COMMAND_DONE)
		memcpy(folder, place.state_dir, sizeof(place.state_dir));
	return status;
}

int archived_find(const char *command, const char *config, const char *name, struct archived *archived)
{
	int status = archived_folder(command, config, archived->folder), result;

	if (status != COMMAND_DONE)
		return status;
	result = archive_find(archived->folder, name, &archived->head);
	switch (-result) {
	case 0:
		break;
	case EINVAL:
		say_error(command, "'%.60s' is no incident's ID; 'holdfast incidents' lists them, or say latest", name);
		return COMMAND_BAD;
	case EEXIST:
		say_error(command, "several incidents' IDs begin with %.60s; type more of it", name);
		return COMMAND_BAD;
	case ENOENT:
		if (access(archived->folder, X_OK) != 0)
			return archived_refuse(archived->folder, -errno);
		say_error(command, "there is no incident %.60s; 'holdfast incidents' lists those there are", name);
		return COMMAND_BAD;
	default:
		return archived_refuse(archived->folder, result);
	}
	archive_stream_path(archived->folder, archived->head.id, archived->stream);
	archived->has_stream = access(archived->stream, R_OK) == 0;
	return COMMAND_DONE;
}

int archived_read(const struct archived *archived, json_t **whole)
{
	size_t length, analysis_length;
	const char *analysis;
	char *text;
	int result = archive_read(archived->folder, archived->head.id, &text, &length, &analysis, &analysis_length);

	if (result == 0) {
		*whole = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
		free(text);
		if (json_is_object(json_object_get(*whole, "analysis")))
			return COMMAND_DONE;
		json_decref(*whole);
		result = -EBADMSG;
	}
	if (result != -EBADMSG)
		return archived_refuse(archived->folder, result);
	say_error(archived->folder, "incidents/%016" PRIx64 ".json is broken; 'holdfast report' may make it anew",
	          archived->head.id);
	return COMMAND_BAD;
}
