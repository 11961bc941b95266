/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's conditions in the words of nftables, for one family; see nft.h. */
#include "shield/nft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "observe/protocol.h"

#define HAS_PORTS "meta l4proto { 6, 17, 33, 132, 136 } " /* TCP, UDP, DCCP, SCTP, UDP-Lite */

/* How a field is called, by family; NULL: packets of that family do not have it. */
static const struct field {
	const char *four, *six;
	uint32_t most;           /* what the field can hold */
	uint32_t four_is_more;   /* what nftables says is so much more than the match language's */
	uint32_t six_is_less;    /* or less */
	enum match_field beside; /* only where this term stands beside it; 0 (MATCH_IP): anywhere */
	bool behind;             /* it is in what is behind the IP header */
	uint8_t four_of, six_of; /* of a packet of that protocol; 0: of several */
} fields[MATCH_FIELDS] = {
	[MATCH_PROTO] = { "meta l4proto", "meta l4proto", 255, 0, 0, 0, false, 0, 0 },
	[MATCH_SRC_PORT] = { HAS_PORTS "th sport", HAS_PORTS "th sport", 65535, 0, 0, 0, true, 0, 0 },
	[MATCH_DST_PORT] = { HAS_PORTS "th dport", HAS_PORTS "th dport", 65535, 0, 0, 0, true, 0, 0 },
	[MATCH_LENGTH] = { "ip length", "ip6 length", 65535, 0, 40, 0, false, 0, 0 },
	[MATCH_TTL] = { "ip ttl", "ip6 hoplimit", 255, 0, 0, 0, false, 0, 0 },
	[MATCH_IP_ID] = { "ip id", NULL, 65535, 0, 0, 0, false, 0, 0 },
	[MATCH_WINDOW] = { "tcp window", "tcp window", 65535, 0, 0, 0, true, 6, 6 },
	[MATCH_MSS] = { "tcp option maxseg size", "tcp option maxseg size", 65535, 0, 0, 0, true, 6, 6 },
	[MATCH_ICMP_TYPE] = { "icmp type", "icmpv6 type", 255, 0, 0, 0, true, 1, 58 },
	[MATCH_ICMP_CODE] = { "icmp code", "icmpv6 code", 255, 0, 0, 0, true, 1, 58 },
	[MATCH_PAYLOAD_LENGTH] = { "udp length", "udp length", 65535, 8, 0, MATCH_UDP, true, 17, 17 },
};

struct saying {
	char *text;
	size_t used;
	bool ipv4;
	bool possible; /* some packet of the family can meet it */
	bool behind;   /* it looks at what is behind the IP header */
	int protocol;  /* that the packet must be of; -1: of any */
	bool not_of[256];
	const struct match *match;
	struct shield_error *error;
};

__attribute__((format(printf, 2, 3))) static void say(struct saying *s, const char *format, ...)
{
	size_t room = NFT_CONDITIONS_SIZE - s->used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(s->text + s->used, room, format, arguments);
	va_end(arguments);
	s->used += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1;
}

static int cannot(const struct saying *s, const char *why)
{
	(void)snprintf(s->error->message, sizeof(s->error->message), "nftables cannot match %s", why);
	(void)snprintf(s->error->advice, sizeof(s->error->advice), "leave that term out, or use an interface with XDP");
	return -EOPNOTSUPP;
}

static bool stands_beside(const struct saying *s, enum match_field field)
{
	for (unsigned i = 0; i < s->match->count && i < MATCH_TERMS_MAX; i++)
		if (s->match->terms[i].field == field && !s->match->terms[i].negated)
			return true;
	return false;
}

/* nftables refuses a rule that asks for two protocols; no packet meets it. */
static void be_of(struct saying *s, unsigned protocol)
{
	s->possible = s->possible && (s->protocol < 0 || s->protocol == (int)protocol);
	s->protocol = (int)protocol;
}

static void say_protocol(struct saying *s, unsigned protocol, bool negated)
{
	if (negated)
		s->not_of[protocol] = true;
	else
		be_of(s, protocol);
	say(s, "meta l4proto %s%u ", negated ? "!= " : "", protocol);
}

static int say_range(struct saying *s, const struct match_term *term)
{
	const struct field *field = &fields[term->field];
	const char *name = s->ipv4 ? field->four : field->six;
	uint32_t more = field->four_is_more, less = s->ipv4 ? 0 : field->six_is_less;
	uint64_t low = (uint64_t)term->value.range.low + more, high = (uint64_t)term->value.range.high + more;

	if (!name) {
		s->possible = false;
		return 0;
	}
	s->behind = s->behind || field->behind;
	if (field->four_of)
		be_of(s, s->ipv4 ? field->four_of : field->six_of);
	if (field->beside && !stands_beside(s, field->beside))
		return cannot(s, "the length of a payload but of UDP");
	low = low > less ? low - less : 0;
	if (high < less || low > field->most) { /* nothing is in the range */
		s->possible = s->possible && term->negated;
	} else {
		high = high - less < field->most ? high - less : field->most;
		if (low == 0 && high == field->most && term->negated)
			s->possible = false;
		if (low == high && term->field == MATCH_PROTO) {
			say_protocol(s, (unsigned)low, term->negated);
			return 0;
		}
		if (low == high) {
			say(s, "%s %s%u ", name, term->negated ? "!= " : "", (unsigned)low);
			return 0;
		}
		if (low != 0 || high != field->most) {
			say(s, "%s %s%u-%u ", name, term->negated ? "!= " : "", (unsigned)low, (unsigned)high);
			return 0;
		}
	}
	say(s, "%s >= 0 ", name); /* only that it is there */
	return 0;
}

