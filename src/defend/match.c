/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of the match language and how terms are printed; the grammar stands in match.h.
 *
 * One table says how each field is written, what operand it takes and how large that may be; parser (match_parse.c) and
 * printer both read it.
 */
#include "defend/match.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "defend/match_inside.h"

const struct match_form match_forms[MATCH_FIELDS] = {
	[MATCH_IP] = { "ip", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_IP6] = { "ip6", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_TCP] = { "tcp", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_UDP] = { "udp", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_ICMP] = { "icmp", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_ICMP6] = { "icmp6", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_FRAGMENT] = { "fragment", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_DF] = { "df", NULL, MATCH_KIND_PLAIN, 0, NULL },
	[MATCH_PROTO] = { "proto", NULL, MATCH_KIND_RANGE, 255, "a protocol number" },
	[MATCH_SRC_PORT] = { "src", "port", MATCH_KIND_RANGE, 65535, "a port number" },
	[MATCH_DST_PORT] = { "dst", "port", MATCH_KIND_RANGE, 65535, "a port number" },
	[MATCH_LENGTH] = { "length", NULL, MATCH_KIND_RANGE, MATCH_IPV6_TOTAL_MAX, "a length in octets" },
	[MATCH_TTL] = { "ttl", NULL, MATCH_KIND_RANGE, 255, "a TTL" },
	[MATCH_IP_ID] = { "ip", "id", MATCH_KIND_RANGE, 65535, "an IP ID" },
	[MATCH_WINDOW] = { "window", NULL, MATCH_KIND_RANGE, 65535, "a TCP window" },
	[MATCH_MSS] = { "mss", NULL, MATCH_KIND_RANGE, 65535, "a segment size" },
	[MATCH_ICMP_TYPE] = { "icmp", "type", MATCH_KIND_RANGE, 255, "an ICMP type" },
	[MATCH_ICMP_CODE] = { "icmp", "code", MATCH_KIND_RANGE, 255, "an ICMP code" },
	[MATCH_PAYLOAD_LENGTH] = { "payload", "length", MATCH_KIND_RANGE, 65535, "a length in octets" },
	[MATCH_SRC_NET] = { "src", "net", MATCH_KIND_NET, 0, NULL },
	[MATCH_DST_NET] = { "dst", "net", MATCH_KIND_NET, 0, NULL },
	[MATCH_TCP_FLAGS] = { "tcp", "flags", MATCH_KIND_FLAGS, 0, NULL },
	[MATCH_OPTIONS] = { "options", NULL, MATCH_KIND_LAYOUT, 0, NULL },
	[MATCH_PAYLOAD] = { "payload", NULL, MATCH_KIND_PAYLOAD, 0, NULL },
};

const char match_flag_letters[] = "FSRPAUEC"; /* bit 0 first */

const char *const match_option_names[MATCH_OPTION_KINDS] = {
	[TCP_OPTION_END] = "end", [TCP_OPTION_NOP] = "nop",   [TCP_OPTION_MSS] = "mss", [TCP_OPTION_WS] = "ws",
	[TCP_OPTION_SOK] = "sok", [TCP_OPTION_SACK] = "sack", [TCP_OPTION_TS] = "ts",   [TCP_OPTION_OTHER] = "other",
};

struct text {
	char *at;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	size_t room = MATCH_TERM_TEXT_SIZE - text->used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->at + text->used, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->used += (size_t)length < room ? (size_t)length : room - 1;
}

