/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers are kept in decimal, so that they are printed as they were meant; 15 digits are enough for any. A vector must
 * be one of the catalogue: a misspelt one would be contradicted by any evidence. Families need not be known.
 */
#include "trace/predicate_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/time.h"
#include "detect/vector.h"

#define DIGITS_MAX 15 /* what a double holds exactly */
#define BEHIND_POINT_MAX 12
#define VALUE_DIGITS_MAX 18 /* before the point */
#define NETWORK_MAX 4294967294u
#define SECONDS_A_DAY 86400

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
static const struct reader_word multiples[] = { { "k", 3 }, { "m", 6 }, { "g", 9 }, { "", 0 }, { NULL, 0 } };

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
	return from[0] == ',' && reader_is_digit(from[1]) && reader_is_digit(from[2]) && reader_is_digit(from[3]) &&
	       !reader_is_digit(from[4]);
}

static int read_digits(struct reader *r, const char *expected, struct predicate_number *number)
{
	const char *from = r->text + r->at;
	bool any = false, behind_point = false;
	int zeros = 0, behind = 0; /* zeros wait for a digit that makes them count */

	number->mantissa = 0;
	for (;; from++) {
		if (*from == '.' && !behind_point && reader_is_digit(from[1])) {
			behind_point = true;
			continue;
		}
		if (any && !behind_point && groups(from))
			continue;
		if (!reader_is_digit(*from))
			break;
		any = true;
		behind += behind_point;
		if (*from == '0') {
			zeros += number->mantissa > 0;
			continue;
		}
		if ((int)digits_of(number->mantissa) + zeros + 1 > DIGITS_MAX || behind > BEHIND_POINT_MAX)
			return reader_refuse(r, "a number has at most %d digits, %d of them behind the point",
			                     DIGITS_MAX, BEHIND_POINT_MAX);
		for (; zeros; zeros--)
			number->mantissa *= 10;
		number->mantissa = number->mantissa * 10 + (uint64_t)(*from - '0');
	}
	if (!any)
		return reader_refuse_found(r, expected);
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
		return reader_refuse(r, "too large a number");
	}
	node->value = number_value(number);
	return 0;
}

int value_read_share(struct reader *r, struct predicate_node *node)
{
	static const char expected[] = "a share such as 0.5 or 50 %";
	size_t began = r->at;
	int result = read_digits(r, expected, &node->number);
	bool percent;

	if (result != 0)
		return result;
	percent = reader_take(r, '%');
	if (percent)
		node->number.exponent -= 2;
	result = finish_number(r, began, node);
	if (result == 0 && node->value > 1) {
		r->at = began;
		return reader_refuse(r, "expected a share from 0 to 1, or from 0 %% to 100 %%%s",
		                     percent ? "" : "; for per cent write % behind it");
	}
	return result;
}

/* "k", "M", "G" behind a number. */
static int read_multiple(struct reader *r, struct predicate_node *node)
{
	char word[READER_WORD_SIZE];
	size_t length = reader_peek_word(r, word);

	for (const struct reader_word *m = multiples; m->text; m++)
		if (strcmp(word, m->text) == 0) {
			r->at += length;
			node->number.exponent += m->value;
			return 0;
		}
	return reader_refuse_found(r, "k, M, G or nothing behind the number");
}

int value_read_count(struct reader *r, struct predicate_node *node)
{
	size_t began = r->at;
	int result = read_digits(r, "a number such as 100000 or 100k", &node->number);

	if (result == 0)
		result = read_multiple(r, node);
	return result == 0 ? finish_number(r, began, node) : result;
}

int value_read_money(struct reader *r, struct predicate_node *node)
{
	size_t began = r->at;
	bool dollar = reader_take(r, '$');
	int result;

	reader_skip_space(r);
	result = read_digits(r, "an amount of dollars such as 1000 or $1000", &node->number);
	if (result != 0)
		return result;
	if (!reader_take_word(r, "usd")) {
		result = read_multiple(r, node);
		if (result != 0)
			return result;
		reader_skip_space(r);
		if (!dollar && !reader_take_word(r, "usd"))
			(void)reader_take(r, '$');
	}
	return finish_number(r, began, node);
}

