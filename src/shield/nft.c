/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table, as nft would list it (see nft.h for what it is):
 *
 *     layout_2                        an empty chain: of which layout it is
 *     in_IFINDEX  (hook)              one an interface: jump judge
 *     judge       arp, not IP: pass; jump guard, allowed, blocked, rules; pass
 *     guard       one rule a way in, with a set guard_N of its port
 *     allowed, blocked                one rule a set; sets a4_LENGTH, a6_, b4_, b6_: networks of one length
 *     rules       "meta protocol @r7_alive CONDITIONS jump rule_7", by number; one or more a family
 *     rule_7      counts, limits, and goes to what becomes of the packet, or returns where it only counts; one that arms
 *                 returns unless the protocol is in `r7_active`, into which matches above its rate put it for its hold;
 *                 behind the last verdict, where no packet comes, what the rule says is noted in comments
 *     pass_*, drop_*                  count and decide; drop_* do so only where the protocol is in `enforced`
 *
 * Prefixes of one length stand in one set, hashed: nested prefixes, each with an end of its own, are nothing special, which
 * sets of intervals do not take; and it is faster.
 */
#include "shield/nft.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <nftables/libnftables.h>

#include "base/time.h"

#define LAYOUT "layout_2"
#define PRIORITY (-500) /* before what else may hang there */
#define LENGTHS 129
#define NOTE_CHUNK 100  /* characters in one comment; nftables takes 127 */
#define NOTE_SIZE 4096  /* of a rule's whole note */
#define MIN_SIZE 1024   /* elements of a set of prefixes, at least */
#define S_MAX 315360000 /* ten years: nothing that ends at all ends later */

struct nft_shield {
	struct nft_ctx *context;
	char name[NFT_NAME_MAX];
	uint32_t capacity;
	unsigned guards;                  /* sets guard_0 to guard_(n - 1) */
	bool has[2][2][LENGTHS];          /* sets of prefixes: enum nft_list, IPv4 and IPv6, length */
	uint32_t rules[SHIELD_RULES_MAX]; /* numbers */
	unsigned rule_count;
};

static const struct {
	char letter;
	const char *chain, *verdict;
} lists[] = {
	[NFT_BLOCKED] = { 'b', "blocked", "drop_block" },
	[NFT_ALLOWED] = { 'a', "allowed", "pass_allowed" },
};

/* ---- talking to nftables ---- */

static int refuse(struct shield_error *error, int code, const char *message, const char *advice)
{
	(void)snprintf(error->message, sizeof(error->message), "%s", message);
	(void)snprintf(error->advice, sizeof(error->advice), "%s", advice);
	return code;
}

/* What nftables said went wrong, in a word and a number. */
static int failed(struct nft_ctx *context, struct shield_error *error)
{
	static const struct {
		const char *text;
		int code;
	} known[] = {
		{ "Operation not permitted", -EPERM },
		{ "No such file or directory", -ENOENT },
		{ "File exists", -EEXIST },
		{ "Too many open files in system", -ENOSPC }, /* its word for a full set */
		{ "No space left", -ENOSPC },
		{ "Operation not supported", -EOPNOTSUPP },
	};
	const char *said = nft_ctx_get_error_buffer(context);
	int code = -EIO;

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (said && strstr(said, known[i].text)) {
			code = known[i].code;
			break;
		}
	(void)snprintf(error->message, sizeof(error->message), "nftables: %.*s", said ? (int)strcspn(said, "\n") : 0,
	               said ? said : "");
	error->advice[0] = '\0';
	if (code == -EPERM)
		(void)snprintf(error->advice, sizeof(error->advice), "it needs root, or CAP_NET_ADMIN");
	return code;
}

static int run(struct nft_ctx *context, const char *commands, struct shield_error *error)
{
	return nft_run_cmd_from_buffer(context, commands) == 0 ? 0 : failed(context, error);
}

/* Commands are written to a stream in memory, and run as one transaction. */
struct script {
	char *text;
	size_t size;
	FILE *stream;
};

static int script_begin(struct script *script)
{
	*script = (struct script){ .text = NULL };
	script->stream = open_memstream(&script->text, &script->size);
	return script->stream ? 0 : -ENOMEM;
}