size_t match_term_format(const struct match_term *term, char buffer[MATCH_TERM_TEXT_SIZE])
{
	struct text text = { buffer, 0 };
	char prefix[PREFIX_TEXT_SIZE];
	const struct match_form *form;

	buffer[0] = '\0';
	if ((unsigned)term->field >= MATCH_FIELDS)
		return 0;
	form = &match_forms[term->field];
	add(&text, "%s%s", term->negated ? "not " : "", form->first);
	if (form->second)
		add(&text, " %s", form->second);
	switch (form->kind) {
	case MATCH_KIND_PLAIN:
		break;
	case MATCH_KIND_RANGE: {
		uint32_t low = term->value.range.low, high = term->value.range.high;

		if (low == high)
			add(&text, " %u", low);
		else if (low == 0)
			add(&text, " <= %u", high);
		else if (high == form->max)
			add(&text, " >= %u", low);
		else
			add(&text, " %u-%u", low, high);
		break;
	}
	case MATCH_KIND_NET:
		add(&text, " %s", prefix_format(&term->value.prefix, prefix));
		break;
	case MATCH_KIND_FLAGS:
		add(&text, "%s", term->value.flags ? " " : " none");
		for (unsigned bit = 0; match_flag_letters[bit]; bit++)
			if (term->value.flags & 1u << bit)
				add(&text, "%c", match_flag_letters[bit]);
		break;
	case MATCH_KIND_LAYOUT:
		add(&text, "%s", term->value.options ? "" : " none");
		for (unsigned i = 0; i < MATCH_LAYOUT_MAX; i++) {
			unsigned kind = (unsigned)(term->value.options >> 4 * i) & (MATCH_OPTION_KINDS - 1);

			if (!kind)
				break;
			add(&text, "%c%s", i ? ',' : ' ',
			    match_option_names[kind] ? match_option_names[kind] : "other");
		}
		break;
	case MATCH_KIND_PAYLOAD:
		add(&text, "[%u:%u] = ", term->value.payload.from,
		    term->value.payload.from + term->value.payload.length);
		for (unsigned i = 0; i < term->value.payload.length && i < MATCH_PAYLOAD_MAX; i++)
			add(&text, "%02x", term->value.payload.octets[i]);
		break;
	}
	return text.used;
}

const char *match_format(const struct match *match, char text[MATCH_TEXT_SIZE])
{
	/*
	 * A match that was not parsed may be too long. A text with a term less would match more: end it so that it is
	 * no match.
	 */
	static const char more[] = " and ...";
	unsigned count = match->count < MATCH_TERMS_MAX ? match->count : MATCH_TERMS_MAX;
	size_t lengths[MATCH_TERMS_MAX], whole = 0, used = 0;
	char buffer[MATCH_TERM_TEXT_SIZE];

	for (unsigned i = 0; i < count; i++) {
		lengths[i] = match_term_format(&match->terms[i], buffer);
		whole += lengths[i] + (i ? strlen(" and ") : 0);
	}
	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		size_t joint = i ? strlen(" and ") : 0;

		if (whole >= MATCH_TEXT_SIZE && used + joint + lengths[i] + sizeof(more) > MATCH_TEXT_SIZE) {
			memcpy(text + used, more, sizeof(more));
			break;
		}
		memcpy(text + used, " and ", joint);
		used += joint;
		(void)match_term_format(&match->terms[i], buffer);
		memcpy(text + used, buffer, lengths[i] + 1);
		used += lengths[i];
	}
	return text;
}

bool match_term_equal(const struct match_term *a, const struct match_term *b)
{
	if (a->field != b->field || a->negated != b->negated)
		return false;
	if ((unsigned)a->field >= MATCH_FIELDS)
		return true;
	switch (match_forms[a->field].kind) {
	case MATCH_KIND_PLAIN:
		return true;
	case MATCH_KIND_RANGE:
		return a->value.range.low == b->value.range.low && a->value.range.high == b->value.range.high;
	case MATCH_KIND_NET:
		return prefix_equal(&a->value.prefix, &b->value.prefix);
	case MATCH_KIND_FLAGS:
		return a->value.flags == b->value.flags;
	case MATCH_KIND_LAYOUT:
		return a->value.options == b->value.options;
	case MATCH_KIND_PAYLOAD:
		return a->value.payload.from == b->value.payload.from &&
		       a->value.payload.length == b->value.payload.length &&
		       b->value.payload.length <= MATCH_PAYLOAD_MAX &&
		       !memcmp(a->value.payload.octets, b->value.payload.octets, b->value.payload.length);
	}
	return false;
}
