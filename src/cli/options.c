/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/say.h"

#define QUOTED_MAX 64 /* octets of a word that a complaint repeats */
#define COMPLAINT_SIZE 320
#define LABEL_SIZE 64    /* "-w, --write OUT" */
#define DURATION_SIZE 24 /* "9223372036s" */

/* From long to short, so that what is said is in the largest unit that divides it. */
static const struct unit {
	char letter;
	uint64_t ns;
} units[] = {
	{ 'd', 86400 * NS_PER_S },
	{ 'h', 3600 * NS_PER_S },
	{ 'm', 60 * NS_PER_S },
	{ 's', NS_PER_S },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static const struct option_row help_row = { .name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "this text" };

struct parser {
	const struct option_table *table;
	char **argv;
	int argc, at; /* argv[at] is looked at */
	void *into;
	bool help;
};

/* The rows of the table and behind them that of --help; NULL at the end. */
static const struct option_row *row_at(const struct option_table *table, size_t i)
{
	if (i < table->count)
		return &table->rows[i];
	return i == table->count ? &help_row : NULL;
}

int options_refuse(const struct option_table *table, const char *format, ...)
{
	char what[COMPLAINT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	say_error(table->command, "%s; see 'holdfast %s --help'", what, table->command);
	return COMMAND_USAGE;
}

/* ---- Values ---- */

/* Digits from `text` on, saturated; what follows them in *end. False where there are none. */
static bool read_digits(const char *text, uint64_t *value, const char **end)
{
	const char *at = text;
	uint64_t sum = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
			sum = UINT64_MAX;
	*value = sum;
	*end = at;
	return at != text;
}

static bool read_duration(const char *text, uint64_t *ns)
{
	const char *unit;
	uint64_t count;

	if (!read_digits(text, &count, &unit) || !*unit || unit[1])
		return false;
	for (size_t i = 0; i < UNITS; i++) {
		if (units[i].letter != *unit)
			continue;
		if (__builtin_mul_overflow(count, units[i].ns, ns))
			*ns = UINT64_MAX;
		return true;
	}
	return false;
}

static const char *format_duration(uint64_t ns, char text[DURATION_SIZE])
{
	size_t i = 0;

	while (i < UNITS - 1 && (ns == 0 || ns % units[i].ns))
		i++;
	(void)snprintf(text, DURATION_SIZE, "%" PRIu64 "%c", ns / units[i].ns, units[i].letter);
	return text;
}

static uint64_t maximum_of(const struct option_row *row)
{
	uint64_t most = row->kind == OPTION_DURATION ? INT64_MAX : UINT64_MAX;

	return row->maximum && row->maximum < most ? row->maximum : most;
}

/* `shown` is how the row was asked: "--width", "-w"; of an operand what help calls it. */
static int refuse_number(const struct option_table *table, const struct option_row *row, const char *shown,
                         const char *text)
{
	if (row->maximum == row->minimum + 1)
		return options_refuse(table, "%.*s %.*s is neither %" PRIu64 " nor %" PRIu64, QUOTED_MAX, shown,
		                      QUOTED_MAX, text, row->minimum, row->maximum);
	if (row->maximum)
		return options_refuse(table, "%.*s %.*s is no number from %" PRIu64 " to %" PRIu64, QUOTED_MAX, shown,
		                      QUOTED_MAX, text, row->minimum, row->maximum);
	return options_refuse(table, "%.*s %.*s is no number", QUOTED_MAX, shown, QUOTED_MAX, text);
}

static int refuse_duration(const struct option_table *table, const struct option_row *row, const char *shown,
                           const char *text)
{
	char least[DURATION_SIZE], most[DURATION_SIZE];

	if (row->maximum)
		return options_refuse(table, "%.*s %.*s is no time from %s to %s", QUOTED_MAX, shown, QUOTED_MAX, text,
		                      format_duration(row->minimum, least), format_duration(row->maximum, most));
	return options_refuse(table, "%.*s %.*s is no time; write 60s, 5m or 1h", QUOTED_MAX, shown, QUOTED_MAX, text);
}

/* Fills the field of a row that has one value, or is a flag (then `text` is NULL). COMMAND_DONE or COMMAND_USAGE. */
static int take_value(const struct parser *parser, const struct option_row *row, const char *shown, const char *text)
{
	char *field = (char *)parser->into + row->offset;
	const char *end;
	uint64_t value;

	switch (row->kind) {
	case OPTION_FLAG:
		memcpy(field, &(bool){ true }, sizeof(bool));
		break;
	case OPTION_TEXT:
		memcpy(field, &text, sizeof(text));
		break;
	case OPTION_NUMBER:
		if (!read_digits(text, &value, &end) || *end || value < row->minimum || value > maximum_of(row))
			return refuse_number(parser->table, row, shown, text);
		memcpy(field, &value, sizeof(value));
		break;
	case OPTION_DURATION:
		if (!read_duration(text, &value) || value < row->minimum || value > maximum_of(row))
			return refuse_duration(parser->table, row, shown, text);
		memcpy(field, &(struct option_duration){ (int64_t)value }, sizeof(struct option_duration));
		break;
	case OPTION_WORDS: /* taken at once, by take_operands() */
		break;
	}
	return COMMAND_DONE;
}

static bool is_given(const struct option_row *row, const void *into)
{
	const char *field = (const char *)into + row->offset;
	struct option_words words;
	const char *text;
	uint64_t value;

	switch (row->kind) {
	case OPTION_TEXT:
		memcpy(&text, field, sizeof(text));
		return text != NULL;
	case OPTION_NUMBER:
	case OPTION_DURATION:
		memcpy(&value, field, sizeof(value));
		return value != 0;
	case OPTION_WORDS:
		memcpy(&words, field, sizeof(words));
		return words.count != 0;
	case OPTION_FLAG:
		break;
	}
	return true;
}

/* ---- Words ---- */

/* An option by its name or, where it is the only one, by how that begins. */
static const struct option_row *find_name(const struct option_table *table, const char *name, size_t length)
{
	const struct option_row *row, *found = NULL;
	unsigned begin_so = 0;

	for (size_t i = 0; (row = row_at(table, i)); i++) {
		if (!row->name || strncmp(row->name, name, length) != 0)
			continue;
		if (row->name[length] == '\0')
			return row;
		found = row;
		begin_so++;
	}
	return begin_so == 1 ? found : NULL;
}

static const struct option_row *find_letter(const struct option_table *table, char letter)
{
	const struct option_row *row;

	for (size_t i = 0; (row = row_at(table, i)); i++)
		if (row->name && row->letter == letter)
			return row;
	return NULL;
}

/* `value` is what stood in the same word, or NULL: then it is the word behind. */
static int take_option(struct parser *parser, const struct option_row *row, const char *shown, const char *value)
{
	if (row == &help_row) {
		parser->help = true;
		return COMMAND_DONE;
	}
	if (row->kind == OPTION_FLAG)
		return take_value(parser, row, shown, NULL);
	if (!value && parser->at + 1 < parser->argc)
		value = parser->argv[++parser->at];
	if (!value)
		return options_refuse(parser->table, "%.*s wants a value", QUOTED_MAX, shown);
	return take_value(parser, row, shown, value);
}

static int take_long(struct parser *parser, const char *word)
{
	const char *name = word + strlen("--"), *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find_name(parser->table, name, length);
	char shown[LABEL_SIZE];

	if (!row)
		return options_refuse(parser->table, "no option '%.*s'", QUOTED_MAX, word);
	(void)snprintf(shown, sizeof(shown), "--%s", row->name);
	if (equals && row->kind == OPTION_FLAG)
		return options_refuse(parser->table, "%s takes no value", shown);
	return take_option(parser, row, shown, equals ? equals + 1 : NULL);
}

static int take_letters(struct parser *parser, const char *word)
{
	int status = COMMAND_DONE;

	for (const char *at = word + 1; *at && status == COMMAND_DONE && !parser->help; at++) {
		const struct option_row *row = find_letter(parser->table, *at);
		const char shown[] = { '-', *at, '\0' };

		if (!row)
			return options_refuse(parser->table, "no option '%s'", shown);
		if (row->kind != OPTION_FLAG)
			return take_option(parser, row, shown, at[1] ? at + 1 : NULL);
		status = take_option(parser, row, shown, NULL);
	}
	return status;
}

static int take_operands(const struct parser *parser, char **words, size_t count)
{
	const struct option_table *table = parser->table;
	const struct option_row *last = NULL;
	size_t taken = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];
		size_t left = count - taken;
		int status;

		if (row->name)
			continue;
		last = row;
		if (row->kind == OPTION_WORDS) {
			struct option_words all = { words + taken, left < maximum_of(row) ? left : maximum_of(row) };

			memcpy((char *)parser->into + row->offset, &all, sizeof(all));
			taken += all.count;
		} else if (left > 0) {
			status = take_value(parser, row, row->value, words[taken++]);
			if (status != COMMAND_DONE)
				return status;
		}
	}
	if (taken == count)
		return COMMAND_DONE;
	if (last && last->too_many)
		return options_refuse(table, "%s, and '%.*s' is one too many", last->too_many, QUOTED_MAX,
		                      words[taken]);
	if (last && last->kind == OPTION_WORDS)
		return options_refuse(table, "more than %" PRIu64 " of %s", last->maximum, last->value);
	return options_refuse(table, "'%.*s' is one argument too many", QUOTED_MAX, words[taken]);
}

