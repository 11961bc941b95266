/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of claims: parser and printer; the grammar stands in predicate.h.
 *
 * Terms are read from left to right, once; "and", "or", "not" and parentheses wait on a stack until what they join has
 * been read (Dijkstra's shunting yard), so that neither depth nor length of a text moves the stack of the processor. The
 * printer goes the same way: each node's text is made of those of its operands, which stand next to each other.
 *
 * Decisions where the grammar leaves room:
 * - "not" binds closest, then "and", then "or". Printed, each mixture of "and" and "or" has parentheses.
 * - Numbers are kept in decimal, so that they are printed as they were meant; 15 digits are enough for any.
 * - A vector must be one of the catalogue: a misspelt one would be contradicted by any evidence. Families need not be known.
 */
#include "trace/predicate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/time.h"
#include "detect/vector.h"
#include "trace/predicate_inside.h"

#define WORD_SIZE 48  /* a longer word is none that we know */
#define QUOTE_MAX 24  /* octets of the offending text in a message */
#define DIGITS_MAX 15 /* what a double holds exactly */
#define BEHIND_POINT_MAX 12
#define VALUE_DIGITS_MAX 18 /* before the point */
#define NETWORK_MAX 4294967294u
#define NODE_TEXT_SIZE 192
#define SECONDS_A_DAY 86400
#define YEAR_FIRST 1970
#define YEAR_LAST 2200

/* ---- tables of words ---- */

struct word {
	const char *text;
	int value;
};

static const struct word plain_terms[] = {
	{ "spoofed", PREDICATE_SPOOFED },
	{ "coordinated", PREDICATE_COORDINATED },
	{ "amplified", PREDICATE_AMPLIFIED },
	{ NULL, 0 },
};
static const struct word keys[] = {
	{ "country", PREDICATE_COUNTRY },
	{ "network", PREDICATE_NETWORK },
	{ "vector", PREDICATE_VECTOR },
	{ "family", PREDICATE_MARKS },
	{ NULL, 0 },
};
static const struct word bys[] = { { "sources", false }, { "packets", true }, { NULL, 0 } };
static const struct word counteds[] = {
	{ "sources", PREDICATE_SOURCES },   { "packets", PREDICATE_PACKETS },
	{ "networks", PREDICATE_NETWORKS }, { "countries", PREDICATE_COUNTRIES },
	{ "devices", PREDICATE_DEVICES },   { "waves", PREDICATE_WAVES },
	{ "vectors", PREDICATE_VECTORS },   { NULL, 0 },
};
static const struct word causes[] = {
	{ "attack", PREDICATE_ATTACK },
	{ "change", PREDICATE_CHANGE },
	{ "provider", PREDICATE_PROVIDER },
	{ "unknown", PREDICATE_UNKNOWN },
	{ NULL, 0 },
};
/* Longer ones first where one begins the other. */
static const struct word compares[] = {
	{ ">=", PREDICATE_AT_LEAST }, { "<=", PREDICATE_AT_MOST }, { ">", PREDICATE_ABOVE },
	{ "<", PREDICATE_BELOW },     { "=", PREDICATE_EQUAL },    { NULL, 0 },
};

static const struct unit {
	const char *text;
	int exponent;
	enum predicate_kind kind;
} rates[] = {
	{ "Tbps", 12, PREDICATE_SIZE_BPS }, { "Gbps", 9, PREDICATE_SIZE_BPS }, { "Mbps", 6, PREDICATE_SIZE_BPS },
	{ "kbps", 3, PREDICATE_SIZE_BPS },  { "bps", 0, PREDICATE_SIZE_BPS },  { "Tpps", 12, PREDICATE_SIZE_PPS },
	{ "Gpps", 9, PREDICATE_SIZE_PPS },  { "Mpps", 6, PREDICATE_SIZE_PPS }, { "kpps", 3, PREDICATE_SIZE_PPS },
	{ "pps", 0, PREDICATE_SIZE_PPS },   { NULL, 0, PREDICATE_SIZE_BPS },
};
static const struct word multiples[] = { { "k", 3 }, { "m", 6 }, { "g", 9 }, { "", 0 }, { NULL, 0 } };

static const char a_term[] = "a term such as 'share(country=UA) >= 0.5' or 'spoofed'";

bool predicate_joins(const struct predicate_node *node)
{
	return node->kind == PREDICATE_AND || node->kind == PREDICATE_OR || node->kind == PREDICATE_NOT;
}

/* ---- reading ---- */

/* What waits on the stack for its operand: enum predicate_kind of and, or, not; or this. */
#define OPEN_PARENTHESIS (-1)

struct reader {
	const char *text;
	size_t at;
	char *error;
	struct predicate *predicate;
	uint32_t terms;
	unsigned depth;
	int waiting[PREDICATE_DEPTH_MAX];
	size_t waiting_at[PREDICATE_DEPTH_MAX];
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char capital(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void skip_space(struct reader *r)
{
	while (r->text[r->at] == ' ' || r->text[r->at] == '\t' || r->text[r->at] == '\n' || r->text[r->at] == '\r')
		r->at++;
}

/* Always -EINVAL: the text is wrong at the present place. */
__attribute__((format(printf, 2, 3))) static int refuse(struct reader *r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(r->error, PREDICATE_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* "expected WHAT, found 'word'". */
static int refuse_found(struct reader *r, const char *expected)
{
	const char *from = r->text + r->at;
	size_t length = 0;
	bool cut;

	if (*from == '\0')
		return refuse(r, "expected %s, found the end", expected);
	while (length < QUOTE_MAX && (is_name(from[length]) || from[length] == '%'))
		length++;
	cut = length == QUOTE_MAX && is_name(from[length]);
	if (length == 0)
		return refuse(r, "expected %s, found '%c'", expected, *from > ' ' && *from <= '~' ? *from : '?');
	return refuse(r, "expected %s, found '%.*s%s'", expected, (int)length, from, cut ? "..." : "");
}

/* The word at the present place, in small letters; its length, 0 where there is none. Stays where it is. */
static size_t peek_word(const struct reader *r, char word[WORD_SIZE])
{
	size_t length = 0;

	while (is_letter(r->text[r->at + length])) {
		if (length + 1 < WORD_SIZE)
			word[length] = small(r->text[r->at + length]);
		length++;
	}
	word[length < WORD_SIZE ? length : WORD_SIZE - 1] = '\0';
	/* "spoofed2" is not "spoofed" */
	return is_name(r->text[r->at + length]) && r->text[r->at + length] != '.' ? 0 : length;
}

static bool take_word(struct reader *r, const char *expected)
{
	char word[WORD_SIZE];
	size_t length = peek_word(r, word);

	if (length == 0 || strcmp(word, expected) != 0)
		return false;
	r->at += length;
	return true;
}

static bool take_character(struct reader *r, char c)
{
	skip_space(r);
	if (r->text[r->at] != c)
		return false;
	r->at++;
	return true;
}

static int want_character(struct reader *r, char c)
{
	const char expected[] = { '\'', c, '\'', '\0' };

	return take_character(r, c) ? 0 : refuse_found(r, expected);
}

/* One of the words; `expected` says which. */
static int want_one_of(struct reader *r, const struct word *words, const char *expected, int *value)
{
	skip_space(r);
	for (; words->text; words++)
		if (take_word(r, words->text)) {
			*value = words->value;
			return 0;
		}
	return refuse_found(r, expected);
}

static int want_compare(struct reader *r, struct predicate_node *node)
{
	skip_space(r);
	for (const struct word *c = compares; c->text; c++)
		if (strncmp(r->text + r->at, c->text, strlen(c->text)) == 0) {
			r->at += strlen(c->text);
			node->compare = (enum predicate_compare)c->value;
			if (node->compare == PREDICATE_EQUAL && r->text[r->at] == '=')
				r->at++;
			skip_space(r);
			return 0;
		}
	return refuse_found(r, "one of >= <= > < =");
}

/* ---- numbers ---- */

static double number_value(const struct predicate_number *number)
{
	double power = 1, value = (double)number->mantissa;
	int places = number->exponent < 0 ? -number->exponent : number->exponent;

	for (int i = 0; i < places; i++) /* exact up to 10^22 */
		power *= 10;
	return number->exponent < 0 ? value / power : value * power;
}

static unsigned digits_of(uint64_t n)
{
	unsigned digits = 0;

	for (; n; n /= 10)
		digits++;
	return digits;
}

/* Whether a comma at `from` is one between thousands: "86,400". */
static bool groups(const char *from)
{
	return from[0] == ',' && is_digit(from[1]) && is_digit(from[2]) && is_digit(from[3]) && !is_digit(from[4]);
}

static int want_digits(struct reader *r, const char *expected, struct predicate_number *number)
{
	const char *from = r->text + r->at;
	bool any = false, behind_point = false;
	int zeros = 0, behind = 0; /* zeros wait for a digit that makes them count */

	number->mantissa = 0;
	for (;; from++) {
		if (*from == '.' && !behind_point && is_digit(from[1])) {
			behind_point = true;
			continue;
		}
		if (any && !behind_point && groups(from))
			continue;
		if (!is_digit(*from))
			break;
		any = true;
		behind += behind_point;
		if (*from == '0') {
			zeros += number->mantissa > 0;
			continue;
		}
		if ((int)digits_of(number->mantissa) + zeros + 1 > DIGITS_MAX || behind > BEHIND_POINT_MAX)
			return refuse(r, "a number has at most %d digits, %d of them behind the point", DIGITS_MAX,
			              BEHIND_POINT_MAX);
		for (; zeros; zeros--)
			number->mantissa *= 10;
		number->mantissa = number->mantissa * 10 + (uint64_t)(*from - '0');
	}
	if (!any)
		return refuse_found(r, expected);
	number->exponent = zeros - behind;
	r->at = (size_t)(from - r->text);
	return 0;
}

/* Brings it into its one form. `began`: where it stands. */
static int finish_number(struct reader *r, size_t began, struct predicate_node *node)
{
	struct predicate_number *number = &node->number;

	if (number->mantissa == 0)
		number->exponent = 0;
	if ((int)digits_of(number->mantissa) + number->exponent > VALUE_DIGITS_MAX) {
		r->at = began;
		return refuse(r, "too large a number");
	}
	node->value = number_value(number);
	return 0;
}

static int want_share(struct reader *r, struct predicate_node *node)
{
	static const char expected[] = "a share such as 0.5 or 50 %";
	size_t began = r->at;
	int result = want_digits(r, expected, &node->number);
	bool percent;

	if (result != 0)
		return result;
	percent = take_character(r, '%');
	if (percent)
		node->number.exponent -= 2;
	result = finish_number(r, began, node);
	if (result == 0 && node->value > 1) {
		r->at = began;
		return refuse(r, "expected a share from 0 to 1, or from 0 %% to 100 %%%s",
		              percent ? "" : "; for per cent write % behind it");
	}
	return result;
}

/* "k", "M", "G" behind a number. */
static int want_multiple(struct reader *r, struct predicate_node *node)
{
	char word[WORD_SIZE];
	size_t length = peek_word(r, word);

	for (const struct word *m = multiples; m->text; m++)
		if (strcmp(word, m->text) == 0) {
			r->at += length;
			node->number.exponent += m->value;
			return 0;
		}
	return refuse_found(r, "k, M, G or nothing behind the number");
}

static int want_count(struct reader *r, struct predicate_node *node)
{
	size_t began = r->at;
	int result = want_digits(r, "a number such as 100000 or 100k", &node->number);

	if (result == 0)
		result = want_multiple(r, node);
	return result == 0 ? finish_number(r, began, node) : result;
}

static int want_money(struct reader *r, struct predicate_node *node)
{
	size_t began = r->at;
	bool dollar = take_character(r, '$');
	int result;

	skip_space(r);
	result = want_digits(r, "an amount of dollars such as 1000 or $1000", &node->number);
	if (result != 0)
		return result;
	if (!take_word(r, "usd")) {
		result = want_multiple(r, node);
		if (result != 0)
			return result;
		skip_space(r);
		if (!dollar && !take_word(r, "usd"))
			(void)take_character(r, '$');
	}
	return finish_number(r, began, node);
}

static int want_rate(struct reader *r, struct predicate_node *node)
{
	size_t began = r->at;
	char word[WORD_SIZE], unit_word[WORD_SIZE];
	int result = want_digits(r, "a rate such as 3 Tbps or 40 Mpps", &node->number);
	size_t length;

	if (result != 0)
		return result;
	skip_space(r);
	length = peek_word(r, word);
	for (const struct unit *u = rates; u->text && length; u++) {
		for (size_t i = 0; i <= strlen(u->text); i++)
			unit_word[i] = small(u->text[i]);
		if (strcmp(word, unit_word) != 0)
			continue;
		r->at += length;
		node->number.exponent += u->exponent;
		node->kind = u->kind;
		return finish_number(r, began, node);
	}
	return refuse_found(r, "a unit: bps or pps, with k, M, G or T before it");
}

static int want_duration(struct reader *r, struct predicate_node *node)
{
	char word[WORD_SIZE];
	size_t length = 0;

	while (length + 1 < WORD_SIZE && (is_digit(r->text[r->at + length]) || is_letter(r->text[r->at + length]))) {
		word[length] = r->text[r->at + length];
		length++;
	}
	word[length] = '\0';
	if (duration_parse(word, &node->duration_ns) != 0)
		return refuse_found(r, "a duration such as 90s, 30m or 1h30m");
	r->at += length;
	node->value = (double)node->duration_ns / (double)NS_PER_S;
	return 0;
}

/* ---- times ---- */

/* `digits` of them, no more, as a number. */
static bool take_figures(struct reader *r, unsigned digits, int *value)
{
	int sum = 0;

	for (unsigned i = 0; i < digits; i++) {
		char c = r->text[r->at + i];

		if (!is_digit(c))
			return false;
		sum = sum * 10 + (c - '0');
	}
	r->at += digits;
	*value = sum;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_since_epoch(int year, int month, int day)
{
	int64_t days = day - 1;

	for (int y = YEAR_FIRST; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (int m = 1; m < month; m++)
		days += days_of_month(year, m);
	return days;
}

/* "09:30", "09:30:15". */
static bool take_clock(struct reader *r, int64_t *seconds)
{
	int hour, minute, second = 0;

	if (!take_figures(r, 2, &hour) || r->text[r->at] != ':')
		return false;
	r->at++;
	if (!take_figures(r, 2, &minute))
		return false;
	if (r->text[r->at] == ':') {
		r->at++;
		if (!take_figures(r, 2, &second))
			return false;
	}
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*seconds = ((int64_t)hour * 60 + minute) * 60 + second;
	return true;
}

static bool take_date(struct reader *r, int64_t *days)
{
	int year, month, day;

	if (!take_figures(r, 4, &year) || r->text[r->at++] != '-')
		return false;
	if (!take_figures(r, 2, &month) || r->text[r->at++] != '-')
		return false;
	if (!take_figures(r, 2, &day) || year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month))
		return false;
	*days = days_since_epoch(year, month, day);
	return true;
}

static int want_time(struct reader *r, struct predicate_time *time)
{
	static const char expected[] = "a time such as 09:30 or 2026-03-10T09:30Z";
	size_t began;
	int64_t seconds, days = 0;
	bool good;

	skip_space(r);
	began = r->at;
	time->dated = strlen(r->text + r->at) >= 5 && r->text[r->at + 4] == '-';
	good = !time->dated || take_date(r, &days);
	if (good && time->dated)
		good = capital(r->text[r->at++]) == 'T';
	good = good && take_clock(r, &seconds);
	if (good && capital(r->text[r->at]) == 'Z')
		r->at++;
	else if (time->dated)
		good = false;
	if (!good || is_letter(r->text[r->at]) || is_digit(r->text[r->at]) || r->text[r->at] == ':') {
		r->at = began;
		return refuse_found(r, expected);
	}
	time->ns = (days * SECONDS_A_DAY + seconds) * NS_PER_S;
	return 0;
}

/* ---- names ---- */

/* Octets of the UTF-8 character at `from` that is no control character; 0: it is none (RFC 3629). */
static size_t character_length(const unsigned char *from)
{
	size_t length = from[0] < 0x80   ? 1
	                : from[0] < 0xc2 ? 0
	                : from[0] < 0xe0 ? 2
	                : from[0] < 0xf0 ? 3
	                : from[0] < 0xf5 ? 4
	                                 : 0;

	if (length == 1)
		return from[0] >= ' ' && from[0] != 0x7f;
	for (size_t i = 1; i < length; i++)
		if ((from[i] & 0xc0) != 0x80)
			return 0;
	if ((from[0] == 0xc2 && from[1] < 0xa0) || (from[0] == 0xe0 && from[1] < 0xa0) ||
	    (from[0] == 0xed && from[1] > 0x9f) || (from[0] == 0xf0 && from[1] < 0x90) ||
	    (from[0] == 0xf4 && from[1] > 0x8f))
		return 0;
	return length;
}

static int want_name(struct reader *r, const char *expected, char name[PREDICATE_NAME_SIZE])
{
	size_t length = 0, began;

	skip_space(r);
	began = r->at;
	if (r->text[r->at] != '"') {
		while (is_name(r->text[began + length]))
			length++;
		if (length == 0)
			return refuse_found(r, expected);
	} else {
		const unsigned char *from = (const unsigned char *)r->text + ++began;

		while (from[length] != '"') {
			size_t character = character_length(from + length);

			if (from[length] == '\0')
				return refuse(r, "this text has no end: expected another '\"'");
			if (character == 0) {
				r->at = began + length;
				return refuse(r, "expected printable UTF-8 in a text");
			}
			length += character;
		}
		if (length == 0)
			return refuse(r, "expected %s, found an empty text", expected);
	}
	if (length >= PREDICATE_NAME_SIZE)
		return refuse(r, "a name has at most %d octets", PREDICATE_NAME_SIZE - 1);
	memset(name, 0, PREDICATE_NAME_SIZE);
	memcpy(name, r->text + began, length);
	r->at = began + length + (r->text[began + length] == '"');
	return 0;
}

static int want_country(struct reader *r, char name[PREDICATE_NAME_SIZE])
{
	skip_space(r);
	for (unsigned i = 0; i < 3; i++)
		if (is_letter(r->text[r->at + i]) != (i < 2))
			return refuse_found(r, "a country's code of two letters (ISO 3166)");
	memset(name, 0, PREDICATE_NAME_SIZE);
	name[0] = capital(r->text[r->at]);
	name[1] = capital(r->text[r->at + 1]);
	r->at += 2;
	return 0;
}

static int want_network(struct reader *r, uint32_t *network)
{
	static const char expected[] = "a network's number such as 64500 or AS64500";
	size_t began;
	uint64_t sum = 0;
	bool any = false;

	skip_space(r);
	began = r->at;
	if (small(r->text[r->at]) == 'a' && small(r->text[r->at + 1]) == 's')
		r->at += 2;
	for (; is_digit(r->text[r->at]) && sum <= NETWORK_MAX; r->at++, any = true)
		sum = sum * 10 + (uint64_t)(r->text[r->at] - '0');
	if (!any || sum == 0 || sum > NETWORK_MAX || is_name(r->text[r->at])) {
		r->at = began;
		return refuse_found(r, expected);
	}
	*network = (uint32_t)sum;
	return 0;
}

static int want_vector(struct reader *r, char name[PREDICATE_NAME_SIZE])
{
	size_t began;
	int result;

	skip_space(r);
	began = r->at;
	result = want_name(r, "a vector's name such as syn_flood", name);
	if (result != 0)
		return result;
	for (size_t i = 0; name[i]; i++)
		name[i] = small(name[i]);
	for (size_t i = 1; i < vector_count(); i++) {
		const char *known = vector_get((uint8_t)i)->name;

		if (known && strcmp(known, name) == 0)
			return 0;
	}
	r->at = began;
	return refuse(r,
	              "there is no vector '%.*s' in the catalogue; 'holdfast analyze --json' names those of an attack",
	              QUOTE_MAX, name);
}

/* ---- terms ---- */

static int want_share_term(struct reader *r, struct predicate_node *node)
{
	int value = 0, by = 0, result = want_character(r, '(');

	node->kind = PREDICATE_SHARE;
	if (result == 0)
		result = want_one_of(r, keys, "country, network, vector or family", &value);
	if (result == 0)
		result = want_character(r, '=');
	if (result != 0)
		return result;
	node->key = (enum predicate_key)value;
	node->by_packets = node->key == PREDICATE_VECTOR || node->key == PREDICATE_MARKS;
	switch (node->key) {
	case PREDICATE_COUNTRY:
		result = want_country(r, node->name);
		break;
	case PREDICATE_NETWORK:
		result = want_network(r, &node->network);
		break;
	case PREDICATE_VECTOR:
		result = want_vector(r, node->name);
		break;
	case PREDICATE_MARKS:
		result = want_name(r, "a family's name such as mirai", node->name);
		break;
	}
	if (result == 0 && take_character(r, ',')) {
		size_t began;

		skip_space(r);
		if (!take_word(r, "by"))
			return refuse_found(r, "'by=sources' or 'by=packets'");
		result = want_character(r, '=');
		skip_space(r);
		began = r->at;
		if (result == 0)
			result = want_one_of(r, bys, "sources or packets", &by);
		node->by_packets = by;
		if (result == 0 && node->key == PREDICATE_MARKS && !by) {
			r->at = began;
			return refuse(r, "of a family only packets are counted: expected packets");
		}
	}
	if (result == 0)
		result = want_character(r, ')');
	if (result == 0)
		result = want_compare(r, node);
	return result == 0 ? want_share(r, node) : result;
}

static int want_count_term(struct reader *r, struct predicate_node *node)
{
	int value = 0, result = want_character(r, '(');

	node->kind = PREDICATE_COUNT;
	if (result == 0)
		result = want_one_of(r, counteds, "sources, packets, networks, countries, devices, waves or vectors",
		                     &value);
	node->counted = (enum predicate_counted)value;
	if (result == 0)
		result = want_character(r, ')');
	if (result == 0)
		result = want_compare(r, node);
	return result == 0 ? want_count(r, node) : result;
}

static int want_family_term(struct reader *r, struct predicate_node *node)
{
	int result = want_character(r, '(');

	node->kind = PREDICATE_FAMILY;
	if (result == 0)
		result = want_name(r, "a family's name such as mirai", node->name);
	return result == 0 ? want_character(r, ')') : result;
}

static int want_compared_term(struct reader *r, struct predicate_node *node, enum predicate_kind kind,
                              int (*want)(struct reader *r, struct predicate_node *node))
{
	int result = want_compare(r, node);

	node->kind = kind;
	return result == 0 ? want(r, node) : result;
}

static int want_size_term(struct reader *r, struct predicate_node *node)
{
	return want_compared_term(r, node, PREDICATE_SIZE_BPS, want_rate);
}

static int want_duration_term(struct reader *r, struct predicate_node *node)
{
	return want_compared_term(r, node, PREDICATE_DURATION, want_duration);
}

static int want_cost_term(struct reader *r, struct predicate_node *node)
{
	return want_compared_term(r, node, PREDICATE_COST, want_money);
}

static int want_outage_term(struct reader *r, struct predicate_node *node)
{
	size_t began;
	int result;

	skip_space(r);
	if (strchr("<>=", r->text[r->at]) && r->text[r->at])
		return want_compared_term(r, node, PREDICATE_OUTAGE_LENGTH, want_duration);
	node->kind = PREDICATE_OUTAGE;
	if (!take_word(r, "within"))
		return 0;
	node->kind = PREDICATE_OUTAGE_WITHIN;
	result = want_time(r, &node->from);
	if (result != 0)
		return result;
	skip_space(r);
	if (strncmp(r->text + r->at, "..", 2) != 0)
		return refuse_found(r, "'..' between two times");
	r->at += 2;
	skip_space(r);
	began = r->at;
	result = want_time(r, &node->to);
	if (result == 0 && node->from.dated != node->to.dated) {
		r->at = began;
		return refuse(r, "expected both times with a date, or none");
	}
	if (result == 0 && node->from.dated && node->to.ns <= node->from.ns) {
		r->at = began;
		return refuse(r, "expected the earlier time first");
	}
	return result;
}

static int want_equals(struct reader *r)
{
	int result = want_character(r, '=');

	if (result == 0 && r->text[r->at] == '=')
		r->at++;
	return result;
}

static int want_cause_term(struct reader *r, struct predicate_node *node)
{
	int value = 0, result = want_equals(r);

	node->kind = PREDICATE_CAUSE;
	if (result == 0)
		result = want_one_of(r, causes, "attack, change, provider or unknown", &value);
	node->cause = (enum predicate_cause)value;
	return result;
}

static int want_actor_term(struct reader *r, struct predicate_node *node)
{
	int result = want_equals(r);

	node->kind = PREDICATE_ACTOR;
	return result == 0 ? want_name(r, "a name, in \" where it has spaces", node->name) : result;
}

static const struct term {
	const char *word;
	int (*want)(struct reader *r, struct predicate_node *node);
} terms[] = {
	{ "share", want_share_term },   { "count", want_count_term }, { "family", want_family_term },
	{ "size", want_size_term },     { "cost", want_cost_term },   { "duration", want_duration_term },
	{ "outage", want_outage_term }, { "cause", want_cause_term }, { "actor", want_actor_term },
};

static int want_term(struct reader *r, struct predicate_node *node)
{
	memset(node, 0, sizeof(*node));
	for (const struct word *p = plain_terms; p->text; p++)
		if (take_word(r, p->text)) {
			node->kind = (enum predicate_kind)p->value;
			return 0;
		}
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		if (take_word(r, terms[i].word))
			return terms[i].want(r, node);
	return refuse_found(r, a_term);
}

/* ---- what joins terms ---- */

static int wait(struct reader *r, int what, size_t at)
{
	if (r->depth == PREDICATE_DEPTH_MAX) {
		r->at = at;
		return refuse(r, "nested more than %d deep", PREDICATE_DEPTH_MAX);
	}
	r->waiting[r->depth] = what;
	r->waiting_at[r->depth++] = at;
	return 0;
}

static unsigned precedence(int kind)
{
	return kind == PREDICATE_NOT ? 3 : kind == PREDICATE_AND ? 2 : kind == PREDICATE_OR ? 1 : 0;
}

/* What waits and binds at least so close has all it needs. There is a node for each: terms and nots are bounded. */
static void join(struct reader *r, unsigned at_least)
{
	while (r->depth && precedence(r->waiting[r->depth - 1]) >= at_least) {
		struct predicate_node *node = &r->predicate->nodes[r->predicate->count++];

		memset(node, 0, sizeof(*node));
		node->kind = (enum predicate_kind)r->waiting[--r->depth];
	}
}

static unsigned count_nots(const struct reader *r)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < r->predicate->count; i++)
		count += r->predicate->nodes[i].kind == PREDICATE_NOT;
	for (unsigned i = 0; i < r->depth; i++)
		count += r->waiting[i] == PREDICATE_NOT;
	return count;
}

/* Up to the end of a term. */
static int want_operand(struct reader *r)
{
	struct predicate_node node;
	int result;

	for (;;) {
		size_t at;

		skip_space(r);
		at = r->at;
		if (take_character(r, '('))
			result = wait(r, OPEN_PARENTHESIS, at);
		else if (take_word(r, "not"))
			result = count_nots(r) < PREDICATE_DEPTH_MAX ? wait(r, PREDICATE_NOT, at)
			                                             : refuse(r, "too many times 'not'");
		else
			break;
		if (result != 0)
			return result;
	}
	if (r->terms == PREDICATE_TERMS_MAX)
		return refuse(r, "more than %d terms", PREDICATE_TERMS_MAX);
	result = want_term(r, &node);
	if (result != 0)
		return result;
	r->terms++;
	r->predicate->nodes[r->predicate->count++] = node;
	return 0;
}

static int close_parenthesis(struct reader *r)
{
	join(r, 1);
	if (r->depth == 0) {
		r->at--;
		return refuse(r, "this ')' has no '('");
	}
	r->depth--;
	return 0;
}

static int read_all(struct reader *r)
{
	for (;;) {
		int result = want_operand(r);
		size_t at;

		if (result != 0)
			return result;
		while (take_character(r, ')')) {
			result = close_parenthesis(r);
			if (result != 0)
				return result;
		}
		at = r->at;
		if (r->text[at] == '\0')
			break;
		if (take_word(r, "and")) {
			join(r, precedence(PREDICATE_AND));
			result = wait(r, PREDICATE_AND, at);
		} else if (take_word(r, "or")) {
			join(r, precedence(PREDICATE_OR));
			result = wait(r, PREDICATE_OR, at);
		} else {
			return refuse_found(r, r->depth ? "'and', 'or', ')' or the end" : "'and', 'or' or the end");
		}
		if (result != 0)
			return result;
	}
	join(r, 1);
	if (r->depth > 0) {
		r->at = r->waiting_at[r->depth - 1];
		return refuse(r, "this '(' has no ')'");
	}
	return 0;
}

/* ---- printing ---- */

struct writer {
	char text[NODE_TEXT_SIZE];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(w->text + w->length, sizeof(w->text) - w->length, format, arguments);
	va_end(arguments);
	w->length += length > 0 ? (size_t)length : 0;
	if (w->length >= sizeof(w->text))
		w->length = sizeof(w->text) - 1;
}

static const char *word_of(const struct word *words, int value)
{
	while (words->text && words->value != value)
		words++;
	return words->text ? words->text : "";
}

/* `shift`: the unit's exponent. */
static void put_number(struct writer *w, const struct predicate_number *number, int shift)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, number->mantissa);
	int exponent = number->mantissa ? number->exponent - shift : 0, whole = length + exponent;

	if (exponent >= 0) {
		put(w, "%s%.*s", digits, exponent, "000000000000000000");
		return;
	}
	if (whole > 0)
		put(w, "%.*s.%s", whole, digits, digits + whole);
	else
		put(w, "0.%.*s%s", -whole, "000000000000000000000000", digits);
}

static void put_rate(struct writer *w, const struct predicate_node *node)
{
	int digits = (int)digits_of(node->number.mantissa) + node->number.exponent;
	const struct unit *chosen = NULL;

	for (const struct unit *u = rates; u->text; u++) {
		if (u->kind != node->kind)
			continue;
		chosen = u;
		if (digits > u->exponent)
			break;
	}
	put_number(w, &node->number, chosen ? chosen->exponent : 0);
	put(w, " %s", chosen ? chosen->text : "");
}

static void put_name(struct writer *w, const char *name)
{
	const char *end = name;

	while (is_name(*end))
		end++;
	put(w, *end ? "\"%s\"" : "%s", name);
}

static void put_time(struct writer *w, const struct predicate_time *time)
{
	int64_t seconds = time->ns / NS_PER_S % SECONDS_A_DAY;
	char text[TIME_TEXT_SIZE];

	if (time->dated) /* what stands before the fraction of seconds */
		put(w, "%.*sZ", 19, time_format((struct capture_time){ time->ns }, text));
	else
		put(w, seconds % 60 ? "%02d:%02d:%02d" : "%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
		    (int)(seconds % 60));
}

static void put_share_term(struct writer *w, const struct predicate_node *node)
{
	put(w, "share(%s=", word_of(keys, (int)node->key));
	if (node->key == PREDICATE_NETWORK)
		put(w, "%" PRIu32, node->network);
	else
		put_name(w, node->name);
	if (node->by_packets != (node->key == PREDICATE_VECTOR || node->key == PREDICATE_MARKS))
		put(w, ", by=%s", word_of(bys, node->by_packets));
	put(w, ") %s ", word_of(compares, (int)node->compare));
	put_number(w, &node->number, 0);
}

static void put_term(struct writer *w, const struct predicate_node *node)
{
	char duration[DURATION_TEXT_SIZE];
	const char *compare = word_of(compares, (int)node->compare);

	switch (node->kind) {
	case PREDICATE_SHARE:
		put_share_term(w, node);
		break;
	case PREDICATE_COUNT:
		put(w, "count(%s) %s ", word_of(counteds, (int)node->counted), compare);
		put_number(w, &node->number, 0);
		break;
	case PREDICATE_FAMILY:
		put(w, "family(");
		put_name(w, node->name);
		put(w, ")");
		break;
	case PREDICATE_SIZE_BPS:
	case PREDICATE_SIZE_PPS:
		put(w, "size %s ", compare);
		put_rate(w, node);
		break;
	case PREDICATE_DURATION:
	case PREDICATE_OUTAGE_LENGTH:
		put(w, "%s %s %s", node->kind == PREDICATE_DURATION ? "duration" : "outage", compare,
		    duration_format(node->duration_ns, duration));
		break;
	case PREDICATE_COST:
		put(w, "cost %s ", compare);
		put_number(w, &node->number, 0);
		put(w, " USD");
		break;
	case PREDICATE_OUTAGE_WITHIN:
		put(w, "outage within ");
		put_time(w, &node->from);
		put(w, "..");
		put_time(w, &node->to);
		break;
	case PREDICATE_CAUSE:
		put(w, "cause = %s", word_of(causes, (int)node->cause));
		break;
	case PREDICATE_ACTOR:
		put(w, "actor = ");
		put_name(w, node->name);
		break;
	case PREDICATE_OUTAGE:
		put(w, "outage");
		break;
	case PREDICATE_SPOOFED:
	case PREDICATE_COORDINATED:
	case PREDICATE_AMPLIFIED:
	case PREDICATE_AND:
	case PREDICATE_OR:
	case PREDICATE_NOT:
		put(w, "%s", word_of(plain_terms, (int)node->kind));
		break;
	}
}

/* A part of the text being made: what the nodes so far have left to be joined. */
struct piece {
	size_t at;
	unsigned precedence; /* of what it is: a term 4 */
};

/* Makes room of `length` octets at `at` and copies them in; terms that stand there or behind move. False: no room. */
static bool insert(struct predicate *predicate, uint32_t before, size_t at, const char *text)
{
	size_t length = strlen(text), whole = strlen(predicate->text);

	if (whole + length > PREDICATE_TEXT_MAX)
		return false;
	memmove(predicate->text + at + length, predicate->text + at, whole - at + 1);
	memcpy(predicate->text + at, text, length);
	for (uint32_t i = 0; i < before; i++)
		if (!predicate_joins(&predicate->nodes[i]) && predicate->nodes[i].text_at >= at)
			predicate->nodes[i].text_at += (uint32_t)length;
	return true;
}

static bool enclose(struct predicate *predicate, uint32_t before, const struct piece *piece, size_t end)
{
	return insert(predicate, before, end, ")") && insert(predicate, before, piece->at, "(");
}

/* The last two pieces become one. */
static bool write_pair(struct predicate *predicate, uint32_t node, struct piece *left, struct piece *right)
{
	unsigned mine = precedence((int)predicate->nodes[node].kind);
	size_t before = strlen(predicate->text);

	/* An "and" among "or", an "or" among "and", and on the right what would have come first on the left. */
	if (right->precedence < 3 && !enclose(predicate, node, right, before))
		return false;
	if (left->precedence < 3 && left->precedence != mine && !enclose(predicate, node, left, right->at))
		return false;
	/* What was put before `right` has moved it. */
	right->at += (left->precedence < 3 && left->precedence != mine) ? 2 : 0;
	left->precedence = mine;
	return insert(predicate, node, right->at, mine == precedence(PREDICATE_AND) ? " and " : " or ");
}

static bool write_not(struct predicate *predicate, uint32_t node, struct piece *piece)
{
	if (piece->precedence < 3 && !enclose(predicate, node, piece, strlen(predicate->text)))
		return false;
	piece->precedence = 3;
	return insert(predicate, node, piece->at, "not ");
}

static bool write_text(struct predicate *predicate)
{
	struct piece pieces[PREDICATE_TERMS_MAX] = { { 0, 0 } };
	unsigned count = 0;

	for (uint32_t i = 0; i < predicate->count; i++) {
		struct predicate_node *node = &predicate->nodes[i];
		struct writer w = { "", 0 };

		if (node->kind == PREDICATE_NOT) {
			if (!write_not(predicate, i, &pieces[count - 1]))
				return false;
			continue;
		}
		if (predicate_joins(node)) {
			count--;
			if (!write_pair(predicate, i, &pieces[count - 1], &pieces[count]))
				return false;
			continue;
		}
		put_term(&w, node);
		pieces[count] = (struct piece){ strlen(predicate->text), 4 };
		node->text_at = (uint32_t)pieces[count++].at;
		node->text_length = (uint32_t)w.length;
		if (node->text_at + w.length > PREDICATE_TEXT_MAX)
			return false;
		memcpy(predicate->text + node->text_at, w.text, w.length + 1);
	}
	return true;
}

int predicate_parse(const char *text, struct predicate **predicate, size_t *at, char error[PREDICATE_ERROR_SIZE])
{
	struct reader r = { .text = text };
	int result = 0;

	r.error = error;
	r.predicate = calloc(1, sizeof(*r.predicate));
	if (!r.predicate)
		return -ENOMEM;
	if (strlen(text) > PREDICATE_TEXT_MAX) {
		r.at = PREDICATE_TEXT_MAX;
		result = refuse(&r, "longer than %d octets", PREDICATE_TEXT_MAX);
	}
	if (result == 0)
		result = read_all(&r);
	if (result == 0 && !write_text(r.predicate)) {
		r.at = 0;
		result = refuse(&r, "longer than %d octets once it is written out", PREDICATE_TEXT_MAX);
	}
	if (result != 0) {
		*at = r.at;
		predicate_free(r.predicate);
		return result;
	}
	*predicate = r.predicate;
	return 0;
}

void predicate_free(struct predicate *predicate)
{
	free(predicate);
}

const char *predicate_text(const struct predicate *predicate)
{
	return predicate->text;
}
