/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in the table: how they are made, taken away, and read again from what they say of themselves; nft.c says how.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/time.h"
#include "shield/nft.h"
#include "shield/nft_inside.h"

#define NOTE_CHUNK 100 /* characters in one comment; nftables takes 127 */
#define NOTE_SIZE 4096 /* of a rule's whole note */

/* What would end a comment, or a field of a note, as %XX. */
static void escape(const char *text, size_t size, char *to, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < size && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];

		if (used + 4 > room)
			break;
		if (c < ' ' || c > '~' || strchr("\"\\%|", c))
			used += (size_t)snprintf(to + used, room - used, "%%%02x", c);
		else
			to[used++] = (char)c;
	}
	to[used] = '\0';
}

static void unescape(const char *text, char *to, size_t room)
{
	size_t used = 0;

	for (; *text && used + 1 < room; text++) {
		unsigned char octet;

		if (*text == '%' && hex_read(text + 1, &octet, 1) == 0) {
			to[used++] = (char)octet;
			text += 2;
		} else {
			to[used++] = *text;
		}
	}
	to[used] = '\0';
}

static void write_note(const struct shield_rule_told *told, char note[NOTE_SIZE])
{
	char match[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE], reason[3 * SHIELD_REASON_MAX + 1];

	escape(told->reason, sizeof(told->reason), reason, sizeof(reason));
	(void)snprintf(note, NOTE_SIZE, "%u|%u|%lld|%u|%d|%u|%u|%s|%s|%s", (unsigned)told->rule.action,
	               told->rule.rate_pps, (long long)told->made_ns, told->made_by, told->shadow ? 1 : 0,
	               told->arm_pps, told->hold_s, prefix_format(&told->rule.scope, scope), reason,
	               match_format(&told->rule.match, match));
}

/* The fields of a note are cut off at their bars. */
enum {
	NOTE_ACTION,
	NOTE_RATE,
	NOTE_MADE,
	NOTE_BY,
	NOTE_SHADOW,
	NOTE_ARM,
	NOTE_HOLD,
	NOTE_SCOPE,
	NOTE_REASON,
	NOTE_MATCH,
	NOTE_FIELDS,
};

static int read_note(char *note, uint32_t number, struct shield_rule_told *told)
{
	struct shield_rule_told read = { .number = number, .expires = SHIELD_NEVER };
	const char *fields[NOTE_FIELDS];
	struct match_error wrong;
	unsigned long action;

	for (unsigned i = 0; i < NOTE_FIELDS; i++) {
		fields[i] = note;
		note += strcspn(note, "|");
		if (i + 1 == NOTE_FIELDS)
			break;
		if (*note == '\0')
			return -EBADMSG;
		*note++ = '\0';
	}
	action = strtoul(fields[NOTE_ACTION], NULL, 10);
	if (action > RULE_CHALLENGE || prefix_parse(fields[NOTE_SCOPE], &read.rule.scope) != 0 ||
	    match_parse(fields[NOTE_MATCH], &read.rule.match, &wrong) != 0)
		return -EBADMSG;
	read.rule.action = (enum rule_action)action;
	read.rule.rate_pps = (uint32_t)strtoul(fields[NOTE_RATE], NULL, 10);
	read.made_ns = strtoll(fields[NOTE_MADE], NULL, 10);
	read.made_by = (uint32_t)strtoul(fields[NOTE_BY], NULL, 10);
	read.shadow = fields[NOTE_SHADOW][0] == '1';
	read.arm_pps = (uint32_t)strtoul(fields[NOTE_ARM], NULL, 10);
	read.hold_s = (uint32_t)strtoul(fields[NOTE_HOLD], NULL, 10);
	unescape(fields[NOTE_REASON], read.reason, sizeof(read.reason));
	*told = read;
	return 0;
}

static uint32_t burst_of(uint32_t pps)
{
	return pps < 20 ? 1 : pps / 10;
}

/* An element's timeout of nothing would be none. */
static uint32_t hold_of(const struct shield_rule_told *told)
{
	return told->hold_s ? told->hold_s : 1;
}

