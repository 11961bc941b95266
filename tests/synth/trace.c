/* SPDX-License-Identifier: Apache-2.0 */
/* See trace.h. Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. */
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPLEN 65535u
#define LINKTYPE_ETHERNET 1u

void trace_fini(struct trace *t)
{
	free(t->records);
	free(t->bytes);
	memset(t, 0, sizeof(*t));
}

static int grow_records(struct trace *t)
{
	size_t cap = t->cap_records ? t->cap_records * 2 : 65536;
	struct record *more = realloc(t->records, cap * sizeof(*more));

	if (!more)
		return -ENOMEM;
	t->records = more;
	t->cap_records = cap;
	return 0;
}

static int grow_bytes(struct trace *t)
{
	uint64_t cap = t->cap_bytes ? t->cap_bytes * 2 : UINT64_C(8) << 20;
	uint8_t *more = realloc(t->bytes, (size_t)cap);

	if (!more)
		return -ENOMEM;
	t->bytes = more;
	t->cap_bytes = cap;
	return 0;
}

void trace_add(struct trace *t, int64_t t_ns, char label, bool to_target, const uint8_t *frame, size_t len)
{
	if (t->err)
		return;
	if (len > UINT16_MAX || t->n_records >= TRACE_FRAMES_MAX || t->n_bytes + len > TRACE_BYTES_MAX) {
		t->err = -EFBIG;
		return;
	}
	if (t->n_records == t->cap_records) {
		t->err = grow_records(t);
		if (t->err)
			return;
	}
	while (t->n_bytes + len > t->cap_bytes) {
		t->err = grow_bytes(t);
		if (t->err)
			return;
	}
	memcpy(t->bytes + t->n_bytes, frame, len);
	t->records[t->n_records] = (struct record){
		.t_ns = t_ns,
		.at = t->n_bytes,
		.serial = (uint32_t)t->n_records,
		.len = (uint16_t)len,
		.label = label,
		.to_target = to_target,
	};
	t->n_records++;
	t->n_bytes += len;
}

static int by_time(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

void trace_settle(struct trace *t, enum trace_format format)
{
	if (t->n_records > 1)
		qsort(t->records, t->n_records, sizeof(*t->records), by_time);
	if (format == TRACE_PCAP)
		for (size_t i = 0; i < t->n_records; i++)
			t->records[i].t_ns -= t->records[i].t_ns % 1000;
}

static void le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put(FILE *f, const void *p, size_t n, int *err)
{
	if (!*err && fwrite(p, 1, n, f) != n)
		*err = errno ? -errno : -EIO;
}

static void pcap_head(FILE *f, int *err)
{
	uint8_t h[24] = { 0 };

	le32(h, 0xa1b2c3d4u);
	le16(h + 4, 2);
	le16(h + 6, 4);
	le32(h + 16, SNAPLEN);
	le32(h + 20, LINKTYPE_ETHERNET);
	put(f, h, sizeof(h), err);
}

static void pcap_frame(FILE *f, int64_t epoch_s, const struct record *r, const uint8_t *bytes, int *err)
{
	uint8_t h[16];

	le32(h, (uint32_t)(epoch_s + r->t_ns / 1000000000));
	le32(h + 4, (uint32_t)(r->t_ns % 1000000000 / 1000));
	le32(h + 8, r->len);
	le32(h + 12, r->len);
	put(f, h, sizeof(h), err);
	put(f, bytes + r->at, r->len, err);
}

static void pcapng_head(FILE *f, int *err)
{
	uint8_t section[28] = { 0 }, interface[32] = { 0 };

	le32(section, 0x0a0d0d0au);
	le32(section + 4, sizeof(section));
	le32(section + 8, 0x1a2b3c4du);
	le16(section + 12, 1);
	memset(section + 16, 0xff, 8); /* section length unknown */
	le32(section + 24, sizeof(section));
	put(f, section, sizeof(section), err);

	le32(interface, 1);
	le32(interface + 4, sizeof(interface));
	le16(interface + 8, LINKTYPE_ETHERNET);
	le32(interface + 12, SNAPLEN);
	le16(interface + 16, 9); /* if_tsresol */
	le16(interface + 18, 1);
	interface[20] = 9; /* 10^-9 s; the end of options follows as zeros */
	le32(interface + 28, sizeof(interface));
	put(f, interface, sizeof(interface), err);
}

static void pcapng_frame(FILE *f, int64_t epoch_s, const struct record *r, const uint8_t *bytes, int *err)
{
	static const uint8_t zeros[4];
	uint64_t t = (uint64_t)epoch_s * 1000000000u + (uint64_t)r->t_ns;
	uint32_t padded = (r->len + 3u) & ~3u;
	uint8_t h[28] = { 0 }, tail[4];

	le32(h, 6);
	le32(h + 4, 32 + padded);
	le32(h + 12, (uint32_t)(t >> 32));
	le32(h + 16, (uint32_t)t);
	le32(h + 20, r->len);
	le32(h + 24, r->len);
	put(f, h, sizeof(h), err);
	put(f, bytes + r->at, r->len, err);
	put(f, zeros, padded - r->len, err);
	le32(tail, 32 + padded);
	put(f, tail, sizeof(tail), err);
}

int trace_write(const struct trace *t, enum trace_format format, int64_t epoch_s, const char *path)
{
	int err = t->err;
	FILE *f;

	if (err)
		return err;
	f = fopen(path, "wb");
	if (!f)
		return -errno;
	if (format == TRACE_PCAPNG)
		pcapng_head(f, &err);
	else
		pcap_head(f, &err);
	for (size_t i = 0; i < t->n_records && !err; i++) {
		if (format == TRACE_PCAPNG)
			pcapng_frame(f, epoch_s, &t->records[i], t->bytes, &err);
		else
			pcap_frame(f, epoch_s, &t->records[i], t->bytes, &err);
	}
	if (fclose(f) && !err)
		err = -errno;
	return err;
}

int trace_write_labels(const struct trace *t, const char *path)
{
	int err = t->err;
	FILE *f;

	if (err)
		return err;
	f = fopen(path, "wb");
	if (!f)
		return -errno;
	for (size_t i = 0; i < t->n_records && !err; i++)
		put(f, &t->records[i].label, 1, &err);
	if (fclose(f) && !err)
		err = -errno;
	return err;
}
