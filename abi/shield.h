/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the shield in the kernel and the programs around it share: the shapes of its maps, and the hashes by which both
 * find their way in them. One definition, included by bpf/ and by src/shield/; nothing here is copied anywhere.
 *
 * Numbers are in host byte order unless the name says otherwise (_be). Addresses are 16 octets in network order, IPv4
 * as IPv4-mapped IPv6 (::ffff:a.b.c.d).
 *
 * Times in the kernel are jiffies, since reading them costs least. Whoever sets an expiry asks the shield itself for
 * its clock (program shield_clock), so that user space needs no word from elsewhere of how long one is. SHIELD_NEVER is
 * no time that comes.
 *
 * Whoever changes a shape here raises SHIELD_LAYOUT: pinned maps of another layout are not taken over but replaced.
 */
#ifndef HOLDFAST_ABI_SHIELD_H
#define HOLDFAST_ABI_SHIELD_H

#include <linux/types.h>

#define SHIELD_LAYOUT 5
#define SHIELD_NEVER (~0ULL)

/* Bounds. A message that names one of them says what was to be had. */
#define SHIELD_SERVICES_MAX 64         /* the last is SHIELD_SERVICE_NONE */
#define SHIELD_SERVICE_NONE 63         /* packets to no configured service */
#define SHIELD_SERVICE_PREFIXES_MAX 64 /* addresses and networks of all services together */
#define SHIELD_SERVICE_PORTS_MAX 256   /* ranges of ports of all services together */
#define SHIELD_RULES_MAX 64            /* in force at a time */
#define SHIELD_RULE_RANGES_MAX 8       /* terms of one rule that are ranges */
#define SHIELD_RULE_UNLESS_MAX 4       /* negated terms of one rule that are no ranges */
#define SHIELD_GUARD_MAX 16
#define SHIELD_INTERFACES_MAX 16
#define SHIELD_ALLOW_MAX 16384
#define SHIELD_FLOWS_MAX 262144
#define SHIELD_TAGS_MAX 4        /* VLAN tags of a frame */
#define SHIELD_EXTENSIONS_MAX 8  /* IPv6 extension headers of a packet */
#define SHIELD_PAYLOAD_MAX 32    /* octets of payload that a rule can look at */
#define SHIELD_SAMPLE_OCTETS 128 /* octets of a frame in a sample */
#define SHIELD_RULESETS 4        /* tables of rules that take turns */
#define SHIELD_LIMIT_SLOTS 262144
#define SHIELD_PROBE_INTERVAL \
	256                  /* of what a rule that probes would drop, one packet in so many passes on average, … */
#define SHIELD_PROBE_PPS 500 /* … and at most so many a second of one rule */
#define SHIELD_PROBED_SLOTS 4096 /* conversations that began with such a packet */
#define SHIELD_PROBED_S 10       /* for so long one of them may get on with its handshake … */
#define SHIELD_PROBED_PACKETS 15 /* … by so many packets */
#define SHIELD_SPARE_PPS 256     /* of an answered conversation, where a rule spares those */
#define SHIELD_SPARE_IDLE_S 300  /* one that this host has sent nothing of for so long is none */

/*
 * Why a packet had the fate it had. Each counts; their names (shield_reason_name) end up in people's dashboards and do
 * not change. Up to SHIELD_PASS_LAST they pass. In mode observe a packet that would be dropped counts under its own
 * reason, in `observed` instead of `enforced`, and passes.
 */
enum shield_reason {
	SHIELD_PASS_CLEAN,   /* nothing spoke against it */
	SHIELD_PASS_GUARD,   /* operator's way in */
	SHIELD_PASS_ALLOWED, /* allow list */
	SHIELD_PASS_RULE,    /* a rate limit that was not exceeded; or a rule that only counts, and none that acts */
	SHIELD_PASS_ARP,
	SHIELD_PASS_NOT_IP,
	/* What cannot be read is none of the shield's business to drop; the names are those of observe/decode.h. */
	SHIELD_PASS_LINK_SHORT,
	SHIELD_PASS_TAGS, /* more VLAN tags than SHIELD_TAGS_MAX */
	SHIELD_PASS_IP_SHORT,
	SHIELD_PASS_IP_VERSION,
	SHIELD_PASS_IP_HEADER,
	/* Of these IP says whose they are: block list and rules hold for them too. */
	SHIELD_PASS_EXTENSION, /* IPv6 extension headers cut, or more than SHIELD_EXTENSIONS_MAX */
	SHIELD_PASS_TRANSPORT, /* transport header cut or impossible */
	SHIELD_PASS_PROBE,     /* a rule would drop it, and lets it through to see what becomes of it */
	SHIELD_PASS_ANSWERED,  /* a rule would drop it, and spares it: of a conversation that this host has answered */
	SHIELD_PASS_KNOWN,     /* a rule would drop it, or limit it, and lets it pass: its source is known from peace */
	SHIELD_PASS_LAST = SHIELD_PASS_KNOWN,
	SHIELD_DROP_BLOCK, /* block list */
	SHIELD_DROP_RULE,
	SHIELD_DROP_RATE,   /* a rule's rate limit */
	SHIELD_DROP_SOURCE, /* a service's limit per source */
	SHIELD_DROP_STATE,  /* TCP to a local service, of no conversation that the host knows, and too many of them */
	SHIELD_TX_COOKIE,   /* a SYN that was answered with a cookie, in the host's stead */
	SHIELD_REASONS,
};

struct shield_count {
	__u64 packets;
	__u64 octets; /* of frames */
};

/* Map `counters`, per CPU, one value per service. */
struct shield_counters {
	struct shield_count enforced[SHIELD_REASONS];
	struct shield_count observed[SHIELD_REASONS]; /* would have been dropped */
};

/* One CPU's sampler of one direction; see `samples`. */
struct shield_sampler {
	__u64 interval; /* one packet in so many is sampled at present: a power of two */
	__u64 tick;     /* when `taken` began */
	__u64 taken;    /* samples since then */
	__u64 random;   /* state of its generator */
};

/* Map `totals`, per CPU, one value. */
struct shield_totals {
	__u64 samples;      /* handed out */
	__u64 samples_lost; /* the ring was full */
	__u64 flows_full;   /* a flow could not be kept */
	__u64 unused;
	struct shield_sampler arriving, leaving;
};

