/* SPDX-License-Identifier: Apache-2.0 */
/* Speaking with nftables: commands, answers, and how what ends is said; see nft_inside.h. */
#include "shield/nft_inside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

#define S_MAX 315360000  /* ten years: nothing that ends at all ends later */
#define COMMAND_SIZE 256 /* of a question: "list set netdev NAME SET" */

int nft_refuse(struct shield_error *error, int code, const char *message, const char *advice)
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

int nft_run(struct nft_ctx *context, const char *commands, struct shield_error *error)
{
	return nft_run_cmd_from_buffer(context, commands) == 0 ? 0 : failed(context, error);
}

int nft_script_begin(struct nft_script *script)
{
	*script = (struct nft_script){ .text = NULL };
	script->stream = open_memstream(&script->text, &script->size);
	return script->stream ? 0 : -ENOMEM;
}

int nft_script_run(struct nft_script *script, struct nft_shield *nft, struct shield_error *error)
{
	bool whole = !ferror(script->stream);
	int result = fclose(script->stream) == 0 && whole ? 0 : -ENOMEM;

	if (!result)
		result = nft_run(nft->context, script->text, error);
	free(script->text);
	return result;
}

void nft_script_drop(struct nft_script *script)
{
	(void)fclose(script->stream);
	free(script->text);
}

int nft_ask(struct nft_shield *nft, bool terse, json_t **objects, struct shield_error *error, const char *format, ...)
{
	unsigned flags = NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_NUMERIC_ALL;
	char command[COMMAND_SIZE];
	va_list arguments;
	json_t *root;
	int result;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	nft_ctx_output_set_flags(nft->context, terse ? flags | NFT_CTX_OUTPUT_TERSE : flags);
	result = nft_run(nft->context, command, error);
	nft_ctx_output_set_flags(nft->context, 0);
	if (result)
		return result;
	root = json_loads(nft_ctx_get_output_buffer(nft->context), 0, NULL);
	*objects = json_incref(json_object_get(root, "nftables"));
	json_decref(root);
	if (!json_is_array(*objects)) {
		json_decref(*objects);
		return nft_refuse(error, -EBADMSG, "nftables: its answer cannot be read", "");
	}
	return 0;
}

int nft_ask_table(struct nft_shield *nft, json_t **objects, struct shield_error *error)
{
	return nft_ask(nft, true, objects, error, "list table netdev %s", nft->name);
}

const char *nft_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

int nft_context_new(struct nft_ctx **context, struct shield_error *error)
{
	*context = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!*context)
		return nft_refuse(error, -ENOMEM, "nftables cannot be spoken to", "");
	if (nft_ctx_buffer_output(*context) != 0 || nft_ctx_buffer_error(*context) != 0) {
		nft_ctx_free(*context);
		return -ENOMEM;
	}
	return 0;
}

struct shield_count nft_count_named(const json_t *objects, const char *name)
{
	const json_t *object;
	size_t i;

	json_array_foreach(objects, i, object)
	{
		const json_t *counter = json_object_get(object, "counter");

		if (counter && strcmp(nft_text(counter, "name"), name) == 0)
			return (struct shield_count){
				.packets = (uint64_t)json_integer_value(json_object_get(counter, "packets")),
				.octets = (uint64_t)json_integer_value(json_object_get(counter, "bytes")),
			};
	}
	return (struct shield_count){ 0, 0 };
}

/* ---- time ---- */

void nft_say_end(FILE *stream, int64_t for_ns)
{
	int64_t seconds = for_ns <= 0 ? 1 : (for_ns - 1) / NS_PER_S + 1;

	if (for_ns != INT64_MAX)
		fprintf(stream, " timeout %llds", (long long)(seconds < S_MAX ? seconds : S_MAX));
}

/* An element without end is no object. */
const json_t *nft_element(const json_t *element, int64_t *left_ns)
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

void nft_say_protocols(FILE *stream, const struct nft_shield *nft, const char *set, int64_t for_ns)
{
	fprintf(stream, "add element netdev %s %s { ip", nft->name, set);
	nft_say_end(stream, for_ns);
	fputs(", ip6", stream);
	nft_say_end(stream, for_ns);
	fputs(" }\n", stream);
}

int nft_read_protocols(struct nft_shield *nft, const char *set, int64_t *left_ns, struct shield_error *error)
{
	const json_t *object, *element;
	json_t *objects;
	int64_t least = 0, left;
	size_t i, j;
	int result = nft_ask(nft, false, &objects, error, "list set netdev %s %s", nft->name, set);

	if (result)
		return result;
	json_array_foreach(objects, i, object)
	{
		json_array_foreach(json_object_get(json_object_get(object, "set"), "elem"), j, element)
		{
			(void)nft_element(element, &left);
			if (least == 0 || left < least)
				least = left;
		}
	}
	json_decref(objects);
	*left_ns = least;
	return 0;
}