/* All words, until one asks for help. */
static int take_words(struct parser *parser)
{
	bool only_operands = false;
	size_t operands = 0;
	int status = COMMAND_DONE;

	for (parser->at = 1; parser->at < parser->argc && status == COMMAND_DONE && !parser->help; parser->at++) {
		char *word = parser->argv[parser->at];

		if (only_operands || word[0] != '-' || word[1] == '\0')
			parser->argv[1 + operands++] = word; /* never ahead of the word that is looked at */
		else if (strcmp(word, "--") == 0)
			only_operands = true;
		else
			status = word[1] == '-' ? take_long(parser, word) : take_letters(parser, word);
	}
	if (status != COMMAND_DONE || parser->help)
		return status;
	return take_operands(parser, parser->argv + 1, operands);
}

bool options_take(const struct option_table *table, int argc, char **argv, void *into, int *status)
{
	struct parser parser = { .table = table, .argv = argv, .argc = argc, .into = into };

	*status = take_words(&parser);
	if (*status != COMMAND_DONE)
		return false;
	if (parser.help) {
		options_help(table, stdout);
		*status = output_finish();
		return false;
	}
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];

		if (row->missing && !is_given(row, into)) {
			*status = options_refuse(table, "%s", row->missing);
			return false;
		}
	}
	return true;
}