/*
 * A packet as rules see it. `field` are 16-bit numbers, zero where the packet does not have them; SHIELD_F_* says what
 * is there. Laid out as 64-bit words, for a rule compares words.
 */
enum {
	SHIELD_HAS_IPV4 = 1 << 0, /* by the destination: one of them is set */
	SHIELD_HAS_IPV6 = 1 << 1,
	SHIELD_HAS_TCP = 1 << 2,
	SHIELD_HAS_ICMP = 1 << 3,  /* type and code, of either family */
	SHIELD_HAS_PORTS = 1 << 4, /* TCP, UDP, SCTP, DCCP, UDP-Lite */
	SHIELD_HAS_FRAGMENT = 1 << 5,
	SHIELD_HAS_LATER_FRAGMENT = 1 << 6, /* offset > 0 */
	SHIELD_HAS_DF = 1 << 7,
	SHIELD_HAS_OPTIONS = 1 << 8,    /* IPv4 options or IPv6 extension headers */
	SHIELD_HAS_MSS = 1 << 9,        /* a TCP option of that kind */
	SHIELD_HAS_MALFORMED = 1 << 10, /* the transport header is cut or impossible: only what IP says is there */
	SHIELD_HAS_PAYLOAD =
		1 << 11, /* payload_length is known: not where a TCP header is cut before it says how long it is */
};

enum shield_field {
	SHIELD_F_HAS,
	SHIELD_F_PROTOCOL, /* behind all extension headers */
	SHIELD_F_SRC_PORT,
	SHIELD_F_DST_PORT,
	SHIELD_F_LENGTH, /* total length of the IP packet */
	SHIELD_F_TTL,
	SHIELD_F_IP_ID,
	SHIELD_F_PAYLOAD_LENGTH,
	SHIELD_F_TCP_FLAGS,
	SHIELD_F_WINDOW,
	SHIELD_F_MSS,
	SHIELD_F_ICMP_TYPE,
	SHIELD_F_ICMP_CODE,
	SHIELD_F_FRAGMENT_OFFSET, /* octets */
	SHIELD_F_PAYLOAD_KEPT,    /* octets in `payload`; 0 unless SHIELD_NEED_PAYLOAD */
	SHIELD_FIELDS = 16,
};

struct shield_key {
	union {
		__u16 field[SHIELD_FIELDS];
		__u64 field_word[SHIELD_FIELDS / 4];
	};
	__u64 tcp_options; /* enum tcp_option of observe/observation.h, four bits each, the first lowest */
	__u8 payload[SHIELD_PAYLOAD_MAX];
	__u8 src[16];
	__u8 dst[16];
};

#define SHIELD_WORDS 13
#define SHIELD_PIECES (4 * SHIELD_WORDS) /* the key as numbers of 16 bits; the first are the fields */
_Static_assert(sizeof(struct shield_key) == SHIELD_WORDS * 8, "a rule compares the key word by word");

/* Which word of the key a field is in, and where; four fields are in a word, in order, the first in the lowest bits. */
#define SHIELD_WORD_OPTIONS 4
#define SHIELD_WORD_PAYLOAD 5
#define SHIELD_WORD_SRC 9
#define SHIELD_WORD_DST 11

/*
 * A rule in table form. The packet meets it if (word & mask) == value for all words, every range holds, and no `unless`
 * does. What costs to read is read only where a rule in force wants it: SHIELD_NEED_*.
 */
enum { SHIELD_NEED_OPTIONS = 1 << 0, SHIELD_NEED_PAYLOAD = 1 << 1 };

struct shield_range {
	__u16 low, high; /* inclusive */
	__u8 field;      /* enum shield_field */
	__u8 negated;
	__u16 unused;
};

struct shield_unless {
	__u64 mask[2], value[2]; /* of two words in a row; a word whose mask is 0 holds */
	__u32 word;              /* the first of them */
	__u32 unused;
};

enum shield_action { SHIELD_COUNT, SHIELD_DROP, SHIELD_RATE };

enum {
	SHIELD_RULE_SHADOW = 1 << 0, /* counts what it would drop, in whatever mode */
	SHIELD_RULE_SPARE = 1 << 1,  /* packets of answered conversations pass */
	SHIELD_RULE_PROBE = 1 << 2,  /* some packets pass, to see what becomes of them */
	SHIELD_RULE_KNOWN = 1 << 3,  /* packets of known sources pass, up to source_pps of each; 0: all */
	SHIELD_RULE_EACH = 1 << 4,   /* of SHIELD_RATE: the limit is source_pps of each source, known or not */
};

/*
 * The first rule that a packet meets and that acts decides: one that drops, or limits a rate, whether or not the packet
 * is within it. Rules that only count, those in the shadow and those that are armed and not active do not hide what is
 * behind them.
 */
struct shield_rule {
	__u64 expires; /* jiffies */
	__u32 skip;    /* bit i: word i need not be compared, for mask and value are 0 */
	__u32 action;  /* enum shield_action */
	__u32 counter; /* its place in `rule_counters` and `rule_states`, the same for as long as the rule lives */
	__u32 flags;   /* SHIELD_RULE_* */
	__u32 rate_pps;
	__u32 arm_pps; /* not 0: it acts only while active_until of its state is ahead, which it puts off itself */
	__u32 hold;    /* jiffies: by so much */
	__u32 range_count;
	__u32 unless_count;
	__u32 source_pps; /* of SHIELD_RULE_KNOWN, SHIELD_RULE_EACH; buckets are those of `source_buckets` */
	__u64 mask[SHIELD_WORDS];
	__u64 value[SHIELD_WORDS];
	struct shield_range ranges[SHIELD_RULE_RANGES_MAX];
	struct shield_unless unless[SHIELD_RULE_UNLESS_MAX];
};

/*
 * Map `rulesets`: SHIELD_RULESETS tables, of which config.ruleset is in force. A new table is written where none has
 * been in force for SHIELD_RULESET_REST_MS, and then named: no packet sees half of one.
 *
 * Which rules a packet can meet is found by the bit vectors of Lakshman and Stiliadis (SIGCOMM 1998): bit r of
 * by_protocol[p] says that rule r can be met by protocol p, and so on; what has more values is folded into as many bins
 * as there is room for in a processor's nearest cache. Of destinations only a rule for a single one is in one bin.
 * by_other is of 16 bits more, a field or a piece of options, payload or addresses: of those that tell the most of
 * these rules apart. What the vectors leave is compared in full, lowest rule first.
 */
