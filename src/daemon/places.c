/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/places.h"

#include <errno.h>
#include <string.h>

#include "daemon/log.h"

struct geo *places_open(const char *folder)
{
	char error[GEO_ERROR_SIZE] = "";
	struct geo *geo = NULL;
	int result = *folder ? geo_open_folder(folder, &geo, error) : -ENOENT;

	if (result != 0 && result != -ENOENT) /* that none was brought is no mistake */
		LOG_SAY(LOG_WARNING, "geo: %s: %s", folder, error[0] ? error : strerror(-result));
	return geo;
}

static unsigned votes_for(const struct geo_place *said, size_t count, const char *country)
{
	unsigned votes = 0;

	for (size_t i = 0; i < count; i++)
		votes += strcmp(said->country[i], country) == 0;
	return votes;
}

struct place places_find(const struct geo *geo, const struct address *address)
{
	struct place place = { .region = "" };
	struct geo_place said;
	unsigned most = 0;
	size_t count;

	if (!geo)
		return place;
	geo_look_up(geo, address, &said);
	place.network = said.network;
	count = geo_count(geo, GEO_COUNTRIES);
	for (size_t i = 0; i < count; i++) {
		unsigned votes = said.country[i][0] ? votes_for(&said, count, said.country[i]) : 0;

		if (votes > most) {
			most = votes;
			memcpy(place.region, said.country[i], sizeof(said.country[i]));
		} else if (votes == most && votes && strcmp(place.region, said.country[i]) != 0) {
			place.region[0] = '\0';
		}
	}
	return place;
}
