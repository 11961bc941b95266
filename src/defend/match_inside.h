/* SPDX-License-Identifier: Apache-2.0 */
/* What the parser, the printer and the evaluator of the match language share: how each field is written. */
#ifndef HOLDFAST_DEFEND_MATCH_INSIDE_H
#define HOLDFAST_DEFEND_MATCH_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#include "defend/match.h"

#define MATCH_TERM_TEXT_SIZE 160   /* longest: "not options" and 16 times "other", 115 octets */
#define MATCH_LAYOUT_MAX 16        /* options in a layout: four bits each in 64 */
#define MATCH_OPTION_KINDS 16      /* what four bits can say */
#define MATCH_IPV6_TOTAL_MAX 65575 /* 40 + 65535; IPv4's 65535 is below */

enum match_kind {
	MATCH_KIND_PLAIN,
	MATCH_KIND_RANGE,
	MATCH_KIND_NET,
	MATCH_KIND_FLAGS,
	MATCH_KIND_LAYOUT,
	MATCH_KIND_PAYLOAD
};

struct match_form {
	const char *first, *second; /* the field's words; second is NULL where there is one only */
	enum match_kind kind;
	uint32_t max;     /* MATCH_KIND_RANGE: largest value */
	const char *noun; /* MATCH_KIND_RANGE: what to call a value in a message */
};

extern const struct match_form match_forms[MATCH_FIELDS];
extern const char match_flag_letters[];                          /* bit 0 first */
extern const char *const match_option_names[MATCH_OPTION_KINDS]; /* by TCP_OPTION_*; NULL where it has no name */

/* The text of a term; its length without the NUL, 0 where the field is none. */
size_t match_term_format(const struct match_term *term, char buffer[MATCH_TERM_TEXT_SIZE]);

#endif