int value_read_rate(struct reader *r, struct predicate_node *node)
{
	size_t began = r->at;
	char word[READER_WORD_SIZE], unit_word[READER_WORD_SIZE];
	int result = read_digits(r, "a rate such as 3 Tbps or 40 Mpps", &node->number);
	size_t length;

	if (result != 0)
		return result;
	reader_skip_space(r);
	length = reader_peek_word(r, word);
	for (const struct unit *u = rates; u->text && length; u++) {
		for (size_t i = 0; i <= strlen(u->text); i++)
			unit_word[i] = reader_small(u->text[i]);
		if (strcmp(word, unit_word) != 0)
			continue;
		r->at += length;
		node->number.exponent += u->exponent;
		node->kind = u->kind;
		return finish_number(r, began, node);
	}
	return reader_refuse_found(r, "a unit: bps or pps, with k, M, G or T before it");
}

int value_read_duration(struct reader *r, struct predicate_node *node)
{
	char word[READER_WORD_SIZE];
	size_t length = 0;

	while (length + 1 < READER_WORD_SIZE &&
	       (reader_is_digit(r->text[r->at + length]) || reader_is_letter(r->text[r->at + length]))) {
		word[length] = r->text[r->at + length];
		length++;
	}
	word[length] = '\0';
	if (duration_parse(word, &node->duration_ns) != 0)
		return reader_refuse_found(r, "a duration such as 90s, 30m or 1h30m");
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

		if (!reader_is_digit(c))
			return false;
		sum = sum * 10 + (c - '0');
	}
	r->at += digits;
	*value = sum;
	return true;
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

/* "2026-03-10T09:30Z", "2026-03-10T09:30:15Z", in small letters too. */
static bool take_moment(struct reader *r, int64_t *ns)
{
	static const char minute[] = "2026-03-10T09:30Z", second[] = ":00Z";
	char whole[TIME_TEXT_SIZE];
	struct capture_time time;
	size_t length = 0;

	for (; length < sizeof(minute) - 1 + sizeof(second); length++) {
		char c = r->text[r->at + length];

		if (!reader_is_digit(c) && !reader_is_letter(c) && c != '-' && c != ':')
			break;
		whole[length] = reader_capital(c);
	}
	whole[length] = '\0';
	if (length == sizeof(minute) - 1 && whole[length - 1] == 'Z')
		memcpy(whole + length - 1, second, sizeof(second));
	if (time_parse(whole, &time) != 0 || time.ns < 0)
		return false;
	r->at += length;
	*ns = time.ns;
	return true;
}

