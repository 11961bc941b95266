/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table, as nft would list it (see nft.h for what it is):
 *
 *     layout_3                        an empty chain: of which layout it is
 *     in_IFINDEX  (hook)              one an interface: jump judge
 *     judge       arp, not IP, neighbour discovery: pass; jump guard, allowed, blocked, rules; pass
 *     guard       one rule a way in, with a set guard_N of its port
 *     allowed, blocked                one rule a set; sets a4_LENGTH, a6_, b4_, b6_: networks of one length
 *     rules       "meta protocol @r7_alive CONDITIONS jump rule_7", by number; one or more a family
 *     rule_7      counts, limits, and goes to what becomes of the packet, or returns where it only counts; one that arms
 *                 returns unless the protocol is in `r7_active`, into which matches above its rate put it for its hold;
 *                 behind the last verdict, where no packet comes, what the rule says is noted in comments
 *     pass_*, drop_*                  count and decide; drop_* do so only where the protocol is in `enforced`
 *
 * Prefixes of one length stand in one set, hashed: nested prefixes, each with an end of its own, are nothing special,
 * which sets of intervals do not take; and it is faster.
 */
#include "shield/nft.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <nftables/libnftables.h>

#include "shield/nft_inside.h"

#define LAYOUT "layout_3"
#define PRIORITY (-500) /* before what else may hang there */
#define MIN_SIZE 1024   /* elements of a set of prefixes, at least */

static const struct {
	char letter;
	const char *chain, *verdict;
} lists[] = {
	[NFT_BLOCKED] = { 'b', "blocked", "drop_block" },
	[NFT_ALLOWED] = { 'a', "allowed", "pass_allowed" },
};

/* ---- opening ---- */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < NFT_NAME_MAX && (unsigned)((name[0] | 0x20) - 'a') < 26 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

int nft_shield_available(void)
{
	struct shield_error error;
	struct nft_ctx *context;
	int result = nft_context_new(&context, &error);

	if (result)
		return result;
	result = nft_run(context, "list tables", &error);
	nft_ctx_free(context);
	return result;
}

/* The number behind `before` in a name: "rule_7"; at most `most`. */
static bool is_numbered(const char *name, const char *before, unsigned long most, uint32_t *number)
{
	size_t length = strlen(before);
	unsigned long value;
	char *end;

	if (strncmp(name, before, length) != 0 || (unsigned)(name[length] - '0') > 9)
		return false;
	errno = 0;
	value = strtoul(name + length, &end, 10);
	if (errno || *end || value > most)
		return false;
	*number = (uint32_t)value;
	return true;
}

static void know_set(struct nft_shield *nft, const char *name)
{
	uint32_t number;

	if (is_numbered(name, "guard_", SHIELD_GUARD_MAX - 1, &number) && number >= nft->guards)
		nft->guards = number + 1;
	for (unsigned i = 0; i < 4; i++) {
		const char before[] = { lists[i / 2].letter, i % 2 ? '6' : '4', '_', '\0' };

		if (is_numbered(name, before, i % 2 ? 128 : 32, &number) && number > 0)
			nft->has[i / 2][i % 2][number] = true;
	}
}

static void know_chain(struct nft_shield *nft, const char *name, bool *layout)
{
	uint32_t number;

	if (strcmp(name, LAYOUT) == 0)
		*layout = true;
	else if (is_numbered(name, "rule_", UINT32_MAX, &number) && nft->rule_count < SHIELD_RULES_MAX)
		nft->rules[nft->rule_count++] = number;
}

/* What stands in the table; *layout: it is one of ours. */
static void know(struct nft_shield *nft, const json_t *objects, bool *layout)
{
	const json_t *object;
	size_t i;

	*layout = false;
	json_array_foreach(objects, i, object)
	{
		const json_t *set = json_object_get(object, "set"), *chain = json_object_get(object, "chain");

		if (set)
			know_set(nft, nft_text(set, "name"));
		if (chain)
			know_chain(nft, nft_text(chain, "name"), layout);
	}
}

/* Chains that decide: what counts is named after the reason, or "observed_" and the reason. */
static void say_verdicts(FILE *s)
{
	static const enum shield_reason passes[] = { SHIELD_PASS_CLEAN, SHIELD_PASS_GUARD, SHIELD_PASS_ALLOWED,
		                                     SHIELD_PASS_RULE,  SHIELD_PASS_ARP,   SHIELD_PASS_NOT_IP };
	static const enum shield_reason drops[] = { SHIELD_DROP_BLOCK, SHIELD_DROP_RULE, SHIELD_DROP_RATE };

	for (unsigned i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		const char *name = shield_reason_name(passes[i]);

		fprintf(s, "counter %s { }\nchain %s { counter name %s accept; }\n", name, name, name);
	}
	for (unsigned i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
		const char *name = shield_reason_name(drops[i]);

		fprintf(s,
		        "counter %s { }\ncounter observed_%s { }\n"
		        "chain %s { meta protocol @enforced counter name %s drop; counter name observed_%s accept; }\n",
		        name, name, name, name, name);
	}
}