#define SHIELD_RULESET_REST_MS 50
#define SHIELD_BINS 256
#define SHIELD_PORT_BIN(port) (((port) ^ ((port) >> 8)) & (SHIELD_BINS - 1))
#define SHIELD_LENGTH_BIN(length) ((length) < 2040 ? (length) >> 3 : SHIELD_BINS - 1)

struct shield_ruleset {
	__u32 count;
	__u32 needs; /* SHIELD_NEED_* */
	__u32 other; /* below SHIELD_PIECES: which 16 bits of the key by_other is of */
	__u32 unused;
	__u64 by_protocol[SHIELD_BINS];
	__u64 by_src_port[SHIELD_BINS]; /* a packet without ports is in bin 0, as port 0 is */
	__u64 by_dst_port[SHIELD_BINS];
	__u64 by_length[SHIELD_BINS];
	__u64 by_dst[SHIELD_BINS];   /* shield_fold() */
	__u64 by_other[SHIELD_BINS]; /* SHIELD_PORT_BIN() */
	struct shield_rule rules[SHIELD_RULES_MAX];
};

/*
 * Map `rule_counters`, per CPU, SHIELD_RULE_COUNTERS values. What each match writes is in front, for one line of
 * memory.
 */
#define SHIELD_RULE_COUNTERS 256
struct shield_rule_count {
	struct shield_count matched;
	struct shield_count dropped; /* in mode observe, or in the shadow: would have been */
	__u64 last;                  /* jiffies of the latest match on this CPU */
	__u64 until_probe;           /* this CPU's next probe is so many packets away */
	struct shield_count spared;  /* of answered conversations, let through for that */
	struct shield_count
		answered;           /* of answered conversations that it hit, dropped or spared; only where it spares */
	struct shield_count probes; /* let through to see what becomes of them … */
	struct shield_count completed; /* … of these conversations, handshakes that were completed */
	struct shield_count known;     /* of known sources, let through for that … */
	struct shield_count
		known_lost; /* … and what it dropped of theirs all the same, for it was more than source_pps */
};

/*
 * Token buckets are in one word, so that a word is always whole. Jiffies in the high half; in the low half, tokens in
 * 1/SHIELD_TOKEN of a packet. Map `source_buckets` has SHIELD_LIMIT_SLOTS, by a hash of service and source; two that
 * fall together share.
 */
#define SHIELD_TOKEN 1024

/*
 * Map `rule_states`, one value a counter, for all CPUs together. A rule with arm_pps takes a token from `arm` for each
 * match: where there is none, matches come at arm_pps or more, and active_until becomes now + hold. For a sixteenth of
 * a second after it was put off it is left alone. The kernel does all of this by itself; who adds the rule has it begin
 * active.
 */
struct shield_rule_state {
	__u64 active_until; /* jiffies; SHIELD_NEVER of a rule that does not arm */
	__u64 arm, rate, probe;
	__u64 unused[4];
};

/*
 * Map `probed`, SHIELD_PROBED_SLOTS words: TCP conversations whose SYN was let through as a probe, by the hash of their
 * addresses and ports (shield_flow_hash). Its lowest bits are the slot; a word has the time in jiffies (32), more of
 * the hash (19), how many packets may follow (5), the rule's counter (8). 0 is empty; the latest to come takes the
 * slot. What follows the SYN passes the same rule. When this host first sends something in that conversation that is
 * not the answer to a SYN, the handshake was completed: the egress program counts it.
 */
#define SHIELD_PROBED(now, hash, left, counter) \
	((__u64)(__u32)(now) << 32 | ((hash) >> 45) << 13 | (__u64)(left) << 8 | (__u8)(counter))
#define SHIELD_PROBED_IS(word, hash) ((((word) >> 13 ^ (hash) >> 45) & 0x7ffff) == 0 && (word) != 0)
#define SHIELD_PROBED_LEFT(word) ((__u32)((word) >> 8) & 31)

/*
 * Map `answered`: an octet per hash of a conversation, when this host last sent something in one of them: what stands
 * before the map of flows, whose look-up is a line of memory from afar. It is written by who writes the flows, never
 * cleared, and says too much at times, never too little. 0: never; else the time's 7 bits of its own unit, and 1.
 */
#define SHIELD_ANSWERED_SLOTS 131072
#define SHIELD_ANSWERED_LINE 64 /* in one value: a cache line */
struct shield_answered {
	__u8 of[SHIELD_ANSWERED_LINE];
};

/* 16 s, give or take. */
static inline __u32 shield_answered_shift(__u32 hz)
{
	return hz > 500 ? 14 : 12;
}

static inline __u8 shield_answered_at(__u64 jiffies, __u32 hz)
{
	return (__u8)(jiffies >> shield_answered_shift(hz) << 1 | 1);
}

static inline int shield_answered_lately(__u8 slot, __u64 jiffies, __u32 hz)
{
	__u32 age = (__u8)(shield_answered_at(jiffies, hz) - slot) >> 1;

	return slot != 0 && age <= (SHIELD_SPARE_IDLE_S * hz >> shield_answered_shift(hz)) + 1;
}

/*
 * Known sources: who has had an answer of a service in peace; of TCP, who has completed a handshake with it. Map
 * `known`: SHIELD_KNOWN_SLOTS slots in lines of SHIELD_KNOWN_LANES, a line by the hash of service and source (IPv4
 * address, IPv6 /64: one customer). A slot is one word, so that it is always whole: more of the hash (24 bits: of a
 * full line of strangers one in two millions is taken for somebody else), when it was first and when last (20 each, in
 * ticks of about 8 s, which come round after months). 0 is empty.
 *
 * The egress program fills it, when a conversation begins to be answered, and goes on noting those that last. Only
 * rules with SHIELD_RULE_KNOWN or SHIELD_RULE_EACH read it. Where its line is full a newcomer takes the place of who
 * was last longest ago, of those who came only once as long as there are such: whoever makes up addresses pushes out
 * made-up ones.
 *
 * A source is known for SHIELD_KNOWN_S after it was last noted. While a service is frozen (config.freezes), which is
 * while it is under attack, nobody new is noted, and whoever came first less than SHIELD_KNOWN_LEAD_S before that is
 * not known either: so long an attack may go on before it is seen.
 */