int value_read_time(struct reader *r, struct predicate_time *time)
{
	static const char expected[] = "a time such as 09:30 or 2026-03-10T09:30Z";
	int64_t seconds = 0;
	size_t began;
	bool good;

	reader_skip_space(r);
	began = r->at;
	time->dated = strlen(r->text + r->at) >= 5 && r->text[r->at + 4] == '-';
	if (time->dated) {
		good = take_moment(r, &time->ns);
	} else {
		good = take_clock(r, &seconds);
		if (good && reader_capital(r->text[r->at]) == 'Z')
			r->at++;
		time->ns = seconds * NS_PER_S;
	}
	if (!good || reader_is_letter(r->text[r->at]) || reader_is_digit(r->text[r->at]) || r->text[r->at] == ':') {
		r->at = began;
		return reader_refuse_found(r, expected);
	}
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

int value_read_name(struct reader *r, const char *expected, char name[PREDICATE_NAME_SIZE])
{
	bool quoted;
	size_t length = 0, began;

	reader_skip_space(r);
	quoted = r->text[r->at] == '"';
	began = r->at + quoted;
	if (!quoted) {
		while (reader_is_name(r->text[began + length]))
			length++;
		if (length == 0)
			return reader_refuse_found(r, expected);
	} else {
		const unsigned char *from = (const unsigned char *)r->text + began;

		while (from[length] != '"') {
			size_t character = character_length(from + length);

			if (from[length] == '\0')
				return reader_refuse(r, "this text has no end: expected another '\"'");
			if (character == 0) {
				r->at = began + length;
				return reader_refuse(r, "expected printable UTF-8 in a text");
			}
			length += character;
		}
		if (length == 0)
			return reader_refuse(r, "expected %s, found an empty text", expected);
	}
	if (length >= PREDICATE_NAME_SIZE)
		return reader_refuse(r, "a name has at most %d octets", PREDICATE_NAME_SIZE - 1);
	memset(name, 0, PREDICATE_NAME_SIZE);
	memcpy(name, r->text + began, length);
	r->at = began + length + quoted;
	return 0;
}

int value_read_country(struct reader *r, char name[PREDICATE_NAME_SIZE])
{
	reader_skip_space(r);
	for (unsigned i = 0; i < 3; i++)
		if (reader_is_letter(r->text[r->at + i]) != (i < 2))
			return reader_refuse_found(r, "a country's code of two letters (ISO 3166)");
	memset(name, 0, PREDICATE_NAME_SIZE);
	name[0] = reader_capital(r->text[r->at]);
	name[1] = reader_capital(r->text[r->at + 1]);
	r->at += 2;
	return 0;
}

int value_read_network(struct reader *r, uint32_t *network)
{
	static const char expected[] = "a network's number such as 64500 or AS64500";
	size_t began;
	uint64_t sum = 0;
	bool any = false;

	reader_skip_space(r);
	began = r->at;
	if (reader_small(r->text[r->at]) == 'a' && reader_small(r->text[r->at + 1]) == 's')
		r->at += 2;
	for (; reader_is_digit(r->text[r->at]) && sum <= NETWORK_MAX; r->at++, any = true)
		sum = sum * 10 + (uint64_t)(r->text[r->at] - '0');
	if (!any || sum == 0 || sum > NETWORK_MAX || reader_is_name(r->text[r->at])) {
		r->at = began;
		return reader_refuse_found(r, expected);
	}
	*network = (uint32_t)sum;
	return 0;
}

int value_read_vector(struct reader *r, char name[PREDICATE_NAME_SIZE])
{
	size_t began;
	int result;

	reader_skip_space(r);
	began = r->at;
	result = value_read_name(r, "a vector's name such as syn_flood", name);
	if (result != 0)
		return result;
	for (size_t i = 0; name[i]; i++)
		name[i] = reader_small(name[i]);
	for (size_t i = 1; i < vector_count(); i++) {
		const char *known = vector_get((uint8_t)i)->name;

		if (known && strcmp(known, name) == 0)
			return 0;
	}
	r->at = began;
	return reader_refuse(
		r, "there is no vector '%.*s' in the catalogue; 'holdfast analyze --json' names those of an attack",
		READER_QUOTE_MAX, name);
}

/* ---- printing ---- */

/* `shift`: the unit's exponent. */
void value_put_number(struct writer *w, const struct predicate_number *number, int shift)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, number->mantissa);
	int exponent = number->mantissa ? number->exponent - shift : 0, whole = length + exponent;

	if (exponent >= 0) {
		writer_put(w, "%s%.*s", digits, exponent, "000000000000000000");
		return;
	}
	if (whole > 0)
		writer_put(w, "%.*s.%s", whole, digits, digits + whole);
	else
		writer_put(w, "0.%.*s%s", -whole, "000000000000000000000000", digits);
}

void value_put_rate(struct writer *w, const struct predicate_node *node)
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
	value_put_number(w, &node->number, chosen ? chosen->exponent : 0);
	writer_put(w, " %s", chosen ? chosen->text : "");
}

void value_put_name(struct writer *w, const char *name)
{
	const char *end = name;

	while (reader_is_name(*end))
		end++;
	writer_put(w, *end ? "\"%s\"" : "%s", name);
}

void value_put_time(struct writer *w, const struct predicate_time *time)
{
	int64_t seconds = time->ns / NS_PER_S % SECONDS_A_DAY;
	char text[TIME_TEXT_SIZE];

	if (time->dated) /* what stands before the fraction of seconds */
		writer_put(w, "%.*sZ", 19, time_format((struct capture_time){ time->ns }, text));
	else
		writer_put(w, seconds % 60 ? "%02d:%02d:%02d" : "%02d:%02d", (int)(seconds / 3600),
		           (int)(seconds / 60 % 60), (int)(seconds % 60));
}