static int script_run(struct script *script, struct nft_shield *nft, struct shield_error *error)
{
	bool whole = !ferror(script->stream);
	int result = fclose(script->stream) == 0 && whole ? 0 : -ENOMEM;

	if (!result)
		result = run(nft->context, script->text, error);
	free(script->text);
	return result;
}

/* What `list ...` answers: an array of objects, each of one member. Freed by the caller. */
static int ask(struct nft_shield *nft, bool terse, json_t **objects, struct shield_error *error, const char *format,
               ...) __attribute__((format(printf, 5, 6)));

static int ask(struct nft_shield *nft, bool terse, json_t **objects, struct shield_error *error, const char *format,
               ...)
{
	unsigned flags = NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_NUMERIC_ALL;
	char command[256];
	va_list arguments;
	json_t *root;
	int result;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	nft_ctx_output_set_flags(nft->context, terse ? flags | NFT_CTX_OUTPUT_TERSE : flags);
	result = run(nft->context, command, error);
	nft_ctx_output_set_flags(nft->context, 0);
	if (result)
		return result;
	root = json_loads(nft_ctx_get_output_buffer(nft->context), 0, NULL);
	*objects = json_incref(json_object_get(root, "nftables"));
	json_decref(root);
	if (!json_is_array(*objects)) {
		json_decref(*objects);
		return refuse(error, -EBADMSG, "nftables: its answer cannot be read", "");
	}
	return 0;
}

static int ask_table(struct nft_shield *nft, json_t **objects, struct shield_error *error)
{
	return ask(nft, true, objects, error, "list table netdev %s", nft->name);
}

/* A member of an object that is a text; "" where there is none. */
static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* ---- time ---- */

static void say_end(FILE *stream, int64_t for_ns)
{
	int64_t seconds = for_ns <= 0 ? 1 : (for_ns - 1) / NS_PER_S + 1;

	if (for_ns != INT64_MAX)
		fprintf(stream, " timeout %llds", (long long)(seconds < S_MAX ? seconds : S_MAX));
}

/* The value of a set's element, and how long it is there; an element without end is no object. */
static const json_t *element_of(const json_t *element, int64_t *left_ns)
{
	const json_t *inner = json_object_get(element, "elem");
	const json_t *expires = json_object_get(inner, "expires");
	int64_t most_s = json_integer_value(json_object_get(inner, "timeout"));

	*left_ns = INT64_MAX;
	if (!inner)
		return element;
	if (expires) { /* it is told in whole seconds, rounded down */
		*left_ns = json_integer_value(expires) * NS_PER_S + NS_PER_S - 1;
		if (most_s > 0 && *left_ns > most_s * NS_PER_S)
			*left_ns = most_s * NS_PER_S;
	}
	return json_object_get(inner, "val");
}

/* ---- opening ---- */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < NFT_NAME_MAX && (unsigned)((name[0] | 0x20) - 'a') < 26 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

static int context_new(struct nft_ctx **context, struct shield_error *error)
{
	*context = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!*context)
		return refuse(error, -ENOMEM, "nftables cannot be spoken to", "");
	if (nft_ctx_buffer_output(*context) != 0 || nft_ctx_buffer_error(*context) != 0) {
		nft_ctx_free(*context);
		return -ENOMEM;
	}
	return 0;
}

int nft_shield_available(void)
{
	struct shield_error error;
	struct nft_ctx *context;
	int result = context_new(&context, &error);

	if (result)
		return result;
	result = run(context, "list tables", &error);
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
			know_set(nft, text_of(set, "name"));
		if (chain)
			know_chain(nft, text_of(chain, "name"), layout);
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
	struct script script;
	int result = script_begin(&script);
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
	      " jump guard; jump allowed; jump blocked; jump rules; goto pass_clean; }\n}\n",
	      s);
	return script_run(&script, nft, error);
}

int nft_shield_open(const char *name, uint32_t capacity, struct nft_shield **nft, bool *taken_over,
                    struct shield_error *error)
{
	struct nft_shield *made;
	json_t *objects;
	bool layout = false;
	int result;

	if (!is_name(name))
		return refuse(error, -EINVAL, "that is no name for a table", "letters, digits, '_', '-'; 31 at most");
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	(void)snprintf(made->name, sizeof(made->name), "%s", name);
	made->capacity = capacity > MIN_SIZE ? capacity : MIN_SIZE;
	result = context_new(&made->context, error);
	if (result) {
		free(made);
		return result;
	}
	result = ask_table(made, &objects, error);
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
		return refuse(error, -EINVAL, "that is no name for a table", "letters, digits, '_', '-'; 31 at most");
	result = context_new(&context, error);
	if (result)
		return result;
	(void)snprintf(command, sizeof(command), "delete table netdev %s", name);
	result = run(context, command, error);
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
	struct script script;
	int result;

