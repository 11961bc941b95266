/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield where XDP cannot be had: a table `netdev NAME` of nftables, whose chains hang at the ingress of
 * interfaces. What is said, in which order, is the shield's: the operator's way in, allow list, block list, rules; each
 * with an end that the kernel keeps, for what ends is an element of a set with a timeout. The mode is such a set too,
 * so that enforcing ends by itself. The table stands when its maker has gone; who opens it again takes it over.
 *
 * What is different: it is several times slower; packets of no service are not told apart from others; it sees TCP
 * packets as the driver hands them on, perhaps several in one (GRO), of which lengths are not those of the wire; of
 * IPv6, atomic fragments count as fragments; a later fragment has no payload, and of UDP its length is what UDP says.
 * No samples. Rules arm, but spare nobody and probe nothing: what they hit is not measured. A packet of which only
 * rules that count speak is told in their own counts alone.
 *
 * Times are nanoseconds from now, INT64_MAX for what has no end; kept in whole seconds, rounded up. Functions return 0
 * or -errno, with words in *error where there is one. Whatever a call does it does whole or not at all.
 */
#ifndef HOLDFAST_SHIELD_NFT_H
#define HOLDFAST_SHIELD_NFT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "defend/rule.h"
#include "shield/maps.h"
#include "shield/shield.h"

#define NFT_NAME_MAX 32    /* of a table, with its NUL */
#define NFT_BLOCKS_MAX 512 /* prefixes in one call of nft_shield_block() */

struct nft_shield; /* opaque */

/* Whether tables can be listed: 0, or -errno. */
int nft_shield_available(void);

/*
 * Opens the table of that name (letters, digits, '_', '-'), or makes it, in mode observe. *taken_over: it was there.
 * One of another layout is replaced. `capacity`: elements of one set of prefixes.
 */
int nft_shield_open(const char *name, uint32_t capacity, struct nft_shield **nft, bool *taken_over,
                    struct shield_error *error);
/* Leaves the table as it is. */
void nft_shield_close(struct nft_shield *nft);
/* Takes the table away, with all that is in it; `was`: it was there. Needs nobody to have it open. */
int nft_shield_remove(const char *name, bool *was, struct shield_error *error);

/* -ENODEV. An interface that goes takes its chain's hook with it: attach again when it comes back. */
int nft_shield_attach(struct nft_shield *nft, const char *interface, struct shield_error *error);
int nft_shield_detach(struct nft_shield *nft, const char *interface, struct shield_error *error); /* -ENOENT */

int nft_shield_set_mode(struct nft_shield *nft, bool enforce, int64_t for_ns, struct shield_error *error);
int nft_shield_read_mode(struct nft_shield *nft, bool *enforce, int64_t *left_ns, struct shield_error *error);

struct nft_way_in {
	struct prefix from;
	uint16_t port; /* TCP, of this host */
	int64_t for_ns;
};
/* Replaces all; at most SHIELD_GUARD_MAX. */
int nft_shield_set_guard(struct nft_shield *nft, const struct nft_way_in *ways, unsigned count,
                         struct shield_error *error);

enum nft_list { NFT_BLOCKED, NFT_ALLOWED };
/* Puts prefixes (NFT_BLOCKS_MAX at most) into a list, or gives those in it their new end. -EINVAL: of length 0. */
int nft_shield_add(struct nft_shield *nft, enum nft_list list, const struct prefix *prefixes, unsigned count,
                   int64_t for_ns, struct shield_error *error);
int nft_shield_drop(struct nft_shield *nft, enum nft_list list, const struct prefix *prefix,
                    struct shield_error *error); /* takes out; -ENOENT */
/* What is in a list and has not ended; stops where `each` returns not 0, and returns that. */
int nft_shield_each(struct nft_shield *nft, enum nft_list list,
                    int (*each)(void *context, const struct prefix *prefix, int64_t left_ns), void *context,
                    struct shield_error *error);

/*
 * A rule, by told->rule, number, made_ns, made_by, shadow, arm_pps, hold_s, reason; spare and probe are left out, and
 * what is read says so. -EOPNOTSUPP: nftables cannot say it, with the reason; -ENOSPC where SHIELD_RULES_MAX are;
 * -EEXIST: a rule of that number.
 */
int nft_shield_add_rule(struct nft_shield *nft, const struct shield_rule_told *told, int64_t for_ns,
                        struct shield_error *error);
int nft_shield_remove_rule(struct nft_shield *nft, uint32_t number, struct shield_error *error); /* -ENOENT */

struct nft_rule_told {
	struct shield_rule_told told; /* expires: SHIELD_NEVER; counter: 0 */
	int64_t left_ns;              /* 0: it has ended, and may be removed */
	struct shield_count matched, dropped;
};
/* By number; `rules` has room for SHIELD_RULES_MAX. -EBADMSG: a rule that nft_shield_add_rule() did not make. */
int nft_shield_read_rules(struct nft_shield *nft, struct nft_rule_told *rules, unsigned *count,
                          struct shield_error *error);

int nft_shield_read_counters(struct nft_shield *nft, struct shield_counters *counters, struct shield_error *error);

/*
 * The conditions of a rule for one family, as nftables says them, written to `text`: 1; 2: the same, and it looks
 * behind the IP header, which nftables does in later fragments too, where no such header is (seen in Linux 6.18); 0: no
 * packet of that family can meet it; or -EOPNOTSUPP with the reason. Pure.
 */
#define NFT_CONDITIONS_SIZE 4096
int nft_shield_say(const struct rule *rule, bool ipv4, char text[NFT_CONDITIONS_SIZE], struct shield_error *error);

#endif
