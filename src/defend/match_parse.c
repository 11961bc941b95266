/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of the match language; the grammar stands in match.h.
 *
 * It reads the text once, from left to right, and stops at the first character that cannot be right. The only state is
 * a position in the text, so its time is linear in the text and its memory constant.
 *
 * Decisions where the grammar leaves room:
 * - "!=" negates the term, so "not src port != 53" is "src port 53". Printed, a negated term begins with "not".
 * - "payload[0:2] != ffff" is taken as "not payload[0:2] = ffff"; "==" as "=".
 * - A range that can never be true (500-400, < 0, not 0..max) is an error, and so is a match whose text would not fit
 *   in MATCH_TEXT_SIZE.
 * - Numbers are decimal; a leading zero is refused, for pcap filters would read it as octal.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "defend/match.h"
#include "defend/match_inside.h"

#define WORD_MAX 16  /* a longer word is not compared with those we know */
#define QUOTE_MAX 24 /* octets of the offending text in a message */

/* Words that pcap filters or impatience suggest, and how to say it here. */
static const struct {
	const char *word, *advice;
} advices[] = {
	{ "port", "write 'src port' or 'dst port'" },
	{ "portrange", "write 'src port 1-1024' or 'dst port 1-1024'" },
	{ "net", "write 'src net' or 'dst net'" },
	{ "host", "write 'src net' or 'dst net' with the address" },
	{ "or", "a match has only 'and'; write one rule for each alternative" },
	{ "less", "write 'length <= N'" },
	{ "greater", "write 'length >= N'" },
	{ "flags", "write 'tcp flags'" },
	{ "id", "write 'ip id'" },
	{ "type", "write 'icmp type'" },
	{ "code", "write 'icmp code'" },
	{ "frag", "write 'fragment'" },
	{ "hlim", "write 'ttl'" },
	{ "ipv4", "write 'ip'" },
	{ "ipv6", "write 'ip6'" },
	{ "icmpv6", "write 'icmp6'" },
};

/* ---- characters: the locale has no say ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(char c)
{
	return is_digit(c) || c == '_' || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* ---- errors ---- */

struct parser {
	const char *text, *at;
	struct match_error *error;
};