	if (index == 0) {
		(void)snprintf(error->message, sizeof(error->message), "%.64s: there is no such interface", interface);
		(void)snprintf(error->advice, sizeof(error->advice), "'ip link' lists those there are");
		return -ENODEV;
	}
	/* A name that would end the quotes is none that the kernel gives, but who knows. */
	if (strpbrk(interface, "\"\\\n"))
		return refuse(error, -EINVAL, "that interface's name cannot be said to nftables", "");
	result = script_begin(&script);
	if (result)
		return result;
	fprintf(script.stream,
	        "add chain netdev %s in_%u { type filter hook ingress device \"%s\" priority %d; policy accept; }\n"
	        "flush chain netdev %s in_%u\nadd rule netdev %s in_%u jump judge\n",
	        nft->name, index, interface, PRIORITY, nft->name, index, nft->name, index);
	return script_run(&script, nft, error);
}

int nft_shield_detach(struct nft_shield *nft, const char *interface, struct shield_error *error)
{
	unsigned index = strlen(interface) < IF_NAMESIZE ? if_nametoindex(interface) : 0;
	struct script script;
	int result;

	if (index == 0)
		return refuse(error, -ENOENT, "there is no such interface", "");
	result = script_begin(&script);
	if (result)
		return result;
	fprintf(script.stream, "flush chain netdev %s in_%u\ndelete chain netdev %s in_%u\n", nft->name, index,
	        nft->name, index);
	return script_run(&script, nft, error);
}

/* ---- mode ---- */

/* Protocols in a set for so long: what a packet's protocol is looked up in while something holds. */
static void say_protocols(FILE *stream, const struct nft_shield *nft, const char *set, int64_t for_ns)
{
	fprintf(stream, "add element netdev %s %s { ip", nft->name, set);
	say_end(stream, for_ns);
	fputs(", ip6", stream);
	say_end(stream, for_ns);
	fputs(" }\n", stream);
}

/* How long such a set holds: 0 where it does no more. */
static int read_protocols(struct nft_shield *nft, const char *set, int64_t *left_ns, struct shield_error *error)
{
	const json_t *object, *element;
	json_t *objects;
	int64_t least = 0, left;
	size_t i, j;
	int result = ask(nft, false, &objects, error, "list set netdev %s %s", nft->name, set);

	if (result)
		return result;
	json_array_foreach(objects, i, object)
	{
		json_array_foreach(json_object_get(json_object_get(object, "set"), "elem"), j, element)
		{
			(void)element_of(element, &left);
			if (least == 0 || left < least)
				least = left;
		}
	}
	json_decref(objects);
	*left_ns = least;
	return 0;
}

int nft_shield_set_mode(struct nft_shield *nft, bool enforce, int64_t for_ns, struct shield_error *error)
{
	struct script script;
	int result = script_begin(&script);

	if (result)
		return result;
	fprintf(script.stream, "flush set netdev %s enforced\n", nft->name);
	if (enforce && for_ns > 0)
		say_protocols(script.stream, nft, "enforced", for_ns);
	return script_run(&script, nft, error);
}

int nft_shield_read_mode(struct nft_shield *nft, bool *enforce, int64_t *left_ns, struct shield_error *error)
{
	int result = read_protocols(nft, "enforced", left_ns, error);

	if (!result)
		*enforce = *left_ns > 0;
	return result;
}

/* ---- guard ---- */

int nft_shield_set_guard(struct nft_shield *nft, const struct nft_way_in *ways, unsigned count,
                         struct shield_error *error)
{
	char text[PREFIX_TEXT_SIZE];
	struct script script;
	int result;