static int make_table(struct nft_shield *nft, bool replace, struct shield_error *error)
{
	struct nft_script script;
	int result = nft_script_begin(&script);
	FILE *s = script.stream;

	if (result)
		return result;
	if (replace)
		fprintf(s, "delete table netdev %s\n", nft->name);
	fprintf(s, "table netdev %s {\nset enforced { type ether_type; flags timeout; }\nchain " LAYOUT " { }\n",
	        nft->name);
	say_verdicts(s);
	fputs("chain guard { }\nchain allowed { }\nchain blocked { }\nchain rules { }\n"
	      "chain judge { meta protocol arp goto pass_arp; meta protocol != { ip, ip6 } goto pass_not_ip;"
	      " ip6 hoplimit 255 icmpv6 type 133-137 goto pass_clean; jump guard; jump allowed; jump blocked; jump rules; goto pass_clean; }\n}\n",
	      s);
	return nft_script_run(&script, nft, error);
}

int nft_shield_open(const char *name, uint32_t capacity, struct nft_shield **nft, bool *taken_over,
                    struct shield_error *error)
{
	struct nft_shield *made;
	json_t *objects;
	bool layout = false;
	int result;

	if (!is_name(name))
		return nft_refuse(error, -EINVAL, "that is no name for a table",
		                  "letters, digits, '_', '-'; 31 at most");
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	(void)snprintf(made->name, sizeof(made->name), "%s", name);
	made->capacity = capacity > MIN_SIZE ? capacity : MIN_SIZE;
	result = nft_context_new(&made->context, error);
	if (result) {
		free(made);
		return result;
	}
	result = nft_ask_table(made, &objects, error);
	if (result == 0) {
		know(made, objects, &layout);
		json_decref(objects);
	}
	if (result == -ENOENT || (result == 0 && !layout)) {
		bool replace = result == 0;

		made->guards = made->rule_count = 0;
		memset(made->has, 0, sizeof(made->has));
		result = make_table(made, replace, error);
	}
	if (result) {
		nft_shield_close(made);
		return result;
	}
	*nft = made;
	*taken_over = layout;
	return 0;
}

void nft_shield_close(struct nft_shield *nft)
{
	if (!nft)
		return;
	nft_ctx_free(nft->context);
	free(nft);
}

int nft_shield_remove(const char *name, bool *was, struct shield_error *error)
{
	struct nft_ctx *context;
	char command[64];
	int result;

	if (!is_name(name))
		return nft_refuse(error, -EINVAL, "that is no name for a table",
		                  "letters, digits, '_', '-'; 31 at most");
	result = nft_context_new(&context, error);
	if (result)
		return result;
	(void)snprintf(command, sizeof(command), "delete table netdev %s", name);
	result = nft_run(context, command, error);
	nft_ctx_free(context);
	if (result && result != -ENOENT)
		return result;
	*was = result == 0;
	return 0;
}

/* ---- interfaces ---- */

int nft_shield_attach(struct nft_shield *nft, const char *interface, struct shield_error *error)
{
	unsigned index = strlen(interface) < IF_NAMESIZE ? if_nametoindex(interface) : 0;
	struct nft_script script;
	int result;

	if (index == 0) {
		(void)snprintf(error->message, sizeof(error->message), "%.64s: there is no such interface", interface);
		(void)snprintf(error->advice, sizeof(error->advice), "'ip link' lists those there are");
		return -ENODEV;
	}
	/* A name that would end the quotes is none that the kernel gives, but who knows. */
	if (strpbrk(interface, "\"\\\n"))
		return nft_refuse(error, -EINVAL, "that interface's name cannot be said to nftables", "");
	result = nft_script_begin(&script);
	if (result)
		return result;
	fprintf(script.stream,
	        "add chain netdev %s in_%u { type filter hook ingress device \"%s\" priority %d; policy accept; }\n"
	        "flush chain netdev %s in_%u\nadd rule netdev %s in_%u jump judge\n",
	        nft->name, index, interface, PRIORITY, nft->name, index, nft->name, index);
	return nft_script_run(&script, nft, error);
}