static void say_rule(FILE *s, const struct nft_shield *nft, const struct shield_rule_told *told)
{
	uint32_t n = told->number, pps = told->rule.rate_pps;
	const char *dropped = told->shadow                     ? "return"
	                      : told->rule.action == RULE_DROP ? "goto drop_rule"
	                                                       : "goto drop_rate";
	const char *rest = told->shadow || told->rule.action == RULE_NONE ? "return" : "goto pass_rule";
	char note[NOTE_SIZE];

	fprintf(s, "add rule netdev %s rule_%u counter name r%u_matched\n", nft->name, n, n);
	if (told->arm_pps)
		fprintf(s,
		        "add rule netdev %s rule_%u limit rate over %u/second burst %u packets"
		        " update @r%u_active { meta protocol timeout %us }\n"
		        "add rule netdev %s rule_%u meta protocol != @r%u_active return\n",
		        nft->name, n, told->arm_pps, burst_of(told->arm_pps), n, hold_of(told), nft->name, n, n);
	/* A limit of nothing is no limit that nftables knows. */
	if (told->rule.action == RULE_DROP || (told->rule.action == RULE_RATE_LIMIT && pps == 0))
		fprintf(s, "add rule netdev %s rule_%u counter name r%u_dropped %s\n", nft->name, n, n, dropped);
	else if (told->rule.action == RULE_RATE_LIMIT)
		fprintf(s,
		        "add rule netdev %s rule_%u limit rate over %u/second burst %u packets"
		        " counter name r%u_dropped %s\n",
		        nft->name, n, pps, burst_of(pps), n, dropped);
	fprintf(s, "add rule netdev %s rule_%u %s\n", nft->name, n, rest);
	write_note(told, note);
	for (size_t at = 0; at < strlen(note); at += NOTE_CHUNK)
		fprintf(s, "add rule netdev %s rule_%u counter comment \"%.*s\"\n", nft->name, n, NOTE_CHUNK,
		        note + at);
}

/* The rules that lead to a rule, for one family. `meets` is what nft_shield_say() answered. */
static void say_way_in(FILE *s, const struct nft_shield *nft, uint32_t number, bool ipv4, int meets,
                       const char *conditions)
{
	/* What is no later fragment is in IPv6 one of two. */
	static const char *const no_later_fragment[] = { "ip frag-off & 0x1fff == 0 ", "exthdr frag missing ",
		                                         "frag frag-off 0 " };
	unsigned first = meets < 2 ? 0 : ipv4 ? 0 : 1, count = meets < 2 ? (unsigned)meets : ipv4 ? 1 : 2;

	for (unsigned i = first; i < first + count; i++)
		fprintf(s,
		        "add rule netdev %s rules meta protocol %s meta protocol @r%u_alive %s%sjump rule_%u"
		        " comment \"r%u\"\n",
		        nft->name, ipv4 ? "ip" : "ip6", number, meets < 2 ? "" : no_later_fragment[i], conditions,
		        number, number);
}

int nft_shield_add_rule(struct nft_shield *nft, const struct shield_rule_told *told, int64_t for_ns,
                        struct shield_error *error)
{
	char conditions[2][NFT_CONDITIONS_SIZE], alive[32], active[32];
	uint32_t n = told->number;
	struct nft_script script;
	int meets[2], result;

	if (told->rule.action == RULE_CHALLENGE)
		return nft_refuse(error, -EOPNOTSUPP, "action 'challenge' is not one of the shield's",
		                  "it drops, limits the rate, or counts");
	if (nft->rule_count == SHIELD_RULES_MAX)
		return nft_refuse(error, -ENOSPC, "as many rules as there is room for are in force", "release one");
	for (unsigned i = 0; i < nft->rule_count; i++)
		if (nft->rules[i] == n)
			return nft_refuse(error, -EEXIST, "there is a rule of that number", "");
	for (unsigned family = 0; family < 2; family++) {
		meets[family] = nft_shield_say(&told->rule, family == 0, conditions[family], error);
		if (meets[family] < 0)
			return meets[family];
	}
	result = nft_script_begin(&script);
	if (result)
		return result;
	fprintf(script.stream,
	        "add counter netdev %s r%u_matched\nadd counter netdev %s r%u_dropped\n"
	        "add chain netdev %s rule_%u\nadd set netdev %s r%u_alive { type ether_type; flags timeout; }\n",
	        nft->name, n, nft->name, n, nft->name, n, nft->name, n);
	(void)snprintf(alive, sizeof(alive), "r%u_alive", n);
	nft_say_protocols(script.stream, nft, alive, for_ns);
	(void)snprintf(active, sizeof(active), "r%u_active", n);
	fprintf(script.stream, "add set netdev %s %s { type ether_type; size 16; flags timeout, dynamic; }\n",
	        nft->name, active);
	if (told->arm_pps)
		nft_say_protocols(script.stream, nft, active, hold_of(told) * (int64_t)NS_PER_S);
	say_rule(script.stream, nft, told);
	for (unsigned family = 0; family < 2; family++)
		say_way_in(script.stream, nft, n, family == 0, meets[family], conditions[family]);
	result = nft_script_run(&script, nft, error);
	if (!result)
		nft->rules[nft->rule_count++] = n;
	return result;
}

