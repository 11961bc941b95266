/* SPDX-License-Identifier: Apache-2.0 */
/* A table of prices of one's own, in the form of data/prices.json. The first mistake is what is said. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "trace/cost.h"

#define SCHEMA "holdfast.prices/1"
#define SHOWN_MAX 40 /* octets of a word that an error repeats */

enum kind { KIND_TEXT, KIND_NUMBER, KIND_PER };

struct member {
	const char *name;
	enum kind kind;
	size_t offset, size;
};

#define IN_PRICE(field) offsetof(struct cost_price, field), sizeof(((struct cost_price *)NULL)->field)

static const struct member members[] = {
	{ "what", KIND_TEXT, IN_PRICE(what) },   { "per", KIND_PER, IN_PRICE(per) },
	{ "low", KIND_NUMBER, IN_PRICE(low) },   { "mid", KIND_NUMBER, IN_PRICE(mid) },
	{ "high", KIND_NUMBER, IN_PRICE(high) }, { "up_to_gbps", KIND_NUMBER, IN_PRICE(up_to_gbps) },
	{ "date", KIND_TEXT, IN_PRICE(date) },   { "source", KIND_TEXT, IN_PRICE(source) },
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static const char *const heads[] = { "schema", "note", "prices" };

__attribute__((format(printf, 2, 3))) static int refuse(char error[COST_ERROR_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, COST_ERROR_SIZE, format, arguments);
	va_end(arguments);
	for (char *at = error; *at; at++) /* it repeats what the file says */
		if ((unsigned char)*at < ' ' || *at == '\177')
			*at = '?';
	return -EBADMSG;
}

static bool take_text(const json_t *value, char *field, size_t size)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) != json_string_length(value) || strlen(text) >= size)
		return false;
	memcpy(field, text, strlen(text) + 1);
	return true;
}

static bool take_per(const json_t *value, enum cost_per *per)
{
	const char *text = json_string_value(value);

	for (unsigned i = COST_PER_GBPS_HOUR; text && i <= COST_PER_ATTACK; i++)
		if (strcmp(text, cost_per_name((enum cost_per)i)) == 0) {
			*per = (enum cost_per)i;
			return true;
		}
	return false;
}

static int take_member(const struct member *member, const json_t *value, unsigned row, struct cost_price *price,
                       char error[COST_ERROR_SIZE])
{
	void *field = (char *)price + member->offset;

	switch (member->kind) {
	case KIND_TEXT:
		if (!take_text(value, field, member->size))
			return refuse(error, "price %u: %s is no text of at most %zu octets", row, member->name,
			              member->size - 1);
		break;
	case KIND_NUMBER:
		if (!json_is_number(value))
			return refuse(error, "price %u: %s is no number", row, member->name);
		*(double *)field = json_number_value(value);
		break;
	case KIND_PER:
		if (!take_per(value, field))
			return refuse(error, "price %u: per is none of gbps_hour, hour, day, attack", row);
		break;
	}
	return 0;
}

static bool is_member(const char *name)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (strcmp(members[i].name, name) == 0)
			return true;
	return false;
}

static int take_price(json_t *object, unsigned row, struct cost_price *price, char error[COST_ERROR_SIZE])
{
	struct cost_price taken = { .what = "" };
	const char *name, *wrong;
	json_t *value;

	if (!json_is_object(object))
		return refuse(error, "price %u: it is no object", row);
	json_object_foreach(object, name, value)
	{
		if (!is_member(name))
			return refuse(error, "price %u: there is no member '%.*s'", row, SHOWN_MAX, name);
	}
	for (size_t i = 0; i < MEMBERS; i++) {
		int result;

		value = json_object_get(object, members[i].name);
		if (!value)
			return refuse(error, "price %u: it has no %s", row, members[i].name);
		result = take_member(&members[i], value, row, &taken, error);
		if (result != 0)
			return result;
	}
	wrong = cost_price_wrong(&taken);
	if (wrong)
		return refuse(error, "price %u: %s", row, wrong);
	*price = taken;
	return 0;
}

static int take_table(json_t *root, struct cost_price *prices, uint32_t *count, char error[COST_ERROR_SIZE])
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const json_t *rows = json_object_get(root, "prices");
	const char *name;
	json_t *value;

	if (!schema || strcmp(schema, SCHEMA) != 0)
		return refuse(error, "its schema is not \"" SCHEMA "\"");
	json_object_foreach(root, name, value)
	{
		bool known = false;

		for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
			known = known || strcmp(heads[i], name) == 0;
		if (!known)
			return refuse(error, "there is no member '%.*s'; there are schema, note, prices", SHOWN_MAX,
			              name);
	}
	if (!json_is_array(rows) || json_array_size(rows) < 1 || json_array_size(rows) > COST_PRICES_MAX)
		return refuse(error, "prices is no list of 1 to %d", COST_PRICES_MAX);
	for (uint32_t i = 0; i < json_array_size(rows); i++) {
		int result = take_price(json_array_get(rows, i), i + 1, &prices[i], error);

		if (result != 0)
			return result;
	}
	*count = (uint32_t)json_array_size(rows);
	return 0;
}

int cost_prices_parse(const char *text, size_t length, struct cost_price prices[COST_PRICES_MAX], uint32_t *count,
                      char error[COST_ERROR_SIZE])
{
	struct cost_price *taken;
	json_error_t said;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &said);
	int result;

	if (!root)
		return refuse(error, "line %d, column %d: %s", said.line, said.column, said.text);
	taken = calloc(COST_PRICES_MAX, sizeof(*taken));
	result = taken ? take_table(root, taken, count, error) : -ENOMEM;
	if (result == -ENOMEM)
		(void)refuse(error, "%s", strerror(ENOMEM));
	if (result == 0)
		memcpy(prices, taken, *count * sizeof(*taken));
	free(taken);
	json_decref(root);
	return result;
}

/* The text of a file that is there and not too large. */
static int read_text(const char *path, void **text, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), result;
	struct stat status;

	if (fd < 0)
		return -errno;
	result = fstat(fd, &status) != 0 ? -errno : 0;
	if (result == 0 && !S_ISREG(status.st_mode))
		result = -EINVAL;
	if (result == 0)
		result = file_read_all(fd, COST_FILE_MAX, text, length);
	(void)close(fd);
	return result;
}

int cost_prices_read(const char *path, struct cost_price prices[COST_PRICES_MAX], uint32_t *count,
                     char error[COST_ERROR_SIZE])
{
	size_t length = 0;
	void *text = NULL;
	int result = read_text(path, &text, &length);

	if (result == 0)
		result = cost_prices_parse(text, length, prices, count, error);
	else if (result == -EFBIG)
		(void)refuse(error, "it is larger than %d octets", COST_FILE_MAX);
	else if (result == -EINVAL)
		(void)refuse(error, "it is no regular file");
	else
		(void)refuse(error, "%s", strerror(-result));
	free(text);
	return result;
}
