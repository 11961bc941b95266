/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/frames.h"

#include <errno.h>
#include <string.h>

#include "observe/protocol.h"

#define SECTION 0x0a0d0d0au
#define INTERFACE 1u
#define PACKET 6u
#define ORDER 0x1a2b3c4du
#define OPTION_COMMENT 1
#define OPTION_RESOLUTION 9
#define NANOSECONDS 9
#define COMMENT_MAX 1024
#define BODY_MAX 2048 /* of what is behind a block's fixed fields, packets' octets left out */

/* ---- octets ---- */

struct body {
	uint8_t octets[BODY_MAX];
	size_t length;
};

static void put32(struct body *body, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		body->octets[body->length++] = (uint8_t)(number >> (8 * i));
}

static void put16(struct body *body, uint16_t number)
{
	body->octets[body->length++] = (uint8_t)number;
	body->octets[body->length++] = (uint8_t)(number >> 8);
}

static void put_option(struct body *body, uint16_t code, const void *value, size_t length)
{
	put16(body, code);
	put16(body, (uint16_t)length);
	memcpy(body->octets + body->length, value, length);
	body->length += length;
	while (body->length % 4)
		body->octets[body->length++] = 0;
}

static void put_comment(struct body *body, const char *comment)
{
	size_t length = strnlen(comment, COMMENT_MAX);

	if (length > 0) {
		put_option(body, OPTION_COMMENT, comment, length);
		put32(body, 0); /* the end of options */
	}
}

static int write_all(FILE *file, const void *octets, size_t length)
{
	return length == 0 || fwrite(octets, 1, length, file) == length ? 0 : -EIO;
}

/* A block whose body is `before`, octets padded to four, and `behind`. */
static int write_block(FILE *file, uint32_t type, const struct body *before, const uint8_t *octets, size_t length,
                       const struct body *behind)
{
	static const uint8_t zeros[4];
	size_t padding = (4 - length % 4) % 4;
	uint32_t total = (uint32_t)(12 + before->length + length + padding + behind->length);
	struct body head = { .length = 0 }, end = { .length = 0 };
	int result;

	put32(&head, type);
	put32(&head, total);
	put32(&end, total);
	result = write_all(file, head.octets, head.length);
	if (result == 0)
		result = write_all(file, before->octets, before->length);
	if (result == 0)
		result = write_all(file, octets, length);
	if (result == 0)
		result = write_all(file, zeros, padding);
	if (result == 0)
		result = write_all(file, behind->octets, behind->length);
	return result ? result : write_all(file, end.octets, end.length);
}

int frames_begin(struct frames *frames, FILE *file, const char *comment)
{
	struct body body = { .length = 0 }, none = { .length = 0 };

	*frames = (struct frames){ .file = file };
	put32(&body, ORDER);
	put32(&body, 1);          /* version 1.0 */
	put32(&body, UINT32_MAX); /* the section's length is not said */
	put32(&body, UINT32_MAX);
	put_comment(&body, comment);
	return write_block(file, SECTION, &body, NULL, 0, &none);
}

/* The number of the interface, which is made where it is new; -ENOSPC, -EIO. */
static int link_number(struct frames *frames, uint32_t link)
{
	static const uint8_t resolution = NANOSECONDS;
	struct body body = { .length = 0 }, none = { .length = 0 };
	int result;

	for (unsigned i = 0; i < frames->links_count; i++)
		if (frames->links[i] == link)
			return (int)i;
	if (frames->links_count == FRAMES_LINKS_MAX)
		return -ENOSPC;
	put32(&body, link & 0xffff);
	put32(&body, 0); /* no bound of its own */
	put_option(&body, OPTION_RESOLUTION, &resolution, 1);
	put32(&body, 0);
	result = write_block(frames->file, INTERFACE, &body, NULL, 0, &none);
	if (result != 0)
		return result;
	frames->links[frames->links_count] = link;
	return (int)frames->links_count++;
}