static void say_net(struct saying *s, const char *side, const struct prefix *prefix, bool negated)
{
	char text[PREFIX_TEXT_SIZE];

	if (prefix->is_ipv4 != s->ipv4 || prefix->length == 0) {
		s->possible = s->possible && (prefix->is_ipv4 == s->ipv4) != negated;
		return;
	}
	say(s, "%s %s %s%s ", s->ipv4 ? "ip" : "ip6", side, negated ? "!= " : "", prefix_format(prefix, text));
}

static int say_payload(struct saying *s, const struct match_term *term)
{
	unsigned from = term->value.payload.from, length = term->value.payload.length;
	const char *base = "ih"; /* behind TCP's header */

	if (length == 0 || length > MATCH_PAYLOAD_MAX)
		return cannot(s, "a payload of that length");
	if (stands_beside(s, MATCH_UDP)) {
		base = "th";
		from += 8;
	} else if (!stands_beside(s, MATCH_TCP)) {
		return cannot(s, "payload but of TCP or UDP: 'tcp' or 'udp' must stand beside it");
	}
	s->behind = true;
	say(s, "@%s,%u,%u %s0x", base, from * 8, length * 8, term->negated ? "!= " : "");
	for (unsigned i = 0; i < length; i++)
		say(s, "%02x", term->value.payload.octets[i]);
	say(s, " ");
	return 0;
}

static int say_term(struct saying *s, const struct match_term *term)
{
	if (match_takes_range(term->field))
		return say_range(s, term);
	switch ((int)term->field) {
	case MATCH_IP:
	case MATCH_IP6:
		s->possible = s->possible && ((term->field == MATCH_IP) == s->ipv4) != term->negated;
		return 0;
	case MATCH_TCP:
		say_protocol(s, PROTOCOL_TCP, term->negated);
		return 0;
	case MATCH_UDP:
		say_protocol(s, PROTOCOL_UDP, term->negated);
		return 0;
	case MATCH_ICMP:
		say_protocol(s, PROTOCOL_ICMP, term->negated);
		return 0;
	case MATCH_ICMP6:
		say_protocol(s, PROTOCOL_ICMPV6, term->negated);
		return 0;
	case MATCH_FRAGMENT:
		if (s->ipv4)
			say(s, "ip frag-off & 0x3fff %s 0 ", term->negated ? "==" : "!=");
		else
			say(s, "exthdr frag %s ", term->negated ? "missing" : "exists");
		return 0;
	case MATCH_DF:
		s->possible = s->possible && s->ipv4;
		say(s, "ip frag-off & 0x4000 %s 0 ", term->negated ? "==" : "!=");
		return 0;
	case MATCH_SRC_NET:
		say_net(s, "saddr", &term->value.prefix, term->negated);
		return 0;
	case MATCH_DST_NET:
		say_net(s, "daddr", &term->value.prefix, term->negated);
		return 0;
	case MATCH_TCP_FLAGS:
		s->behind = true;
		be_of(s, PROTOCOL_TCP);
		say(s, "tcp flags %s0x%02x ", term->negated ? "!= " : "== ", term->value.flags);
		return 0;
	case MATCH_OPTIONS:
		return cannot(s, "the order of TCP options");
	case MATCH_PAYLOAD:
		return say_payload(s, term);
	default:
		break;
	}
	s->possible = false;
	return 0;
}

int nft_shield_say(const struct rule *rule, bool ipv4, char text[NFT_CONDITIONS_SIZE], struct shield_error *error)
{
	struct saying s = {
		.text = text, .ipv4 = ipv4, .possible = true, .protocol = -1, .match = &rule->match, .error = error
	};
	int result;

	text[0] = '\0';
	/* ::/0 is the scope that holds all of both families. */
	if (rule->scope.is_ipv4 || rule->scope.length != 0)
		say_net(&s, "daddr", &rule->scope, false);
	for (unsigned i = 0; i < rule->match.count && i < MATCH_TERMS_MAX; i++) {
		result = say_term(&s, &rule->match.terms[i]);
		if (result)
			return result;
	}
	if (s.used >= NFT_CONDITIONS_SIZE - 1)
		return cannot(&s, "so much in one rule");
	if (s.protocol >= 0 && s.not_of[s.protocol])
		s.possible = false;
	return !s.possible ? 0 : s.behind ? 2 : 1;
}