int nft_shield_detach(struct nft_shield *nft, const char *interface, struct shield_error *error)
{
	unsigned index = strlen(interface) < IF_NAMESIZE ? if_nametoindex(interface) : 0;
	struct nft_script script;
	int result;

	if (index == 0)
		return nft_refuse(error, -ENOENT, "there is no such interface", "");
	result = nft_script_begin(&script);
	if (result)
		return result;
	fprintf(script.stream, "flush chain netdev %s in_%u\ndelete chain netdev %s in_%u\n", nft->name, index,
	        nft->name, index);
	return nft_script_run(&script, nft, error);
}

/* ---- mode ---- */

int nft_shield_set_mode(struct nft_shield *nft, bool enforce, int64_t for_ns, struct shield_error *error)
{
	struct nft_script script;
	int result = nft_script_begin(&script);

	if (result)
		return result;
	fprintf(script.stream, "flush set netdev %s enforced\n", nft->name);
	if (enforce && for_ns > 0)
		nft_say_protocols(script.stream, nft, "enforced", for_ns);
	return nft_script_run(&script, nft, error);
}

int nft_shield_read_mode(struct nft_shield *nft, bool *enforce, int64_t *left_ns, struct shield_error *error)
{
	int result = nft_read_protocols(nft, "enforced", left_ns, error);

	if (!result)
		*enforce = *left_ns > 0;
	return result;
}

/* ---- guard ---- */

int nft_shield_set_guard(struct nft_shield *nft, const struct nft_way_in *ways, unsigned count,
                         struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE];
	struct nft_script script;
	int result;

	if (count > SHIELD_GUARD_MAX)
		return nft_refuse(error, -ENOSPC, "more ways in than there is room for", "");
	result = nft_script_begin(&script);
	if (result)
		return result;
	fprintf(script.stream, "flush chain netdev %s guard\n", nft->name);
	for (unsigned i = 0; i < nft->guards; i++)
		fprintf(script.stream, "delete set netdev %s guard_%u\n", nft->name, i);
	for (unsigned i = 0; i < count; i++) {
		const struct prefix *from = &ways[i].from;

		fprintf(script.stream,
		        "add set netdev %s guard_%u { type inet_service; flags timeout; }\n"
		        "add element netdev %s guard_%u { %u",
		        nft->name, i, nft->name, i, ways[i].port);
		nft_say_end(script.stream, ways[i].for_ns);
		fprintf(script.stream, " }\nadd rule netdev %s guard ", nft->name);
		if (from->length > 0)
			fprintf(script.stream, "%s saddr %s ", from->is_ipv4 ? "ip" : "ip6", prefix_format(from, text));
		else
			fprintf(script.stream, "meta protocol %s ", from->is_ipv4 ? "ip" : "ip6");
		fprintf(script.stream, "tcp dport @guard_%u goto pass_guard\n", i);
	}
	result = nft_script_run(&script, nft, error);
	if (!result)
		nft->guards = count;
	return result;
}

/* ---- lists of prefixes ---- */

static void say_set(FILE *stream, const struct nft_shield *nft, enum nft_list list, bool ipv4, unsigned length)
{
	struct address ones;
	char mask[ADDRESS_TEXT_SIZE];
	struct prefix prefix;

	memset(ones.octets, 0xff, sizeof(ones.octets));
	if (ipv4)
		ones = address_from_ipv4(ones.octets);
	prefix = prefix_of(&ones, length);
	fprintf(stream,
	        "add set netdev %s %c%c_%u { type %s; size %u; flags timeout; }\n"
	        "add rule netdev %s %s %s saddr ",
	        nft->name, lists[list].letter, ipv4 ? '4' : '6', length, ipv4 ? "ipv4_addr" : "ipv6_addr",
	        nft->capacity, nft->name, lists[list].chain, ipv4 ? "ip" : "ip6");
	if (length < (ipv4 ? 32 : 128))
		fprintf(stream, "& %s ", address_format(&prefix.address, mask));
	fprintf(stream, "@%c%c_%u goto %s\n", lists[list].letter, ipv4 ? '4' : '6', length, lists[list].verdict);
}

static void say_element(FILE *stream, const struct nft_shield *nft, const char *verb, enum nft_list list,
                        const struct prefix *prefix)
{
	char text[ADDRESS_TEXT_SIZE];

	fprintf(stream, "%s element netdev %s %c%c_%u { %s", verb, nft->name, lists[list].letter,
	        prefix->is_ipv4 ? '4' : '6', prefix->length, address_format(&prefix->address, text));
}