int frames_add(struct frames *frames, uint32_t link, struct capture_time time, const uint8_t *octets, uint32_t captured,
               uint32_t original, const char *comment)
{
	struct body before = { .length = 0 }, behind = { .length = 0 };
	int number = link_number(frames, link);

	if (number < 0)
		return number;
	put32(&before, (uint32_t)number);
	put32(&before, (uint32_t)((uint64_t)time.ns >> 32));
	put32(&before, (uint32_t)(uint64_t)time.ns);
	put32(&before, captured);
	put32(&before, original);
	put_comment(&behind, comment);
	return write_block(frames->file, PACKET, &before, octets, captured, &behind);
}

/* ---- packets ---- */

static uint8_t *set16(uint8_t *at, uint32_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
	return at + 2;
}

static uint8_t *set32(uint8_t *at, uint32_t number)
{
	return set16(set16(at, number >> 16), number);
}

static uint8_t *make_ip(const struct observation *o, uint8_t *at)
{
	if (address_is_ipv4(&o->dst)) {
		*at++ = 0x45;
		*at++ = 0;
		at = set16(at, o->length);
		at = set16(at, o->ip_id);
		/*
		 * That more fragments follow is not kept: the first of several says so, the others say where they are.
		 */
		at = set16(at, (o->flags & OBSERVATION_DF ? 0x4000u : 0) | (uint32_t)(o->fragment_offset / 8) |
		                       ((o->flags & OBSERVATION_FRAGMENT) && !o->fragment_offset ? 0x2000u : 0));
		*at++ = o->ttl;
		*at++ = o->protocol;
		at = set16(at, 0);
		memcpy(at, o->src.octets + 12, 4);
		memcpy(at + 4, o->dst.octets + 12, 4);
		return at + 8;
	}
	at = set32(at, 0x60000000);
	at = set16(at, o->length > 40 ? o->length - 40 : 0);
	*at++ = o->protocol;
	*at++ = o->ttl;
	memcpy(at, o->src.octets, 16);
	memcpy(at + 16, o->dst.octets, 16);
	return at + 32;
}

static uint8_t *make_tcp(const struct observation *o, uint8_t *at)
{
	uint8_t *header = at;

	at = set16(at, o->src_port);
	at = set16(at, o->dst_port);
	at = set32(at, o->tcp.seq);
	at = set32(at, o->tcp.ack);
	at += 2;
	at = set16(at, o->tcp.window);
	at = set32(at, 0);
	if (o->tcp.mss) {
		at = set16(at, 0x0204);
		at = set16(at, o->tcp.mss);
	}
	if (o->tcp.wscale != 255 && o->tcp.options) {
		at = set32(at, 0x01030300u | o->tcp.wscale);
	}
	if (o->tcp.tsval) {
		at = set32(at, 0x0101080a);
		at = set32(at, o->tcp.tsval);
		at = set32(at, 0);
	}
	header[12] = (uint8_t)((at - header) / 4 << 4);
	header[13] = o->tcp.flags;
	return at;
}

static uint8_t *make_transport(const struct observation *o, uint8_t *at)
{
	if (o->flags & (OBSERVATION_LATER_FRAGMENT | OBSERVATION_MALFORMED))
		return at;
	if (o->flags & OBSERVATION_TCP)
		return make_tcp(o, at);
	if (o->flags & OBSERVATION_ICMP) {
		*at++ = o->icmp_type;
		*at++ = o->icmp_code;
		at = set16(at, 0);
		return set32(at, 0);
	}
	if (o->flags & OBSERVATION_PORTS) {
		at = set16(at, o->src_port);
		at = set16(at, o->dst_port);
		if (o->protocol == PROTOCOL_UDP || o->protocol == PROTOCOL_UDP_LITE) {
			at = set16(at, o->protocol == PROTOCOL_UDP ? o->payload_length + 8u : 0);
			at = set16(at, 0);
		}
	}
	return at;
}

size_t frames_make(const struct observation *o, bool payload, uint8_t octets[FRAMES_MAKE_MAX])
{
	uint8_t *at;

	memset(octets, 0, FRAMES_MAKE_MAX);
	at = make_transport(o, make_ip(o, octets));
	if (payload) {
		memcpy(at, o->payload, o->payload_kept);
		at += o->payload_kept;
	}
	return (size_t)(at - octets);
}
