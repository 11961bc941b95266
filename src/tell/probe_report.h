/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a place that probes from elsewhere sends home: counts as JSON (holdfast.probe/1), signed by a key that both ends
 * have, with an id so that what arrives twice is counted once (doc/probes.md).
 *
 *     POST {home}/api/v1/probe
 *     Holdfast-Vantage: paris-1
 *     Holdfast-Timestamp: 1764240000     seconds since the Unix epoch, when it was sent
 *     Holdfast-Signature: 64 digits      HMAC-SHA256 over TIMESTAMP.BODY, hexadecimal, small letters
 */
#ifndef HOLDFAST_TELL_PROBE_REPORT_H
#define HOLDFAST_TELL_PROBE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "impact/count.h"

#define PROBE_REPORT_SIGNALS_MAX 64
#define PROBE_REPORT_SIZE_MAX 16384 /* octets of a body */
#define PROBE_REPORT_ID_SIZE 33     /* 32 hexadecimal digits, small letters, NUL-terminated */
#define PROBE_REPORT_SKEW_S 300     /* so far may clocks be apart */
#define PROBE_REPORT_KEY_MIN 16     /* octets */
#define PROBE_REPORT_KEY_MAX 512

#define PROBE_REPORT_PATH "/api/v1/probe"
#define PROBE_REPORT_VANTAGE "Holdfast-Vantage"
#define PROBE_REPORT_TIMESTAMP "Holdfast-Timestamp"
#define PROBE_REPORT_SIGNATURE "Holdfast-Signature"

struct probe_report {
	char id[PROBE_REPORT_ID_SIZE];
	char vantage[VANTAGE_SIZE];
	uint32_t count;
	/*
	 * SIGNAL_PROBE and SIGNAL_CANARY; each has the report's vantage. The network is 0: the one who takes it knows
	 * that.
	 */
	struct signal_count signals[PROBE_REPORT_SIGNALS_MAX];
};

/* A body, NUL-terminated; the caller frees it. -ENOMEM. */
int probe_report_write(const struct probe_report *report, char **text, size_t *length);
/* -EBADMSG: it is none, or a bound does not hold; -ENOMEM. */
int probe_report_read(const char *text, size_t length, struct probe_report *report);

void probe_report_sign(const void *key, size_t key_length, int64_t timestamp_s, const char *text, size_t length,
                       char signature[DIGEST_SHA256_TEXT_SIZE]);
/* Whether `signature` is that, and of the time within PROBE_REPORT_SKEW_S. */
bool probe_report_signed(const void *key, size_t key_length, int64_t now_s, int64_t timestamp_s, const char *text,
                         size_t length, const char *signature);
/* A key as a file has it, without the white space at its end: how many octets count; 0: too few or too many. */
size_t probe_report_key(const char *octets, size_t length);

#endif