/* ---- Help ---- */

/* How a row is typed. Returns the number of octets. */
static int label(const struct option_row *row, char text[LABEL_SIZE])
{
	int length;

	if (!row->name)
		length = snprintf(text, LABEL_SIZE, "%s", row->value);
	else if (row->letter)
		length = snprintf(text, LABEL_SIZE, "-%c, --%s%s%s", row->letter, row->name, row->value ? " " : "",
		                  row->value ? row->value : "");
	else
		length = snprintf(text, LABEL_SIZE, "--%s%s%s", row->name, row->value ? " " : "",
		                  row->value ? row->value : "");
	return length < LABEL_SIZE ? length : LABEL_SIZE - 1;
}

void options_help(const struct option_table *table, FILE *out)
{
	const struct option_row *row;
	char text[LABEL_SIZE];
	int widest = 0;

	for (size_t i = 0; (row = row_at(table, i)); i++) {
		int width = label(row, text);

		widest = width > widest ? width : widest;
	}
	(void)fprintf(out, "Usage: holdfast %s%s%s\n\n%s\n", table->command, *table->synopsis ? " " : "",
	              table->synopsis, table->purpose);
	for (size_t i = 0; (row = row_at(table, i)); i++) {
		(void)label(row, text);
		(void)fprintf(out, "  %-*s  ", widest, text);
		for (const char *at = row->help; *at; at++) {
			(void)fputc(*at, out);
			if (*at == '\n')
				(void)fprintf(out, "  %-*s  ", widest, "");
		}
		(void)fputc('\n', out);
	}
	(void)fprintf(out, "\n%s", table->notes);
}