#define SHIELD_KNOWN_SLOTS 262144
#define SHIELD_KNOWN_LANES 8
#define SHIELD_KNOWN_LINES (SHIELD_KNOWN_SLOTS / SHIELD_KNOWN_LANES)
#define SHIELD_KNOWN_S (7 * 86400)
#define SHIELD_KNOWN_LEAD_S 10
#define SHIELD_KNOWN_TICKS ((1u << 20) - 1)
#define SHIELD_KNOWN(hash, first, last) \
	((hash) >> 40 << 40 | (__u64)((first)&SHIELD_KNOWN_TICKS) << 20 | ((last)&SHIELD_KNOWN_TICKS))
#define SHIELD_KNOWN_IS(slot, hash) ((((slot) ^ (hash)) >> 40) == 0 && (slot) != 0)
#define SHIELD_KNOWN_FIRST(slot) ((__u32)((slot) >> 20) & SHIELD_KNOWN_TICKS)
#define SHIELD_KNOWN_LAST(slot) ((__u32)(slot)&SHIELD_KNOWN_TICKS)

struct shield_known {
	__u64 lane[SHIELD_KNOWN_LANES];
};

static inline __u32 shield_known_shift(__u32 hz)
{
	return hz > 500 ? 13 : hz > 150 ? 11 : 10;
}

static inline __u32 shield_known_tick(__u64 jiffies, __u32 hz)
{
	return (__u32)(jiffies >> shield_known_shift(hz)) & SHIELD_KNOWN_TICKS;
}

/* Ticks from one to another that is not before it. */
static inline __u32 shield_known_age(__u32 tick, __u32 now)
{
	return (now - tick) & SHIELD_KNOWN_TICKS;
}

static inline int shield_known_lives(__u64 slot, __u32 tick, __u32 hz)
{
	return slot != 0 && shield_known_age(SHIELD_KNOWN_LAST(slot), tick) <=
	                            (__u32)((__u64)SHIELD_KNOWN_S * hz >> shield_known_shift(hz));
}

/* A service is under attack, as whoever knows says; it ends by itself, or the shield would learn no more. */
struct shield_freeze {
	__u64 since, until; /* jiffies */
};

/* A service: which packets are its own, by prefix and port. */
struct shield_service_prefix {
	__u64 mask[2], value[2]; /* of the destination's two words as they lie in memory */
	__u16 first_port, ports; /* its ranges of ports; 0: any */
	__u8 service;
	__u8 unused[3];
};

struct shield_service_ports {
	__u16 protocol;
	__u16 low, high;
	__u16 unused;
};

/*
 * Map `services`, one value. Bit p of by_dst[shield_fold(destination)] says that the destination can be in prefix p;
 * networks are in every bin. The first that holds it, and its port, is the packet's.
 */
struct shield_services {
	__u64 by_dst[SHIELD_BINS];
	struct shield_service_prefix prefixes[SHIELD_SERVICE_PREFIXES_MAX];
	struct shield_service_ports ports[SHIELD_SERVICE_PORTS_MAX];
	__u32 source_pps[SHIELD_SERVICES_MAX]; /* limit per source (IPv4 address, IPv6 /64); 0: none */
	__u32 count;                           /* of prefixes */
	__u32 limits;                          /* 1: one of source_pps is not 0 */
	__u64 local; /* bit s: service s is answered by this host's own sockets, not by what stands behind it */
	/* a hash of each one's name: who is known to it stays so, wherever it stands here */
	__u64 names[SHIELD_SERVICES_MAX];
};

/*
 * TCP under a flood, for services that are local; allowed sources and ways in are not touched. In maps `tcp_states`,
 * one value a service for all CPUs, and `tcp_watches`, the same for each CPU. A slot is a sixteenth of a second.
 *
 * Cookies. Where SYNs come at SHIELD_SYN_PPS or more, and at more than twice the rate at which connections come about
 * in this slot or the one before, the service is under pressure, and so for SHIELD_TCP_HOLD_S after that. Then a SYN
 * that meets a listener is answered at once with a cookie that the kernel makes and will know again
 * (bpf_tcp_gen_syncookie), if it makes one: with net.ipv4.tcp_syncookies=1 while the listener's queue is full, with 2
 * always, with 0 never. Else it passes. Connections are counted where this host first sends something in them that
 * answers no SYN.
 *
 * Strays: packets that are no SYN and of which no socket knows and no cookie tells. One packet in SHIELD_STRAY_INTERVAL
 * on average is looked up. SHIELD_STRAY_HITS strays among them in a slot have all looked up, until there have been none
 * beyond SHIELD_STRAY_PPS for SHIELD_TCP_HOLD_S; strays beyond that rate are dropped, those within it the host answers.
 * One of a conversation in the map `flows` is none: of what is passed on, though the service is called local, sockets
 * do not know.
 */
#define SHIELD_SYN_PPS 1000
#define SHIELD_SYN_BATCH 16 /* SYNs that a CPU counts by itself before it tells the others */
#define SHIELD_STRAY_INTERVAL 32
#define SHIELD_STRAY_HITS 4
#define SHIELD_STRAY_PPS 1000
#define SHIELD_TCP_HOLD_S 2
#define SHIELD_TCP_SLOTS 16 /* in a second */

/*
 * Trial of cookies, a value an interface (ifindex), map `trials`. What XDP sends back may never arrive: not every
 * driver sends it, and nobody says so. So of SYNs under pressure one in SHIELD_TRIAL_SHARE, by the hash of its
 * conversation, is left to the host until it is known; and it is looked who completes a handshake. Where
 * SHIELD_TRIAL_PROVEN do with a cookie though theirs was not left to the host, cookies arrive, and for
 * SHIELD_TRIAL_PROVEN_S all get them. Where SHIELD_TRIAL_LOST do that were left to the host, and nobody else did, they
 * are lost (by chance once in a million), and for SHIELD_TRIAL_LOST_S nobody gets any. What comes in the first half
 * second is not looked at: it may answer cookies that the host itself has sent before.
 *
 * Of an interface that is `unsure` it is likelier that they are lost than that they arrive, and whoever is answered
 * with one that is lost does not get in: there it is the one in SHIELD_TRIAL_SHARE that gets a cookie, the others are
 * left to the host, and it takes SHIELD_TRIAL_LOST_UNSURE of these to say that they are lost (by chance once in a
 * million as well).
 */