static bool is_sound(const struct prefix *prefix)
{
	struct prefix clean = prefix_of(&prefix->address, prefix->length);

	return prefix->length > 0 && prefix_equal(&clean, prefix);
}

int nft_shield_add(struct nft_shield *nft, enum nft_list list, const struct prefix *prefixes, unsigned count,
                   int64_t for_ns, struct shield_error *error)
{
	bool has[2][NFT_LENGTHS];
	struct nft_script script;
	int result;

	if (count > NFT_BLOCKS_MAX)
		return nft_refuse(error, -E2BIG, "too many prefixes at once", "");
	for (unsigned i = 0; i < count; i++)
		if (!is_sound(&prefixes[i]))
			return nft_refuse(error, -EINVAL, "a prefix that holds everything, or has host bits", "");
	result = nft_script_begin(&script);
	if (result)
		return result;
	memcpy(has, nft->has[list], sizeof(has));
	for (unsigned i = 0; i < count; i++) {
		const struct prefix *prefix = &prefixes[i];
		bool *known = &has[!prefix->is_ipv4][prefix->length];

		if (!*known)
			say_set(script.stream, nft, list, prefix->is_ipv4, prefix->length);
		*known = true;
		/*
		 * One that is there keeps its end when it is added again; so it is taken out, once it is surely there.
		 */
		say_element(script.stream, nft, "add", list, prefix);
		fputs(" }\n", script.stream);
		say_element(script.stream, nft, "delete", list, prefix);
		fputs(" }\n", script.stream);
		say_element(script.stream, nft, "add", list, prefix);
		nft_say_end(script.stream, for_ns);
		fputs(" }\n", script.stream);
	}
	result = nft_script_run(&script, nft, error);
	if (!result)
		memcpy(nft->has[list], has, sizeof(has));
	return result;
}

int nft_shield_drop(struct nft_shield *nft, enum nft_list list, const struct prefix *prefix, struct shield_error *error)
{
	struct nft_script script;
	int result;

	if (!is_sound(prefix) || !nft->has[list][!prefix->is_ipv4][prefix->length])
		return nft_refuse(error, -ENOENT, "that prefix is not in the list", "");
	result = nft_script_begin(&script);
	if (result)
		return result;
	say_element(script.stream, nft, "delete", list, prefix);
	fputs(" }\n", script.stream);
	return nft_script_run(&script, nft, error);
}

/* The addresses of one set. */
static int each_of_set(const json_t *objects, unsigned length, int (*each)(void *, const struct prefix *, int64_t),
                       void *context)
{
	const json_t *object, *element;
	size_t i, j;

	json_array_foreach(objects, i, object)
	{
		json_array_foreach(json_object_get(json_object_get(object, "set"), "elem"), j, element)
		{
			int64_t left_ns;
			const char *text = json_string_value(nft_element(element, &left_ns));
			struct prefix host, prefix;
			int stop;

			if (!text || prefix_parse(text, &host) != 0)
				continue;
			prefix = prefix_of(&host.address, length);
			stop = each(context, &prefix, left_ns);
			if (stop)
				return stop;
		}
	}
	return 0;
}

int nft_shield_each(struct nft_shield *nft, enum nft_list list,
                    int (*each)(void *context, const struct prefix *prefix, int64_t left_ns), void *context,
                    struct shield_error *error)
{
	for (unsigned i = 0; i < 2 * NFT_LENGTHS; i++) {
		unsigned length = i / 2;
		json_t *objects;
		int result;

		if (!nft->has[list][i % 2][length])
			continue;
		result = nft_ask(nft, false, &objects, error, "list set netdev %s %c%c_%u", nft->name,
		                 lists[list].letter, i % 2 ? '6' : '4', length);
		if (result)
			return result;
		result = each_of_set(objects, length, each, context);
		json_decref(objects);
		if (result)
			return result;
	}
	return 0;
}

/* ---- counters ---- */

int nft_shield_read_counters(struct nft_shield *nft, struct shield_counters *counters, struct shield_error *error)
{
	char name[64];
	json_t *objects;
	int result = nft_ask_table(nft, &objects, error);

	if (result)
		return result;
	for (unsigned reason = 0; reason < SHIELD_REASONS; reason++) {
		const char *word = shield_reason_name((enum shield_reason)reason);

		counters->enforced[reason] = nft_count_named(objects, word);
		(void)snprintf(name, sizeof(name), "observed_%s", word);
		counters->observed[reason] = nft_count_named(objects, name);
	}
	json_decref(objects);
	return 0;
}