/* The way to a rule, by the handles of what names it in chain `rules`. */
static int say_way_out(struct nft_shield *nft, FILE *stream, uint32_t number, struct shield_error *error)
{
	char comment[16];
	const json_t *object;
	json_t *objects;
	size_t i;
	int result = nft_ask(nft, true, &objects, error, "list chain netdev %s rules", nft->name);

	if (result)
		return result;
	(void)snprintf(comment, sizeof(comment), "r%u", number);
	json_array_foreach(objects, i, object)
	{
		const json_t *rule = json_object_get(object, "rule");

		if (rule && strcmp(nft_text(rule, "comment"), comment) == 0)
			fprintf(stream, "delete rule netdev %s rules handle %lld\n", nft->name,
			        (long long)json_integer_value(json_object_get(rule, "handle")));
	}
	json_decref(objects);
	return 0;
}

int nft_shield_remove_rule(struct nft_shield *nft, uint32_t number, struct shield_error *error)
{
	struct nft_script script;
	unsigned at = 0;
	int result;

	while (at < nft->rule_count && nft->rules[at] != number)
		at++;
	if (at == nft->rule_count)
		return nft_refuse(error, -ENOENT, "there is no rule of that number", "");
	result = nft_script_begin(&script);
	if (result)
		return result;
	result = say_way_out(nft, script.stream, number, error);
	if (result) {
		nft_script_drop(&script);
		return result;
	}
	fprintf(script.stream,
	        "flush chain netdev %s rule_%u\ndelete chain netdev %s rule_%u\ndelete set netdev %s r%u_alive\n"
	        "delete set netdev %s r%u_active\n"
	        "delete counter netdev %s r%u_matched\ndelete counter netdev %s r%u_dropped\n",
	        nft->name, number, nft->name, number, nft->name, number, nft->name, number, nft->name, number,
	        nft->name, number);
	result = nft_script_run(&script, nft, error);
	if (!result)
		nft->rules[at] = nft->rules[--nft->rule_count];
	return result;
}

static int read_rule(const json_t *objects, uint32_t number, struct nft_rule_told *rule)
{
	char note[NOTE_SIZE] = "", chain[32], name[32];
	const json_t *object;
	size_t i, used = 0;

	(void)snprintf(chain, sizeof(chain), "rule_%u", number);
	json_array_foreach(objects, i, object)
	{
		const json_t *one = json_object_get(object, "rule");
		const char *comment = nft_text(one, "comment");

		if (!one || strcmp(nft_text(one, "chain"), chain) != 0 || used + strlen(comment) >= sizeof(note))
			continue;
		used += (size_t)snprintf(note + used, sizeof(note) - used, "%s", comment);
	}
	(void)snprintf(name, sizeof(name), "r%u_matched", number);
	rule->matched = nft_count_named(objects, name);
	(void)snprintf(name, sizeof(name), "r%u_dropped", number);
	rule->dropped = nft_count_named(objects, name);
	return read_note(note, number, &rule->told);
}

static int by_number(const void *a, const void *b)
{
	uint32_t one = ((const struct nft_rule_told *)a)->told.number;
	uint32_t other = ((const struct nft_rule_told *)b)->told.number;

	return (one > other) - (one < other);
}

int nft_shield_read_rules(struct nft_shield *nft, struct nft_rule_told *rules, unsigned *count,
                          struct shield_error *error)
{
	char alive[32];
	json_t *objects;
	int result = nft_ask_table(nft, &objects, error);

	if (result)
		return result;
	for (unsigned i = 0; i < nft->rule_count && !result; i++) {
		result = read_rule(objects, nft->rules[i], &rules[i]);
		if (result)
			(void)snprintf(error->message, sizeof(error->message), "what rule r%u says cannot be read",
			               nft->rules[i]);
	}
	json_decref(objects);
	for (unsigned i = 0; i < nft->rule_count && !result; i++) {
		(void)snprintf(alive, sizeof(alive), "r%u_alive", nft->rules[i]);
		result = nft_read_protocols(nft, alive, &rules[i].left_ns, error);
	}
	if (result)
		return result;
	qsort(rules, nft->rule_count, sizeof(*rules), by_number);
	*count = nft->rule_count;
	return 0;
}