#define SHIELD_TRIAL_SHARE 32
#define SHIELD_TRIAL_PROVEN 2
#define SHIELD_TRIAL_LOST 4
#define SHIELD_TRIAL_LOST_UNSURE 448
#define SHIELD_TRIAL_S 10 /* then it begins anew */
#define SHIELD_TRIAL_PROVEN_S 3600
#define SHIELD_TRIAL_LOST_S 600

struct shield_trial {
	__u64 began;                    /* jiffies */
	__u64 proven_until, lost_until; /* jiffies */
	__u32 by_host, by_cookie;       /* handshakes that were completed */
	__u32 unsure;                   /* as who attached the programs found its driver */
	__u32 unused;
};

enum shield_cookies {
	SHIELD_COOKIES_OFF,
	SHIELD_COOKIES_AUTO,    /* under pressure, and as a trial says */
	SHIELD_COOKIES_TRUSTED, /* under pressure */
	SHIELD_COOKIES_ON,      /* as if always under pressure */
};

struct shield_tcp_state {
	__u64 slot; /* which one the counts are of */
	__u64 syns, hits;
	__u64 connected, connected_before; /* in this slot, in the one before */
	__u64 cookies_until, check_until;  /* jiffies */
	__u64 strays;                      /* token bucket */
};

struct shield_tcp_watch {
	__u32 syns;       /* not yet told */
	__u32 until_look; /* packets; 0: not yet drawn */
};

/*
 * The operator's way in: never dropped by whatever rule or block. One that is `sure` is refused to be hit by them; of
 * who is merely connected nobody knows that he is an operator, and what he could veto an attacker could.
 */
struct shield_guard {
	__u64 mask[2], value[2]; /* of the source's two words as they lie in memory */
	__u64 expires;           /* jiffies */
	__u16 protocol;
	__u16 port; /* of this host */
	__u32 sure;
};

enum { SHIELD_OBSERVE, SHIELD_ENFORCE };

/*
 * Map `config`, one value, which the loader alone writes. allow_bins says before the look-up whether an address can be
 * in the allow list: a bit per IPv4 /16, or per hash of an IPv6 /32.
 *
 * The first three members are where they are in all layouts: what replaces another's maps goes on in its mode.
 */
#define SHIELD_ALLOW_BINS 65536
struct shield_config {
	__u32 layout;        /* SHIELD_LAYOUT */
	__u32 mode;          /* SHIELD_OBSERVE, SHIELD_ENFORCE */
	__u64 enforce_until; /* jiffies; from then on it is as if the mode were SHIELD_OBSERVE */
	__u32 ruleset;       /* in force */
	__u32 guard_count;
	__u32 allow_count;     /* 0: the allow list need not be asked */
	__u32 allow_short;     /* IPv6 prefixes shorter than /32 in it: their bins are not to be had */
	__u32 sample_per_tick; /* samples that one CPU may hand out in 2^SHIELD_SAMPLE_SHIFT jiffies; 0: none … */
	__u32 hz;              /* jiffies in a second */
	__u32 next_rule;       /* number of the rule that is made next */
	__u32 clsact_count;
	__u32 dispatched_count;
	__u32 sample_sent_per_tick;              /* … and of what leaves; 0: none */
	__u32 dispatched[SHIELD_INTERFACES_MAX]; /* interfaces whose dispatcher runs the shield */
	__u32 clsact[SHIELD_INTERFACES_MAX];     /* interfaces (ifindex) whose clsact queue was made by the shield */
	__u8 cookies[SHIELD_SERVICES_MAX];       /* enum shield_cookies of a service */
	struct shield_freeze freezes[SHIELD_SERVICES_MAX];
	__u64 seed; /* of the hashes of source_buckets, known, … */
	struct shield_guard guard[SHIELD_GUARD_MAX];
	__u64 allow_bins[SHIELD_ALLOW_BINS / 64];
};

_Static_assert(__builtin_offsetof(struct shield_config, layout) == 0 &&
                       __builtin_offsetof(struct shield_config, mode) == 4 &&
                       __builtin_offsetof(struct shield_config, enforce_until) == 8,
               "in all layouts");

/*
 * Map `allow`, a trie. IPv4 prefixes are 96 longer than their length. Where the longest that holds an address has
 * expired, the next longest is looked for, up to SHIELD_ALLOW_NESTED in all: who keeps the list removes expired ones.
 */
#define SHIELD_ALLOW_NESTED 4
struct shield_allow_key {
	__u32 length;
	__u8 address[16];
};

struct shield_allow {
	__u64 expires; /* jiffies */
	__u32 length;  /* of the key */
	__u32 unused;
};