	if (count > SHIELD_GUARD_MAX)
		return refuse(error, -ENOSPC, "more ways in than there is room for", "");
	result = script_begin(&script);
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
		say_end(script.stream, ways[i].for_ns);
		fprintf(script.stream, " }\nadd rule netdev %s guard ", nft->name);
		if (from->length > 0)
			fprintf(script.stream, "%s saddr %s ", from->is_ipv4 ? "ip" : "ip6", prefix_format(from, text));
		else
			fprintf(script.stream, "meta protocol %s ", from->is_ipv4 ? "ip" : "ip6");
		fprintf(script.stream, "tcp dport @guard_%u goto pass_guard\n", i);
	}
	result = script_run(&script, nft, error);
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
	bool has[2][LENGTHS];
	struct script script;
	int result;

	if (count > NFT_BLOCKS_MAX)
		return refuse(error, -E2BIG, "too many prefixes at once", "");
	for (unsigned i = 0; i < count; i++)
		if (!is_sound(&prefixes[i]))
			return refuse(error, -EINVAL, "a prefix that holds everything, or has host bits", "");
	result = script_begin(&script);
	if (result)
		return result;
	memcpy(has, nft->has[list], sizeof(has));
	for (unsigned i = 0; i < count; i++) {
		const struct prefix *prefix = &prefixes[i];
		bool *known = &has[!prefix->is_ipv4][prefix->length];

		if (!*known)
			say_set(script.stream, nft, list, prefix->is_ipv4, prefix->length);
		*known = true;
		/* One that is there keeps its end when it is added again; so it is taken out, once it is surely there. */
		say_element(script.stream, nft, "add", list, prefix);
		fputs(" }\n", script.stream);
		say_element(script.stream, nft, "delete", list, prefix);
		fputs(" }\n", script.stream);
		say_element(script.stream, nft, "add", list, prefix);
		say_end(script.stream, for_ns);
		fputs(" }\n", script.stream);
	}
	result = script_run(&script, nft, error);
	if (!result)
		memcpy(nft->has[list], has, sizeof(has));
	return result;
}

int nft_shield_drop(struct nft_shield *nft, enum nft_list list, const struct prefix *prefix, struct shield_error *error)
{
	struct script script;
	int result;

	if (!is_sound(prefix) || !nft->has[list][!prefix->is_ipv4][prefix->length])
		return refuse(error, -ENOENT, "that prefix is not in the list", "");
	result = script_begin(&script);
	if (result)
		return result;
	say_element(script.stream, nft, "delete", list, prefix);
	fputs(" }\n", script.stream);
	return script_run(&script, nft, error);
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
			const char *text = json_string_value(element_of(element, &left_ns));
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
	for (unsigned i = 0; i < 2 * LENGTHS; i++) {
		unsigned length = i / 2;
		json_t *objects;
		int result;

		if (!nft->has[list][i % 2][length])
			continue;
		result = ask(nft, false, &objects, error, "list set netdev %s %c%c_%u", nft->name, lists[list].letter,
		             i % 2 ? '6' : '4', length);
		if (result)
			return result;
		result = each_of_set(objects, length, each, context);
		json_decref(objects);
		if (result)
			return result;
	}
	return 0;
}

/* ---- rules ---- */

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

static unsigned hex_of(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
}

