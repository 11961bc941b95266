/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table (RFC 4180): countries, as intervals where databases disagree; networks; sources that are listed. What would
 * be a formula to a spreadsheet has an apostrophe before it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/export.h"

#define COUNTRIES_MAX 256
#define PLACES_SIZE 32
#define HEADER \
	"kind,country,network,name,address,role,sources,packets,octets,share_of_sources_low,share_of_sources_high,first_packet,last_packet\r\n"

static const char *role_of(bool reflectors)
{
	return reflectors ? "relay" : "verified";
}

/* A field of text, in quotes. */
static void put_text(FILE *out, const char *text)
{
	(void)fputc('"', out);
	if (text[0] && strchr("=+-@\t\r", text[0]))
		(void)fputc('\'', out);
	for (; *text; text++) {
		if (*text == '"')
			(void)fputc('"', out);
		(void)fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
	(void)fputc('"', out);
}

static void put_countries(FILE *out, const struct trace *trace, struct trace_country *countries)
{
	uint32_t count = trace_countries(trace, countries, COUNTRIES_MAX);

	for (uint32_t i = 0; i < count; i++)
		(void)fprintf(out, "country,%s,,,,,,,,%.6f,%.6f,,\r\n", countries[i].code, countries[i].sources_low,
		              countries[i].sources_high);
}

/* "BR", or "BR/US" where databases disagree. */
static const char *places(const struct trace_row *row, char text[PLACES_SIZE])
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < GEO_COUNTRY_DATABASES_MAX; i++)
		if (row->country[i][0] && !strstr(text, row->country[i]))
			at += (size_t)snprintf(text + at, PLACES_SIZE - at, "%s%s", at ? "/" : "", row->country[i]);
	return text;
}

static void put_row(FILE *out, const struct trace *trace, const struct trace_row *row)
{
	char text[PLACES_SIZE];
	double share = trace->located_sources ? (double)row->sources / (double)trace->located_sources : 0;

	(void)fprintf(out, "network,%s,", places(row, text));
	if (row->network == TRACE_OTHERS)
		(void)fputs("others", out);
	else if (row->network)
		(void)fprintf(out, "%u", row->network);
	(void)fputc(',', out);
	put_text(out, row->name);
	(void)fprintf(out, ",,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.6f,%.6f,,\r\n", role_of(row->reflectors),
	              row->sources, row->packets, row->octets, share, share);
}

static void put_source(FILE *out, const struct export_source *source)
{
	char address[ADDRESS_TEXT_SIZE], first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];

	(void)fputs("source,,", out);
	if (source->network)
		(void)fprintf(out, "%u", source->network);
	(void)fprintf(out, ",,%s,%s,1,%" PRIu64 ",%" PRIu64 ",,,%s,%s\r\n", address_format(&source->address, address),
	              role_of(source->reflectors), source->packets, source->octets,
	              time_format((struct capture_time){ source->first_ns }, first),
	              time_format((struct capture_time){ source->last_ns }, last));
}

int export_csv(const struct export *export, char **text)
{
	struct trace_country *countries = calloc(COUNTRIES_MAX, sizeof(*countries));
	char *made = NULL;
	size_t size = 0;
	FILE *out = countries ? open_memstream(&made, &size) : NULL;
	bool failed;

	if (!out) {
		free(countries);
		return -ENOMEM;
	}
	(void)fputs(HEADER, out);
	put_countries(out, export->trace, countries);
	for (uint32_t i = 0; i < export->trace->rows_count; i++)
		put_row(out, export->trace, &export->trace->rows[i]);
	for (uint32_t i = 0; i < export->sources_count; i++)
		put_source(out, &export->sources[i]);
	free(countries);
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(made);
		return -ENOMEM;
	}
	*text = made;
	return 0;
}