/*
 * The block list. One process writes it, by memory that it shares with the kernel; the kernel only reads that.
 *
 * IPv4: what a flood costs here is lines of memory that are in no cache, so what most packets read is small.
 *  - block4_classes, 256 KiB: an octet per /18, which classes of length (shield_class4) are listed in it or over it. 0: the
 *    packet is done with; of ten thousand addresses strewn over all, one octet in fifteen is not. Together with `lengths4` it says which lengths are worth a look.
 *  - block4, 4 MiB for a million prefixes: buckets of 32 octets. A prefix and its length are one number of 33 bits
 *    (shield_code4); a bijection with a secret key (shield_place4) makes another of it, whose upper bits are the bucket
 *    and whose lower `lane_bits` the remainder. The bucket has it in one of 15 lanes of 16 bits, so that the table is
 *    exact though it holds no address: the bijection can be undone. 0 is no lane's remainder but an empty lane. The last
 *    multiplication's factor is secret and odd: it brings two numbers together at most twice as often as chance does
 *    (Dietzfelbinger et al., J. Algorithms 25, 1997), whoever chose them.
 *  - block4_more: what its bucket had no lane for (of a million, some 1,200; remainder 0, some 15), in the manner of
 *    block6, below. The 16th lane counts what stands there in the bucket's stead; where it is 0 nobody looks.
 *
 * When a prefix in a lane expires stands apart, in block4_expires, since reading it would be a line more. The kernel
 * enforces it all the same, to the tick, whatever process is alive: a hit is believed unread only where the kernel's
 * own timer has been through the table in this very tick, and has found nothing in this bucket that has expired; else
 * (block4_swept) the hit's own expiry is read. A timer that is late, or that nobody has started, costs time, not truth:
 * the bound on lateness is none, by construction and not by the timer. (Only a prefix whose writer was held up so long
 * that its end had passed when it was put in can be believed for the rest of that tick.) A tick has about half a
 * second, and prefixes expire with the beginning of one; the timer runs then.
 *
 * So that the timer has little to do, buckets stand in groups of 64, with a word each for which buckets hold what has
 * expired (`stale`), and the earliest expiry of the rest (`next`). The writer tells of what has come since by a word of
 * its own, block4_due: a sequence number in the high half, odd while it changes something, in the low half the earliest
 * expiry that it has put in since the kernel has seen that number (`seen`). A group is gone through where `next` or
 * that expiry has come, or the number is odd, as it remains if the writer dies half way. No word has two writers: the
 * kernel writes block4_swept and block_sweep and nothing else, the process everything else. What the process does to a
 * lane is one store, which is seen whole and after the stores before it.
 *
 * block6, and block4_more: slots with the prefix itself and its expiry. block6_bits has a bit per keyed hash of an IPv6
 * /48, for prefixes that long; shorter ones are counted in `short6` and always looked for. A table is buckets of one or
 * two cache lines. A prefix stands in the bucket of its hash or, as long as those are full, in one of the next
 * SHIELD_MORE4_PROBES - 1 (SHIELD_BLOCK6_PROBES - 1; behind the last comes the first): a look-up ends at a bucket with
 * an empty slot. A slot is freed to be empty only where its bucket has another empty one, or no prefix has been put
 * behind that bucket because it was full; else it is SHIELD_MORE4_GRAVE, or of length SHIELD_BLOCK6_GRAVE. Prefixes are
 * never moved. With half of the slots taken, one look-up in twenty-five of block6 goes on to a second bucket; of ten
 * million prefixes the farthest stood in the 13th. The bounds leave room beyond that.
 *
 * block_state is written by who writes the tables. Ticks are jiffies >> tick_shift: 32 bits of them last for decades,
 * 26 in a slot of block4_more for a year. All prefixes expire before `horizon`; behind it the tables hold nothing, so
 * that ticks that have wrapped mean nothing either.
 */
#define SHIELD_BLOCK4_LANES 15
#define SHIELD_BLOCK4_GROUP 64               /* buckets */
#define SHIELD_BLOCK4_GROUPS 8               /* in one value of block4_due and block4_swept */
#define SHIELD_BLOCK4_BUCKETS_MIN (1u << 17) /* else a remainder has more than 16 bits */
#define SHIELD_CODE4_BITS 33
#define SHIELD_CLASS4_BITS 18 /* of an address: which octet of block4_classes is its own */
#define SHIELD_CLASSES (1u << SHIELD_CLASS4_BITS)
#define SHIELD_CLASSES_LINE 64 /* in one value of block4_classes: a cache line */

struct shield_classes {
	__u8 of[SHIELD_CLASSES_LINE];
};

/* Lane n is 16 bits of word n / 4, the lowest first; the 16th counts what is in block4_more. */
struct shield_block4 {
	__u64 word[4];
};

/* Of the lanes of a bucket, in ticks: the first in which the prefix is not blocked. */
struct shield_expires4 {
	__u32 tick[16];
};

struct shield_due4 {
	__u64 group[SHIELD_BLOCK4_GROUPS];
};

struct shield_swept4 {
	__u64 stale[SHIELD_BLOCK4_GROUPS]; /* of a group, a bit per bucket */
	__u32 seen[SHIELD_BLOCK4_GROUPS];
	__u32 next[SHIELD_BLOCK4_GROUPS];
};

/* Slot of block4_more, in one word so that it is always whole: address (32) | expires (26) | length (6). 0 is empty. */
#define SHIELD_MORE4_PROBES 8
#define SHIELD_MORE4_SLOTS 8
#define SHIELD_MORE4_GRAVE 63ULL
#define SHIELD_MORE4_TICKS ((1u << 26) - 1)
#define SHIELD_MORE4(address, length, expires) \
	((__u64)(address) << 32 | (__u64)((expires)&SHIELD_MORE4_TICKS) << 6 | (length))
#define SHIELD_MORE4_WHAT(slot) ((slot)&0xffffffff0000003fULL) /* address and length */
#define SHIELD_MORE4_EXPIRES(slot) ((__u32)((slot) >> 6) & SHIELD_MORE4_TICKS)

struct shield_more4 {
	__u64 slot[SHIELD_MORE4_SLOTS];
};

/* Whether a slot that is neither empty nor a grave still blocks; `tick` is jiffies >> tick_shift. */
static inline int shield_more4_alive(__u64 slot, __u64 tick)
{
	return ((SHIELD_MORE4_EXPIRES(slot) - (__u32)tick - 1) & SHIELD_MORE4_TICKS) < (SHIELD_MORE4_TICKS + 1) / 2;
}

#define SHIELD_BLOCK6_PROBES 16
#define SHIELD_BLOCK_BITS (1u << 24)
#define SHIELD_BLOCK_WIDE (SHIELD_BLOCK_BITS / 256)
#define SHIELD_BLOCK_WORDS 8 /* words of 64 bits in one value of a bitmap's map: a cache line */

/* `length` is written last when a slot is filled, first when it is emptied; 0 is empty. */
#define SHIELD_BLOCK6_SLOTS 4
#define SHIELD_BLOCK6_GRAVE 255
#define SHIELD_BLOCK6_SHORT 48 /* shorter prefixes have no bits in block6_bits */
struct shield_block6_slot {
	__u64 address[2]; /* as they lie in memory */
	__u64 expires;    /* jiffies */
	__u32 length;     /* 1..128 */
	__u32 generation; /* changes with each filling: who read it before and after a comparison read one prefix */
};

struct shield_block6 {
	struct shield_block6_slot slot[SHIELD_BLOCK6_SLOTS];
};

struct shield_block_state {
	__u64 horizon; /* jiffies */
	__u64 xor4;    /* key of the bijection; SHIELD_CODE4_BITS of each */
	__u64 times4;  /* odd */
	__u32 tick_shift;
	__u32 lane_bits;   /* of a remainder in block4 */
	__u32 buckets4;    /* powers of two */
	__u32 lengths4;    /* bit n - 1: prefixes of length n are listed; /1 to /32 */
	__u64 lengths6[2]; /* the same, /1 to /128 */
	__u32 more4;       /* buckets of block4_more */
	__u32 buckets6;
	__u64 seed;
	__u32 short6; /* listed prefixes shorter than /48 */
	__u32 count4, count6;
	__u32 capacity; /* room for so many prefixes of each family: about half of lanes and slots */
	__u32 hz;       /* jiffies in a second */
	__u32 unused;
	__u64 wide6[SHIELD_BLOCK_WIDE /
	            64]; /* for each 256 bits of block6_bits, whether one is set: near, where those are far */
};