static void unescape(const char *text, char *to, size_t room)
{
	size_t used = 0;

	for (; *text && used + 1 < room; text++) {
		if (*text == '%' && text[1] && text[2]) {
			to[used++] = (char)(hex_of(text[1]) << 4 | hex_of(text[2]));
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
	struct script script;
	int meets[2], result;

	if (told->rule.action == RULE_CHALLENGE)
		return refuse(error, -EOPNOTSUPP, "action 'challenge' is not one of the shield's",
		              "it drops, limits the rate, or counts");
	if (nft->rule_count == SHIELD_RULES_MAX)
		return refuse(error, -ENOSPC, "as many rules as there is room for are in force", "release one");
	for (unsigned i = 0; i < nft->rule_count; i++)
		if (nft->rules[i] == n)
			return refuse(error, -EEXIST, "there is a rule of that number", "");
	for (unsigned family = 0; family < 2; family++) {
		meets[family] = nft_shield_say(&told->rule, family == 0, conditions[family], error);
		if (meets[family] < 0)
			return meets[family];
	}
	result = script_begin(&script);
	if (result)
		return result;
	fprintf(script.stream,
	        "add counter netdev %s r%u_matched\nadd counter netdev %s r%u_dropped\n"
	        "add chain netdev %s rule_%u\nadd set netdev %s r%u_alive { type ether_type; flags timeout; }\n",
	        nft->name, n, nft->name, n, nft->name, n, nft->name, n);
	(void)snprintf(alive, sizeof(alive), "r%u_alive", n);
	say_protocols(script.stream, nft, alive, for_ns);
	(void)snprintf(active, sizeof(active), "r%u_active", n);
	fprintf(script.stream, "add set netdev %s %s { type ether_type; size 16; flags timeout, dynamic; }\n",
	        nft->name, active);
	if (told->arm_pps)
		say_protocols(script.stream, nft, active, hold_of(told) * (int64_t)NS_PER_S);
	say_rule(script.stream, nft, told);
	for (unsigned family = 0; family < 2; family++)
		say_way_in(script.stream, nft, n, family == 0, meets[family], conditions[family]);
	result = script_run(&script, nft, error);
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
	int result = ask(nft, true, &objects, error, "list chain netdev %s rules", nft->name);

	if (result)
		return result;
	(void)snprintf(comment, sizeof(comment), "r%u", number);
	json_array_foreach(objects, i, object)
	{
		const json_t *rule = json_object_get(object, "rule");

		if (rule && strcmp(text_of(rule, "comment"), comment) == 0)
			fprintf(stream, "delete rule netdev %s rules handle %lld\n", nft->name,
			        (long long)json_integer_value(json_object_get(rule, "handle")));
	}
	json_decref(objects);
	return 0;
}

int nft_shield_remove_rule(struct nft_shield *nft, uint32_t number, struct shield_error *error)
{
	struct script script;
	unsigned at = 0;
	int result;

	while (at < nft->rule_count && nft->rules[at] != number)
		at++;
	if (at == nft->rule_count)
		return refuse(error, -ENOENT, "there is no rule of that number", "");
	result = script_begin(&script);
	if (result)
		return result;
	result = say_way_out(nft, script.stream, number, error);
	if (result) {
		(void)fclose(script.stream);
		free(script.text);
		return result;
	}
	fprintf(script.stream,
	        "flush chain netdev %s rule_%u\ndelete chain netdev %s rule_%u\ndelete set netdev %s r%u_alive\n"
	        "delete set netdev %s r%u_active\n"
	        "delete counter netdev %s r%u_matched\ndelete counter netdev %s r%u_dropped\n",
	        nft->name, number, nft->name, number, nft->name, number, nft->name, number, nft->name, number,
	        nft->name, number);
	result = script_run(&script, nft, error);
	if (!result)
		nft->rules[at] = nft->rules[--nft->rule_count];
	return result;
}

static struct shield_count count_named(const json_t *objects, const char *name)
{
	const json_t *object;
	size_t i;

	json_array_foreach(objects, i, object)
	{
		const json_t *counter = json_object_get(object, "counter");

		if (counter && strcmp(text_of(counter, "name"), name) == 0)
			return (struct shield_count){
				.packets = (uint64_t)json_integer_value(json_object_get(counter, "packets")),
				.octets = (uint64_t)json_integer_value(json_object_get(counter, "bytes")),
			};
	}
	return (struct shield_count){ 0, 0 };
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
		const char *comment = text_of(one, "comment");

		if (!one || strcmp(text_of(one, "chain"), chain) != 0 || used + strlen(comment) >= sizeof(note))
			continue;
		used += (size_t)snprintf(note + used, sizeof(note) - used, "%s", comment);
	}
	(void)snprintf(name, sizeof(name), "r%u_matched", number);
	rule->matched = count_named(objects, name);
	(void)snprintf(name, sizeof(name), "r%u_dropped", number);
	rule->dropped = count_named(objects, name);
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
	int result = ask_table(nft, &objects, error);

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
		result = read_protocols(nft, alive, &rules[i].left_ns, error);
	}
	if (result)
		return result;
	qsort(rules, nft->rule_count, sizeof(*rules), by_number);
	*count = nft->rule_count;
	return 0;
}

int nft_shield_read_counters(struct nft_shield *nft, struct shield_counters *counters, struct shield_error *error)
{
	char name[64];
	json_t *objects;
	int result = ask_table(nft, &objects, error);

	if (result)
		return result;
	for (unsigned reason = 0; reason < SHIELD_REASONS; reason++) {
		const char *word = shield_reason_name((enum shield_reason)reason);

		counters->enforced[reason] = count_named(objects, word);
		(void)snprintf(name, sizeof(name), "observed_%s", word);
		counters->observed[reason] = count_named(objects, name);
	}
	json_decref(objects);
	return 0;
}
