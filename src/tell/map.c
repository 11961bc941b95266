/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/map.h"

#include "base/share.h"
#include "tell/markup.h"
#include "tell/world.h"

#define DOT 5                 /* radius on the map's grid */
#define DOUBT_PPM (PPM / 100) /* from which on it is shown that only some say so */

static const struct {
	uint64_t from_ppm;
	const char *words;
} shades[MAP_SHADES] = {
	{ 1, "under 1 %" },        { PPM / 100, "1 to 5 %" },   { PPM / 20, "5 to 20 %" },
	{ PPM / 5, "20 to 50 %" }, { PPM / 2, "half or more" },
};

unsigned map_shade(uint64_t ppm)
{
	unsigned shade = 0;

	while (shade < MAP_SHADES && ppm >= shades[shade].from_ppm)
		shade++;
	return shade;
}

static void write_land(FILE *out)
{
	(void)fputs("<g id=\"land\" class=\"land\">\n", out);
	for (size_t i = 0; i < world_count; i++)
		if (world_countries[i].outline)
			(void)fprintf(out, "<path id=\"c%s\" d=\"%s\"/>\n", world_countries[i].code,
			              world_countries[i].outline);
	(void)fputs("</g>\n", out);
}

/* Shade 0: only some say so. */
static void write_country(FILE *out, const struct world_country *country, unsigned shade)
{
	if (country->outline)
		(void)fprintf(out, "<use href=\"#c%s\" class=\"s%u\"/>\n", country->code, shade);
	else
		(void)fprintf(out, "<circle class=\"s%u\" cx=\"%u\" cy=\"%u\" r=\"%d\"/>\n", shade, country->x,
		              country->y, DOT);
}

/* From the lightest to the darkest, so that the outlines of those that matter are on top. */
static bool write_countries(FILE *out, const struct map *map)
{
	bool doubtful = false;

	for (unsigned shade = 0; shade <= MAP_SHADES; shade++)
		for (uint32_t i = 0; i < map->count; i++) {
			const struct world_country *country = world_find(map->shares[i].code);

			if (!country || map_shade(map->shares[i].low_ppm) != shade ||
			    (shade == 0 && map->shares[i].high_ppm < DOUBT_PPM))
				continue;
			write_country(out, country, shade);
			doubtful = doubtful || shade == 0;
		}
	return doubtful;
}

static void write_legend(FILE *out, bool doubtful)
{
	(void)fputs("<ul class=\"legend\">\n", out);
	for (unsigned i = 0; i < MAP_SHADES; i++) {
		(void)fprintf(out, "<li><span class=\"key s%u\" aria-hidden=\"true\"></span>", i + 1);
		markup_text(out, shades[i].words);
		(void)fputs("</li>\n", out);
	}
	if (doubtful)
		(void)fputs("<li><span class=\"key s0\" aria-hidden=\"true\"></span>some databases say so</li>\n", out);
	(void)fputs("</ul>\n", out);
}

void map_write(FILE *out, const struct map *map)
{
	bool doubtful;

	(void)fputs("<figure class=\"map\">\n<figcaption>", out);
	markup_text(out, map->title);
	(void)fprintf(out,
	              "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"map-%u map-%u-what\">\n"
	              "<title id=\"map-%u\">",
	              WORLD_WIDTH, WORLD_HEIGHT, map->number, map->number, map->number);
	markup_text(out, map->title);
	(void)fprintf(out, "</title>\n<desc id=\"map-%u-what\">", map->number);
	markup_text(out, map->description);
	(void)fputs("</desc>\n", out);
	if (map->first)
		write_land(out);
	else
		(void)fputs("<use href=\"#land\"/>\n", out);
	doubtful = write_countries(out, map);
	(void)fputs("</svg>\n", out);
	write_legend(out, doubtful);
	(void)fputs("</figure>\n", out);
}