__attribute__((format(printf, 3, 4))) static int fail(struct parser *p, const char *at, const char *format, ...)
{
	va_list arguments;

	p->error->offset = (size_t)(at - p->text);
	va_start(arguments, format);
	(void)vsnprintf(p->error->message, sizeof(p->error->message), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

struct quote {
	char text[QUOTE_MAX + 6]; /* two quotation marks, three dots, NUL */
};

/* `length` octets at `at` between quotation marks, safe for a terminal. */
static struct quote quote_text(const char *at, size_t length)
{
	struct quote quote;
	size_t used = 0;

	quote.text[used++] = '\'';
	for (size_t i = 0; i < length && i < QUOTE_MAX; i++)
		quote.text[used++] = at[i] >= ' ' && at[i] <= '~' ? at[i] : '?';
	if (length > QUOTE_MAX)
		for (unsigned i = 0; i < 3; i++)
			quote.text[used++] = '.';
	quote.text[used++] = '\'';
	quote.text[used] = '\0';
	return quote;
}

static size_t word_length(const char *at)
{
	size_t length = 0;

	while (is_word(at[length]))
		length++;
	return length;
}

static size_t token_length(const char *at)
{
	size_t length = 0;

	while (at[length] && !is_space(at[length]))
		length++;
	return length;
}

/* What stands at `at`: a word, one other character, or the end. */
static struct quote found(const char *at)
{
	size_t length = word_length(at);

	if (!*at)
		return (struct quote){ "the end" };
	return quote_text(at, length ? length : 1);
}

/* ---- suggestions ---- */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Insertions, deletions, substitutions and swaps of neighbours that make `word` into `known`; case is free. UINT_MAX of
 * what is too long to be any word.
 */
static unsigned word_distance(const char *word, size_t length, const char *known)
{
	unsigned rows[3][WORD_MAX + 1];
	size_t known_length = strlen(known);

	if (length > WORD_MAX || known_length > WORD_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= known_length; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= length; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= known_length; j++) {
			unsigned change = lower(word[i - 1]) != known[j - 1];

			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + change);
			if (i > 1 && j > 1 && lower(word[i - 1]) == known[j - 2] && lower(word[i - 2]) == known[j - 1])
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[length % 3][known_length];
}

struct nearest {
	const char *word; /* NULL where nothing is near */
	unsigned distance;
};

static void nearest_try(struct nearest *nearest, const char *word, size_t length, const char *known)
{
	unsigned distance = word_distance(word, length, known);

	if (distance <= (length + 2) / 3 && (!nearest->word || distance < nearest->distance))
		*nearest = (struct nearest){ known, distance };
}

static int fail_unknown(struct parser *p, const char *word, size_t length)
{
	struct quote quote = quote_text(word, length);
	struct nearest nearest = { NULL, 0 };

	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (strlen(advices[i].word) == length && word_distance(word, length, advices[i].word) == 0)
			return fail(p, word, "unknown term %s: %s", quote.text, advices[i].advice);
	nearest_try(&nearest, word, length, "not");
	for (unsigned i = 0; i < MATCH_FIELDS; i++)
		nearest_try(&nearest, word, length, match_forms[i].first);
	if (nearest.word)
		return fail(p, word, "unknown word %s; did you mean '%s'?", quote.text, nearest.word);
	return fail(p, word, "unknown word %s; expected a term such as 'udp', 'src port 53' or 'length > 400'",
	            quote.text);
}

/* Behind a term stands neither "and" nor the end. */
static int fail_and(struct parser *p)
{
	const char *at = p->at;
	size_t length = word_length(at);
	struct nearest nearest = { NULL, 0 };

	if (length) {
		nearest_try(&nearest, at, length, "and");
		for (unsigned i = 0; i < MATCH_FIELDS; i++)
			if (match_forms[i].second)
				nearest_try(&nearest, at, length, match_forms[i].second);
	}
	if (length == 2 && word_distance(at, length, "or") == 0)
		return fail(p, at, "expected 'and' or the end, found 'or': write one rule for each alternative");
	if (nearest.word)
		return fail(p, at, "expected 'and' or the end, found %s; did you mean '%s'?", found(at).text,
		            nearest.word);
	return fail(p, at, "expected 'and' or the end, found %s", found(at).text);
}

/* "src" or "dst" stands without what belongs behind it. */
static int fail_second(struct parser *p, const char *first, size_t first_length)
{
	const char *at = p->at;
	const char *expected[2] = { NULL, NULL };
	unsigned count = 0;

	for (unsigned i = 0; i < MATCH_FIELDS && count < 2; i++)
		if (match_forms[i].second && strlen(match_forms[i].first) == first_length &&
		    !memcmp(first, match_forms[i].first, first_length))
			expected[count++] = match_forms[i].second;
	return fail(p, at, "expected '%s' or '%s' behind %s, found %s", expected[0], expected[1],
	            quote_text(first, first_length).text, found(at).text);
}

/* ---- parser ---- */

static void skip_space(struct parser *p)
{
	while (is_space(*p->at))
		p->at++;
}

static bool take_word(struct parser *p, const char *word)
{
	size_t length = word_length(p->at);

	if (length != strlen(word) || memcmp(p->at, word, length) != 0)
		return false;
	p->at += length;
	return true;
}

static bool take_text(struct parser *p, const char *text)
{
	size_t length = strlen(text);

	if (strncmp(p->at, text, length) != 0)
		return false;
	p->at += length;
	return true;
}

static int parse_number(struct parser *p, const char *noun, uint32_t max, uint32_t *value)
{
	const char *start;
	uint64_t number = 0;

	skip_space(p);
	start = p->at;
	if (!is_digit(*start))
		return fail(p, start, "expected %s 0..%u, found %s", noun, max, found(start).text);
	if (word_length(start) > 1 && start[0] == '0')
		return fail(p, start, "expected %s 0..%u in decimal without a leading zero, found %s", noun, max,
		            found(start).text);
	for (; is_digit(*p->at); p->at++)
		if (number <= max)
			number = number * 10 + (uint64_t)(*p->at - '0');
	if (is_word(*p->at))
		return fail(p, p->at, "expected %s 0..%u, found %s", noun, max, found(start).text);
	if (number > max)
		return fail(p, start, "expected %s 0..%u, found %s", noun, max, found(start).text);
	*value = (uint32_t)number;
	return 0;
}

enum operation { EQUAL, UNEQUAL, BELOW, AT_MOST, ABOVE, AT_LEAST, NO_OPERATION };

static enum operation take_operation(struct parser *p)
{
	static const struct {
		const char *text;
		enum operation operation;
	} operations[] = {
		{ "==", EQUAL }, { "=", EQUAL },     { "!=", UNEQUAL }, { "<=", AT_MOST },
		{ "<", BELOW },  { ">=", AT_LEAST }, { ">", ABOVE },
	};

	skip_space(p);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (take_text(p, operations[i].text))
			return operations[i].operation;
	return NO_OPERATION;
}

static int parse_span(struct parser *p, const struct match_form *form, uint32_t *low, uint32_t *high)
{
	const char *start, *after;
	int result;

	skip_space(p);
	start = p->at;
	result = parse_number(p, form->noun, form->max, low);
	if (result)
		return result;
	*high = *low;
	after = p->at;
	skip_space(p);
	if (!take_text(p, "-")) {
		p->at = after;
		return 0;
	}
	result = parse_number(p, form->noun, form->max, high);
	if (result)
		return result;
	if (*low > *high)
		return fail(p, start, "expected the lower bound first, as in %u-%u, found %s", *high, *low,
		            quote_text(start, (size_t)(p->at - start)).text);
	return 0;
}

static int parse_range(struct parser *p, const struct match_form *form, struct match_term *term)
{
	enum operation operation = take_operation(p);
	uint32_t low = 0, high = form->max, number = 0;
	const char *start;
	int result;

	skip_space(p);
	start = p->at;
	if (operation == NO_OPERATION)
		result = parse_span(p, form, &low, &high);
	else
		result = parse_number(p, form->noun, form->max, &number);
	if (result)
		return result;
	switch (operation) {
	case UNEQUAL:
		term->negated = !term->negated;
		low = high = number;
		break;
	case EQUAL:
		low = high = number;
		break;
	case BELOW:
		if (number == 0)
			return fail(p, start, "nothing is below 0: expected %s 1..%u behind '<'", form->noun,
			            form->max);
		high = number - 1;
		break;
	case AT_MOST:
		high = number;
		break;
	case ABOVE:
		if (number == form->max)
			return fail(p, start, "nothing is above %u: expected %s 0..%u behind '>'", form->max,
			            form->noun, form->max - 1);
		low = number + 1;
		break;
	case AT_LEAST:
		low = number;
		break;
	case NO_OPERATION:
		break;
	}
	if (term->negated && low == 0 && high == form->max)
		return fail(p, start, "'not' leaves nothing of the whole range: expected less than 0..%u", form->max);
	term->value.range.low = low;
	term->value.range.high = high;
	return 0;
}

static int parse_net(struct parser *p, struct match_term *term)
{
	char text[PREFIX_TEXT_SIZE], advice[PREFIX_TEXT_SIZE];
	struct prefix prefix, host;
	struct quote quote;
	size_t length;
	char *slash;
	unsigned bits = 0;

	skip_space(p);
	length = token_length(p->at);
	if (!length)
		return fail(p, p->at, "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, found the end");
	quote = quote_text(p->at, length);
	if (length >= sizeof(text))
		return fail(p, p->at, "expected a prefix such as 192.0.2.0/24, found %s, which is too long for one",
		            quote.text);
	memcpy(text, p->at, length);
	text[length] = '\0';
	if (prefix_parse(text, &prefix) == 0) {
		p->at += length;
		term->value.prefix = prefix;
		return 0;
	}
	/* A good address with a good length can only have host bits too many: name the prefix it lies in. */
	slash = strchr(text, '/');
	if (slash) {
		*slash = '\0';
		for (slash++; is_digit(*slash) && bits <= 128; slash++)
			bits = bits * 10 + (unsigned)(*slash - '0');
		if (slash[-1] != '\0' && *slash == '\0' && prefix_parse(text, &host) == 0 && bits < host.length) {
			prefix = prefix_of(&host.address, bits);
			return fail(p, p->at, "expected a prefix without host bits, found %s; did you mean %s?",
			            quote.text, prefix_format(&prefix, advice));
		}
	}
	return fail(p, p->at, "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, found %s", quote.text);
}

static int parse_flags(struct parser *p, struct match_term *term)
{
	uint8_t flags = 0;

	skip_space(p);
	if (take_word(p, "none")) {
		term->value.flags = 0;
		return 0;
	}
	if (!is_word(*p->at))
		return fail(p, p->at, "expected flags as letters of %s, or 'none', found %s", match_flag_letters,
		            found(p->at).text);
	for (; is_word(*p->at); p->at++) {
		unsigned bit = 0;

		while (match_flag_letters[bit] && lower(match_flag_letters[bit]) != lower(*p->at))
			bit++;
		if (!match_flag_letters[bit])
			return fail(p, p->at, "expected a flag out of %s, or 'none' alone, found %s",
			            match_flag_letters, quote_text(p->at, 1).text);
		if (flags & 1u << bit)
			return fail(p, p->at, "expected each flag once, found %s again", quote_text(p->at, 1).text);
		flags = (uint8_t)(flags | 1u << bit);
	}
	term->value.flags = flags;
	return 0;
}

static int parse_layout(struct parser *p, struct match_term *term)
{
	uint64_t options = 0;
	unsigned count = 0;

	skip_space(p);
	if (take_word(p, "none")) {
		term->value.options = 0;
		return 0;
	}
	for (;;) {
		const char *before;
		unsigned kind = 1;

		skip_space(p);
		while (kind < MATCH_OPTION_KINDS &&
		       !(match_option_names[kind] && take_word(p, match_option_names[kind])))
			kind++;
		if (kind == MATCH_OPTION_KINDS)
			return fail(p, p->at,
			            "expected a TCP option out of mss, sok, sack, ts, nop, ws, end, other%s, found %s",
			            count ? "" : "; or 'none'", found(p->at).text);
		if (count == MATCH_LAYOUT_MAX)
			return fail(p, p->at, "expected at most %d options", MATCH_LAYOUT_MAX);
		options |= (uint64_t)kind << 4 * count++;
		before = p->at;
		skip_space(p);
		if (!take_text(p, ",")) {
			p->at = before;
			break;
		}
	}
	term->value.options = options;
	return 0;
}

static int parse_payload(struct parser *p, struct match_term *term)
{
	const char *start, *plural;
	uint32_t from = 0, to = 0;
	enum operation operation;
	uint8_t octets[MATCH_PAYLOAD_MAX] = { 0 };
	int result;

	skip_space(p);
	if (!take_text(p, "["))
		return fail(p, p->at, "expected 'length' or '[FROM:TO]' behind 'payload', found %s", found(p->at).text);
	skip_space(p);
	start = p->at;
	result = parse_number(p, "an offset", OBSERVATION_PAYLOAD_MAX - 1, &from);
	if (result)
		return result;
	skip_space(p);
	if (!take_text(p, ":"))
		return fail(p, p->at, "expected ':' between the two offsets, found %s", found(p->at).text);
	result = parse_number(p, "an offset", OBSERVATION_PAYLOAD_MAX, &to);
	if (result)
		return result;
	if (to <= from || to - from > MATCH_PAYLOAD_MAX)
		return fail(p, start, "expected FROM:TO that span 1 to %d octets, TO excluded, found '%u:%u'",
		            MATCH_PAYLOAD_MAX, from, to);
	plural = to - from == 1 ? "" : "s";
	skip_space(p);
	if (!take_text(p, "]"))
		return fail(p, p->at, "expected ']', found %s", found(p->at).text);
	skip_space(p);
	start = p->at;
	operation = take_operation(p);
	if (operation != EQUAL && operation != UNEQUAL)
		return fail(p, start, "expected '=' and %u octet%s in hexadecimal, found %s", to - from, plural,
		            found(start).text);
	if (operation == UNEQUAL)
		term->negated = !term->negated;
	skip_space(p);
	if (!take_text(p, "0x"))
		(void)take_text(p, "0X");
	for (uint32_t i = 0; i < to - from; i++) {
		int high, half;

		if (i)
			skip_space(p);
		high = hex_digit(p->at[0]);
		half = high < 0 ? -1 : hex_digit(p->at[1]);
		if (high < 0 || half < 0)
			return fail(p, p->at, "expected %u octet%s in hexadecimal, found %u and then %s", to - from,
			            plural, i, found(p->at).text);
		octets[i] = (uint8_t)(high << 4 | half);
		p->at += 2;
	}
	if (is_word(*p->at))
		return fail(p, p->at, "expected %u octet%s in hexadecimal, found more: %s", to - from, plural,
		            found(p->at).text);
	term->value.payload.from = (uint8_t)from;
	term->value.payload.length = (uint8_t)(to - from);
	memcpy(term->value.payload.octets, octets, sizeof(octets));
	return 0;
}

/* The field that the words at the parser name; takes them. */
static int parse_field(struct parser *p, enum match_field *field)
{
	const char *first = p->at, *second;
	size_t first_length = word_length(first), second_length;
	int single = -1;
	bool known = false;

	if (!first_length) {
		if (!*first)
			return fail(p, first,
			            "expected a term such as 'udp', 'src port 53' or 'length > 400', found the end");
		return fail(p, first, "expected a term such as 'udp', 'src port 53' or 'length > 400', found %s%s",
		            found(first).text, *first == '!' ? "; did you mean 'not'?" : "");
	}
	for (second = first + first_length; is_space(*second); second++)
		;
	second_length = word_length(second);
	for (int i = 0; i < MATCH_FIELDS; i++) {
		if (strlen(match_forms[i].first) != first_length ||
		    memcmp(first, match_forms[i].first, first_length) != 0)
			continue;
		known = true;
		if (!match_forms[i].second) {
			single = i;
		} else if (strlen(match_forms[i].second) == second_length &&
		           memcmp(second, match_forms[i].second, second_length) == 0) {
			p->at = second + second_length;
			*field = (enum match_field)i;
			return 0;
		}
	}
	if (!known)
		return fail_unknown(p, first, first_length);
	if (single < 0) {
		p->at = second;
		return fail_second(p, first, first_length);
	}
	p->at = first + first_length;
	*field = (enum match_field)single;
	return 0;
}

static int parse_term(struct parser *p, struct match_term *term)
{
	const struct match_form *form;
	int result;

	/* All of it, padding included: terms lie in records that are hashed and compared. */
	memset(term, 0, sizeof(*term));
	skip_space(p);
	if (take_word(p, "not")) {
		term->negated = true;
		skip_space(p);
		if (word_length(p->at) == 3 && !memcmp(p->at, "not", 3))
			return fail(p, p->at, "expected a term behind 'not', found 'not' again");
	}
	result = parse_field(p, &term->field);
	if (result)
		return result;
	form = &match_forms[term->field];
	switch (form->kind) {
	case MATCH_KIND_PLAIN:
		return 0;
	case MATCH_KIND_RANGE:
		return parse_range(p, form, term);
	case MATCH_KIND_NET:
		return parse_net(p, term);
	case MATCH_KIND_FLAGS:
		return parse_flags(p, term);
	case MATCH_KIND_LAYOUT:
		return parse_layout(p, term);
	case MATCH_KIND_PAYLOAD:
		return parse_payload(p, term);
	}
	return -EINVAL;
}

int match_parse(const char *text, struct match *match, struct match_error *error)
{
	char buffer[MATCH_TERM_TEXT_SIZE];
	struct match_error ignored;
	struct parser p = { .text = text, .at = text, .error = error ? error : &ignored };
	struct match parsed;
	size_t printed = 0;

	memset(&parsed, 0, sizeof(parsed));
	for (;;) {
		const char *start;
		int result;

		skip_space(&p);
		start = p.at;
		if (parsed.count == MATCH_TERMS_MAX)
			return fail(&p, start, "expected at most %d terms", MATCH_TERMS_MAX);
		result = parse_term(&p, &parsed.terms[parsed.count]);
		if (result)
			return result;
		printed +=
			match_term_format(&parsed.terms[parsed.count], buffer) + (parsed.count ? strlen(" and ") : 0);
		if (printed >= MATCH_TEXT_SIZE)
			return fail(&p, start, "expected a match that prints in at most %d characters; leave out terms",
			            MATCH_TEXT_SIZE - 1);
		parsed.count++;
		skip_space(&p);
		if (!*p.at)
			break;
		if (!take_word(&p, "and") && !take_text(&p, "&&"))
			return fail_and(&p);
	}
	*match = parsed;
	return 0;
}