/* Map `block_sweep`, one value: how far the kernel's timer is; behind the timer itself, which is bpf/maps.h's. */
struct shield_sweep {
	__u64 tick;   /* the latest that has been gone through whole */
	__u64 at;     /* that is being gone through */
	__u32 cursor; /* groups of it that have been */
	__u32 unused;
};

/*
 * Whether an address is one of IPv4, from its two words as they lie in memory. The address says, not the header: a
 * packet of IPv6 from ::ffff:198.51.100.9 is from 198.51.100.9 to all that lists addresses, or forging that would be a
 * way round them.
 */
static inline int shield_is_ipv4(const __u64 word[2])
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return word[0] == 0 && (__u32)word[1] == 0xffff0000;
#else
	return word[0] == 0 && word[1] >> 32 == 0xffff;
#endif
}

/*
 * Whether a prefix, as mask and value of such words, holds an address; one of IPv6 holds none of IPv4, though ::/0
 * would.
 */
static inline int shield_prefix_holds(const __u64 mask[2], const __u64 value[2], const __u64 word[2])
{
	if ((word[0] & mask[0]) != value[0] || (word[1] & mask[1]) != value[1])
		return 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u32)mask[1] == 0xffffffff || !shield_is_ipv4(word);
#else
	return mask[1] >> 32 == 0xffffffff || !shield_is_ipv4(word);
#endif
}

/* Whether one of the 256 bits is set of which `bit` is one. */
static inline int shield_block_wide(const __u64 *wide, __u32 bit)
{
	return (int)(wide[bit >> 14 & (SHIELD_BLOCK_WIDE / 64 - 1)] >> (bit >> 8 & 63) & 1);
}

/* Of an address's two words as they lie in memory: a number of SHIELD_BINS. */
static inline __u32 shield_fold(const __u64 word[2])
{
	__u64 x = word[0] * 3 ^ word[1];

	x ^= x >> 32;
	x ^= x >> 16;
	return (__u32)(x ^ x >> 8) & (SHIELD_BINS - 1);
}

/* Finalizer of MurmurHash3 (Appleby, public domain): a permutation of 64 bits. */
static inline __u64 shield_mix(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	x ^= x >> 33;
	return x;
}

/*
 * Of a conversation, as an arriving packet has it: src is the other end. What the sender chooses is mixed with the
 * seed.
 */
static inline __u64 shield_flow_hash(__u64 seed, const __u64 src[2], const __u64 dst[2], __u32 src_port, __u32 dst_port,
                                     __u32 protocol)
{
	__u64 ports = (__u64)protocol << 32 | (__u64)src_port << 16 | dst_port;
	__u64 hash = src[0] ? shield_mix(src[0] ^ seed) : seed; /* of IPv4 it is 0 */

	hash = shield_mix(hash ^ src[1] ^ (dst[0] ^ dst[1]) * 0x9e3779b97f4a7c15ULL);
	return shield_mix(hash + ports);
}

/* Of a source and the service that knows it, by the hash of its name. */
static inline __u64 shield_known_hash(__u64 seed, __u64 name, const __u64 src[2])
{
	return shield_mix(shield_mix((shield_is_ipv4(src) ? src[1] : src[0]) ^ seed) ^ name);
}

/* Which bit of block4_classes stands for a length, and which bits of lengths4 those classes can mean. */
static inline __u32 shield_class4(__u32 length)
{
	return length == 32 ? 0 : length == 24 ? 1 : length > 24 ? 2 : length > 16 ? 3 : length > 8 ? 4 : 5;
}

static inline __u32 shield_lengths4(__u32 classes)
{
	return (classes & 1 ? 1u << 31 : 0) | (classes & 2 ? 1u << 23 : 0) | (classes & 4 ? 0x7f000000u : 0) |
	       (classes & 8 ? 0x007f0000u : 0) | (classes & 16 ? 0xff00u : 0) | (classes & 32 ? 0xffu : 0);
}

/* `address` in host byte order, host bits zero. The lowest bit that is set says the length. */
static inline __u64 shield_code4(__u32 address, __u32 length)
{
	return (__u64)address << 1 | 1ULL << (32 - length);
}

/*
 * Where a code is in block4: bucket << lane_bits | remainder. What overflows 33 bits is shifted out where it matters.
 */
#define SHIELD_PLACE4_TIMES 0x9e3779b97f4a7c15ULL /* 2^64 / golden ratio */
#define SHIELD_PLACE4_SHIFT 17                    /* more than half of the bits, so that it undoes itself */
static inline __u64 shield_place4(const struct shield_block_state *state, __u64 code)
{
	__u64 x = (code ^ state->xor4) * SHIELD_PLACE4_TIMES;

	x ^= x << (64 - SHIELD_CODE4_BITS) >> (64 - SHIELD_CODE4_BITS + SHIELD_PLACE4_SHIFT);
	return x * state->times4 << (64 - SHIELD_CODE4_BITS) >> (64 - SHIELD_CODE4_BITS);
}

/*
 * Whether a lane of the bucket is this remainder, which is not 0. Four lanes at a time and without a branch, which
 * would be guessed wrong once a packet: of a word that is 0 where a lane is equal, the top bit of each lane is made to
 * say so.
 */
static inline __u64 shield_unequal4(__u64 lanes)
{
	return ((lanes & 0x7fff7fff7fff7fffULL) + 0x7fff7fff7fff7fffULL) | lanes;
}

static inline int shield_in_lanes4(const struct shield_block4 *bucket, __u64 remainder)
{
	__u64 wanted = remainder * 0x0001000100010001ULL;
	__u64 unequal = shield_unequal4(bucket->word[0] ^ wanted) & shield_unequal4(bucket->word[1] ^ wanted) &
	                shield_unequal4(bucket->word[2] ^ wanted) &
	                (shield_unequal4(bucket->word[3] ^ wanted) | 0x8000000000000000ULL);

	return (unequal & 0x8000800080008000ULL) != 0x8000800080008000ULL;
}

