/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS_FIRST 1024U
#define NAMES_FIRST 65536U
#define SPARE 2 /* slots to a network, at least */

/* ---- texts ---- */

/* Lengths of UTF-8 and what they may begin with; what is shorter than it could be, or beyond Unicode, is none. */
static const struct {
	uint8_t mask, lead;
	unsigned length;
	uint32_t least;
} forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

/* Letters that a line cannot have: controls, surrogates, marks that turn the direction or take no room, separators. */
static const struct {
	uint32_t first, last;
} unfit[] = {
	{ 0x0, 0x1f },      { 0x7f, 0x9f },     { 0xad, 0xad },       { 0x61c, 0x61c },         { 0x180e, 0x180e },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },   { 0xd800, 0xdfff },       { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe0fff }, { 0x110000, 0xffffffff },
};

/* The letter at the beginning: its octets; 0 where there is none that is fit. */
static unsigned letter(const uint8_t *octets, size_t length)
{
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		uint32_t code = octets[0] & (uint8_t)~forms[f].mask;

		if ((octets[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (length < forms[f].length)
			return 0;
		for (unsigned i = 1; i < forms[f].length; i++) {
			if ((octets[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (octets[i] & 0x3f);
		}
		for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
			if (code >= unfit[i].first && code <= unfit[i].last)
				return 0;
		return code < forms[f].least ? 0 : forms[f].length;
	}
	return 0;
}

void networks_text(const char *octets, size_t length, char *text, size_t size)
{
	size_t at = 0, out = 0;

	while (at < length) {
		unsigned fit = letter((const uint8_t *)octets + at, length - at);
		unsigned taken = fit ? fit : 1;

		if (out + taken >= size)
			break;
		if (fit)
			memcpy(text + out, octets + at, fit);
		else
			text[out] = '?';
		at += taken;
		out += taken;
	}
	text[out] = '\0';
}

/* ---- the table ---- */

static struct network_slot *slot_of(const struct networks *networks, uint32_t number)
{
	uint32_t mask = networks->slots_count - 1, at = (uint32_t)hash_2(networks->seed, number, 0) & mask;

	while (networks->slots[at].number != 0 && networks->slots[at].number != number)
		at = (at + 1) & mask;
	return &networks->slots[at];
}

static int grow_slots(struct networks *networks)
{
	struct networks larger = *networks;
	uint32_t old = networks->slots ? networks->slots_count : 0;

	if (old >= SPARE * (networks->count + 1))
		return 0;
	larger.slots_count = old ? 2 * old : SLOTS_FIRST;
	larger.slots = calloc(larger.slots_count, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < old; i++)
		if (networks->slots[i].number != 0)
			*slot_of(&larger, networks->slots[i].number) = networks->slots[i];
	free(networks->slots);
	*networks = larger;
	return 0;
}

static int grow_names(struct networks *networks)
{
	uint32_t larger = networks->names_room ? 2 * networks->names_room : NAMES_FIRST;
	char *moved;

	if (networks->names_room - networks->names_length >= NETWORKS_NAME_SIZE)
		return 0;
	moved = realloc(networks->names, larger);
	if (!moved)
		return -ENOMEM;
	networks->names = moved;
	networks->names_room = larger;
	return 0;
}

int networks_add(struct networks *networks, uint32_t number, const char *name, size_t length)
{
	struct network_slot *slot;
	char *text;

	if (number == 0 || length == 0 || (networks->slots && slot_of(networks, number)->number == number))
		return 0;
	if (networks->count >= NETWORKS_MAX)
		return -E2BIG;
	if (grow_slots(networks) != 0 || grow_names(networks) != 0)
		return -ENOMEM;
	text = networks->names + networks->names_length;
	networks_text(name, length, text, NETWORKS_NAME_SIZE);
	slot = slot_of(networks, number);
	*slot = (struct network_slot){ .number = number, .name = networks->names_length };
	networks->names_length += (uint32_t)strlen(text) + 1;
	networks->count++;
	return 0;
}

const char *networks_name(const struct networks *networks, uint32_t number)
{
	const struct network_slot *slot;

	if (number == 0 || !networks->slots)
		return "";
	slot = slot_of(networks, number);
	return slot->number == number ? networks->names + slot->name : "";
}

void networks_fini(struct networks *networks)
{
	free(networks->slots);
	free(networks->names);
	memset(networks, 0, sizeof(*networks));
}