static inline __u32 shield_lane4(const struct shield_block4 *bucket, __u32 lane)
{
	return (__u32)(bucket->word[lane / 4 & 3] >> (lane % 4 * 16)) & 0xffff;
}

/* Of block4_more; the low bits name a bucket. */
static inline __u32 shield_more4_hash(__u64 seed, __u32 address, __u32 length)
{
	return (__u32)shield_mix(((__u64)address << 6 | length) ^ seed);
}

static inline __u32 shield_block6_hash(__u64 seed, const __u64 word[2], __u32 length)
{
	return (__u32)shield_mix(shield_mix(word[0] ^ seed) ^ word[1] ^ (__u64)length << 56);
}

/* The bit of block6_bits for the /48 whose 6 octets lie in the low or high 48 bits of `network`. */
static inline __u32 shield_block6_bit(__u64 seed, __u64 network)
{
	return (__u32)shield_mix(network ^ seed) & (SHIELD_BLOCK_BITS - 1);
}

/* The bin of allow_bins for the first 32 bits of an IPv6 address. */
static inline __u32 shield_allow_bin6(__u32 network)
{
	__u32 x = network * 0x9e3779b1u;

	return x >> 16;
}

/*
 * Map `samples`, a ring. Each CPU takes each packet with one chance in `interval`, independently of all others, so that
 * the gaps between samples are random and no period of what comes hides from it or is seen twice as often. A sample's
 * weight is the interval that held for it: the Horvitz-Thompson estimator. Since the interval depends on nothing but
 * samples taken before, the weights of any set of packets add up to its number without bias; of n packets at interval w
 * the standard error is sqrt(n * (w - 1)). Exact numbers are in `counters`.
 *
 * The interval doubles as often as config.sample_per_tick have been handed out in a tick, which is
 * 2^SHIELD_SAMPLE_SHIFT jiffies, and halves with each tick that ended with less than half: after a flood it is 1 again
 * at the twentieth tick at the latest. What leaves has a sampler and a budget of its own (SHIELD_SAMPLE_SENT). There a
 * packet is what the host gives to the device, as a capture on the host has it: of TCP up to 64 KiB, cut into packets
 * behind it.
 *
 * For TCP to a service that is `local`, SHIELD_SAMPLE_ANSWERED and SHIELD_SAMPLE_HANDSHAKE are the word of the host's
 * own sockets, for all else SHIELD_SAMPLE_ANSWERED is that of the map `flows`.
 */
#define SHIELD_SAMPLE_SHIFT 2
#define SHIELD_SAMPLE_WEIGHT_MAX (1u << 20)
#define SHIELD_RING_OCTETS (4u << 20)

enum {
	SHIELD_SAMPLE_ENFORCED = 1 << 0, /* its fate was carried out; else mode is observe */
	SHIELD_SAMPLE_ANSWERED = 1 << 1, /* this host has sent packets the other way */
	SHIELD_SAMPLE_HANDSHAKE =
		1 << 2,               /* it completes a handshake: by its number, as the host's own stack will find */
	SHIELD_SAMPLE_SENT = 1 << 3,  /* it leaves this host; `service` is its source's */
	SHIELD_SAMPLE_PROBE = 1 << 4, /* a rule let it through to see what becomes of it */
};

struct shield_sample {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 weight;  /* packets that it stands for */
	__u32 ifindex;
	__u32 length; /* of the frame */
	__u16 kept;   /* octets of it that follow */
	__u8 reason;  /* enum shield_reason */
	__u8 service;
	__u8 rule; /* counter of the rule that decided, where one did */
	__u8 flags;
	__u16 unused;
	__u32 unused2;
	__u8 octets[SHIELD_SAMPLE_OCTETS];
};

/* Map `flows`, least recently used first out: what this host has sent, seen from the packets that it receives. */
struct shield_flow_key {
	__u8 src[16], dst[16]; /* of an incoming packet: src is the other host */
	__u16 src_port, dst_port;
	__u8 protocol;
	__u8 unused[3];
};

struct shield_flow {
	__u64 first, last; /* jiffies of packets sent */
	__u64 packets;     /* sent */
	__u64 spare;       /* token bucket of what rules that spare let through of it */
	__u8 tcp_flags;    /* all that were sent */
	__u8 unused[7];
};

/* What program shield_clock answers: both at one moment. Jiffies go with CLOCK_MONOTONIC, which suspend stops too. */
struct shield_clock {
	__u64 jiffies;
	__u64 monotonic_ns;
};

/*
 * Map `notes`, one value a counter: what the rule of that counter says, as a person reads it, so that who takes over
 * the pinned maps, or looks at them while nothing runs, knows what is in force. The kernel does not read it.
 */
#define SHIELD_TEXT_MAX 1024
#define SHIELD_REASON_MAX 160
struct shield_note {
	__u32 number;  /* r1 is 1; 0: no rule has this counter */
	__u32 action;  /* enum rule_action of defend/rule.h */
	__u64 expires; /* jiffies */
	__s64 made_ns; /* when: since the Unix epoch */
	__u32 rate_pps;
	__u32 made_by; /* uid, or SHIELD_BY_ENGINE of shield/maps.h */
	__u32 shadow;
	__u8 scope_length; /* in the family's own terms */
	__u8 scope_is_ipv4;
	__u8 spare;
	__u8 probe;
	__u32 arm_pps;
	__u32 hold_s;
	__u32 source_pps;
	__u8 known;
	__u8 each;
	__u16 unused;
	__u8 scope[16];
	char match[SHIELD_TEXT_MAX]; /* canonical text, NUL-terminated */
	char reason[SHIELD_REASON_MAX];
};

_Static_assert(sizeof(struct shield_block4) == 32, "a bucket is in one cache line");
_Static_assert(sizeof(struct shield_expires4) == 64, "a bucket's expiries are a cache line");
_Static_assert(sizeof(struct shield_more4) == 64, "a bucket is a cache line");
_Static_assert(sizeof(struct shield_block6) == 128, "a bucket is two cache lines");
_Static_assert(sizeof(struct shield_flow_key) == 40, "no padding in a key");
_Static_assert(sizeof(struct shield_flow) == 40, "no padding in a value");
_Static_assert(sizeof(struct shield_known) == 64, "a line is a cache line");
_Static_assert(sizeof(struct shield_rule_state) == 64, "of a cache line's length");
_Static_assert(sizeof(struct shield_sample) == 160, "no padding that would carry what memory held before");

#endif
