/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/origin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/real.h"
#include "base/share.h"

#define BISECTIONS 40
#define OUTSIDE 0.025  /* on each side of an interval of 95 % */
#define CENTS_MAX 1e15 /* of a price that is told */
#define NS_PER_DAY (86400 * NS_PER_S)

/* ---- sums over rows ---- */

static uint64_t ppm_of(double share)
{
	if (!(share > 0))
		return 0;
	return share < 1 ? (uint64_t)(share * PPM + 0.5) : PPM;
}

/* Below which `part` of Beta(a, b) lies. */
static double beta_at(double a, double b, double part)
{
	double low = 0, high = 1;

	for (unsigned i = 0; i < BISECTIONS; i++) {
		double middle = (low + high) / 2;

		if (real_beta_below(a, b, middle) < part)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/*
 * Of `held` sources that were drawn evenly a share of low..high had a property: so many of all have it at least and at
 * most, with 95 % confidence (Clopper and Pearson 1934).
 */
static void widen(uint64_t held, uint64_t *low_ppm, uint64_t *high_ppm)
{
	double n = (double)held, least = n * (double)*low_ppm / PPM, most = n * (double)*high_ppm / PPM;

	if (least > 0)
		*low_ppm = ppm_of(beta_at(least, n - least + 1, OUTSIDE));
	if (most < n)
		*high_ppm = ppm_of(beta_at(most + 1, n - most, 1 - OUTSIDE));
}

static void add_countries(struct origin *o, uint64_t held)
{
	struct trace_country countries[ORIGIN_COUNTRIES_MAX];
	uint32_t count = trace_countries(o->trace, countries, ORIGIN_COUNTRIES_MAX);

	for (uint32_t i = 0; i < count; i++) {
		const struct trace_country *from = &countries[i];
		struct origin_country *into = &o->countries[o->countries_count++];

		memcpy(into->code, from->code, sizeof(into->code));
		into->low_ppm = ppm_of(from->sources_low);
		into->high_ppm = ppm_of(from->sources_high);
		into->packets_low_ppm = ppm_of(from->packets_low);
		into->packets_high_ppm = ppm_of(from->packets_high);
		if (o->trace->sources_sampled)
			widen(held, &into->low_ppm, &into->high_ppm);
	}
}

/* Networks of one number stand together; in them the row with most sources first. */
static int by_network(const void *left, const void *right)
{
	const struct trace_row *a = *(const struct trace_row *const *)left,
			       *b = *(const struct trace_row *const *)right;

	if (a->network != b->network)
		return a->network < b->network ? -1 : 1;
	return a->sources != b->sources ? a->sources > b->sources ? -1 : 1 : 0;
}

/* Into its place among the largest ones. */
static void keep_network(struct origin *o, const struct origin_network *network)
{
	uint32_t at = o->networks_count;

	while (at > 0 && o->networks[at - 1].sources < network->sources)
		at--;
	if (at == ORIGIN_NETWORKS_MAX)
		return;
	if (o->networks_count < ORIGIN_NETWORKS_MAX)
		o->networks_count++;
	for (uint32_t i = o->networks_count - 1; i > at; i--)
		o->networks[i] = o->networks[i - 1];
	o->networks[at] = *network;
}

/* What most databases say of a row; "" where each says something else. */
static void most_say(const struct trace_row *row, uint32_t databases, char code[GEO_COUNTRY_SIZE])
{
	uint32_t most = 0;

	code[0] = '\0';
	for (uint32_t i = 0; i < databases; i++) {
		uint32_t same = 0;

		for (uint32_t k = 0; k < databases; k++)
			same += strcmp(row->country[i], row->country[k]) == 0;
		if (!row->country[i][0] || same <= most)
			continue;
		most = same;
		memcpy(code, row->country[i], GEO_COUNTRY_SIZE);
	}
	if (most * 2 <= databases && databases > 1)
		code[0] = '\0';
}

static int add_networks(struct origin *o, uint64_t held)
{
	const struct trace *t = o->trace;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
	const struct trace_row **rows = calloc((size_t)t->rows_count + 1, sizeof(*rows));
	struct origin_network network = { .number = 0 };

	if (!rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->rows_count; i++)
		rows[i] = &t->rows[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
	qsort(rows, t->rows_count, sizeof(*rows), by_network);
	for (uint32_t i = 0; i < t->rows_count; i++) {
		const struct trace_row *row = rows[i];

		if (row->network == 0 || row->network == TRACE_OTHERS)
			continue;
		if (network.number != row->network) {
			network = (struct origin_network){ .number = row->network };
			memcpy(network.name, row->name, sizeof(network.name));
			most_say(row, t->country_databases, network.country);
		}
		network.held += row->held;
		network.sources += row->sources;
		network.packets += row->packets;
		if (i + 1 < t->rows_count && rows[i + 1]->network == row->network)
			continue;
		o->networks_known++;
		network.low_ppm = share_ppm(network.sources, t->located_sources);
		network.high_ppm = network.low_ppm;
		network.packets_ppm = share_ppm(network.packets, t->located_packets);
		if (t->sources_sampled)
			widen(held, &network.low_ppm, &network.high_ppm);
		keep_network(o, &network);
	}
	free(rows);
	return 0;
}

int origin_make(const struct trace *trace, struct origin *o)
{
	uint64_t held = 0, relays = 0;
	int result;

	*o = (struct origin){ .trace = trace };
	for (uint32_t i = 0; i < trace->rows_count; i++) {
		held += trace->rows[i].held;
		relays += trace->rows[i].reflectors ? trace->rows[i].sources : 0;
	}
	o->relays = relays > 0;
	o->all_relays = relays > 0 && relays == trace->located_sources;
	add_countries(o, held);
	o->located = trace->located_sources > 0 && o->countries_count > 0;
	result = add_networks(o, held);
	return result;
}

/* ---- words ---- */

void origin_interval(struct account *a, uint64_t low_ppm, uint64_t high_ppm, struct draft *d)
{
	const char *low = account_down(a, low_ppm);

	if (low_ppm >= high_ppm)
		draft_add(d, "%s", low);
	else if (low_ppm == 0)
		draft_add(d, "up to" WORDS_TIE "%s", account_up(a, high_ppm));
	else
		draft_add(d, "%s" WORDS_TIE "to" WORDS_TIE "%s", low, account_up(a, high_ppm));
}

/* "$0.40", "$1,200" */
static void add_dollars(struct account *a, struct draft *d, double dollars)
{
	double cents = dollars * 100;
	uint64_t whole = cents > 0 ? cents < CENTS_MAX ? (uint64_t)(cents + 0.5) : (uint64_t)CENTS_MAX : 0;

	if (whole && whole < 1000)
		draft_add(d, "$%" PRIu64 ".%02" PRIu64, whole / 100, whole % 100);
	else if (whole)
		draft_add(d, "$%s", account_count(a, (whole + 50) / 100));
	else
		draft_add(d, "less than a cent");
}

static const char *seconds(struct account *a, double s)
{
	double most = (double)INT64_MAX / 2;

	return words_duration(s * (double)NS_PER_S < most ? (int64_t)(s * (double)NS_PER_S) : (int64_t)most,
	                      account_room(a));
}

static const char *share(struct account *a, double part)
{
	return account_down(a, ppm_of(part));
}

static void tell(const struct account_sink *to, const struct draft *d)
{
	to->take(to->context, d->text);
}

/* ---- where ---- */

void origin_verdict(struct account *a, const struct origin *o, struct draft *d)
{
	static const char *const words[] = {
		[SPOOFING_UNDETERMINED] =
			"Whether the senders' addresses were forged cannot be told, so of no place can it "
			"be said that the attack came from there.",
		[SPOOFING_SPOOFED] =
			"The senders' addresses were forged: they say nothing about where the attack came from.",
		[SPOOFING_VERIFIED] = "The senders' addresses are real: they received what was sent back to them.",
		[SPOOFING_REFLECTORS] =
			"What arrived came from misused servers (relays). Their addresses are real; those who "
			"made them send hid behind a forged one, and cannot be seen from here.",
	};
	const struct spoofing_shares *shares = &o->trace->spoofing.packets;

	draft_add(d, "%s", words[o->trace->spoofing.verdict]);
	if (o->trace->vectors_count > 1 && shares->spoofed < 1 && shares->verified < 1 && shares->reflectors < 1 &&
	    shares->undetermined < 1) {
		const struct {
			double part;
			const char *what;
		} parts[] = {
			{ shares->spoofed, "forged" },
			{ shares->verified, "verified" },
			{ shares->reflectors, "from relays" },
			{ shares->undetermined, "undecided" },
		};
		const char *between = " Of all packets ";

		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			if (!(parts[i].part > 0))
				continue;
			draft_add(d, "%s%s %s", between, share(a, parts[i].part), parts[i].what);
			between = ", ";
		}
		if (strcmp(between, ", ") == 0)
			draft_add(d, ".");
	}
}

void origin_located(struct account *a, const struct origin *o, struct draft *d)
{
	const struct trace *t = o->trace;
	uint64_t all, packets;

	if (t->located_sources == 0) {
		draft_add(d, "No map is drawn: of no source is it known that its address is real.");
		return;
	}
	if (!o->located) {
		draft_add(
			d,
			t->country_databases
				? "No map is drawn: no database knows where these addresses are."
				: "No map is drawn: there is no database of countries. 'holdfast geo update' brings two.");
		return;
	}
	if (o->all_relays)
		draft_add(d, "These are the relays: servers that were misused because they answer anybody. " BOLD
		             "They are not the attackers" PLAIN
		             ", and where they stand says nothing about who used them. ");
	else if (o->relays)
		draft_add(d, "Some of these are relays: misused servers, not attackers. ");
	all = t->sources > t->located_sources ? t->sources : t->located_sources;
	packets = t->located_packets < t->packets ? t->located_packets : t->packets;
	draft_add(
		d,
		"Of %s sources %s have addresses that are known to be real; they sent %s of the packets. Shares are of "
		"these alone.",
		account_about(a, all), account_count(a, t->located_sources),
		account_down(a, share_ppm(packets, t->packets)));
	if (t->sources_sampled)
		draft_add(d, " They are taken from an even sample, and the intervals allow for that.");
}

void origin_databases(struct account *a, const struct origin *o, struct draft *d)
{
	const struct trace *t = o->trace;
	const char *date;

	for (uint32_t i = 0; i < t->databases_count; i++) {
		const struct geo_database *database = &t->databases[i];

		draft_add(d, "%s%s", i == 0 ? "Places are as these databases have them: " : ", ", database->name);
		if (database->version[0])
			draft_add(d, " %s", database->version);
		if (database->built_ns) {
			date = words_date_time((struct capture_time){ database->built_ns }, account_room(a));
			draft_add(d, " (%.10s)", date);
		}
	}
	if (t->databases_count == 0)
		return;
	draft_add(d, t->country_databases > 1
	                     ? ". Where they disagree, a share is said as at least and at most."
	                     : ". There is but one of countries: a second would show how far to trust it.");
	draft_add(d, " They are right about the country of some nine addresses in ten; of phones and VPNs less often.");
	for (uint32_t i = 0; i < t->databases_count; i++) {
		const struct geo_database *database = &t->databases[i];
		int64_t age =
			time_since((struct capture_time){ t->began_ns }, (struct capture_time){ database->built_ns });

		if (database->built_ns == 0 || (age <= GEO_OLD_S * NS_PER_S && age >= -GEO_OLD_S * NS_PER_S))
			continue;
		draft_add(d,
		          " " BOLD "%s is from another time" PLAIN
		          ", %s days %s the attack: addresses have moved since.",
		          database->name, account_count(a, (uint64_t)((age < 0 ? -age : age) / NS_PER_DAY)),
		          age < 0 ? "after" : "before");
	}
}

/* Licences of the CC BY family want the makers named (4.0, section 3(a)), public-domain ones do not. */
void origin_attribution(struct account *a, const struct origin *o, struct draft *d)
{
	(void)a;
	for (uint32_t i = 0; i < o->trace->databases_count; i++) {
		const struct geo_database *database = &o->trace->databases[i];

		if (strncmp(database->licence, "CC-BY", 5) != 0 && strncmp(database->licence, "CC BY", 5) != 0)
			continue;
		draft_add(d, "%s%s%s%s, licence %s", d->length ? "; " : "Made from the database ", database->name,
		          database->version[0] ? " " : "", database->version, database->licence);
		if (strncmp(database->name, "asn", 3) == 0)
			draft_add(
				d,
				": routing data of Route Views (University of Oregon) and of DB-IP (db-ip.com), as ip-location-db "
				"puts them together");
	}
	if (d->length)
		draft_add(d, ".");
}

/* ---- how ---- */

static void tell_onset(struct account *a, const struct coordination *c, const char *who, const struct account_sink *to)
{
	struct draft d = { .length = 0 };

	switch (c->onset) {
	case ONSET_COMMAND:
		if (c->within_1s >= c->within_5s / 2)
			draft_add(&d, "%s of the %s began within one second (by chance: %s)", share(a, c->within_1s),
			          who, share(a, c->expected_1s));
		else
			draft_add(&d, "%s of the %s began within five seconds (by chance: %s)", share(a, c->within_5s),
			          who, share(a, c->expected_5s));
		draft_add(&d, ": " BOLD "they acted on one command" PLAIN ".");
		break;
	case ONSET_POLLING:
		draft_add(
			&d,
			"The %s began in steps, half of them within %s: so do machines that ask for orders at intervals.",
			who, seconds(a, c->quartile_s));
		break;
	case ONSET_CROWD:
		draft_add(&d, "The %s began one by one, half of them over %s, as people come.", who,
		          seconds(a, c->quartile_s));
		break;
	case ONSET_UNKNOWN:
		draft_add(&d, "When the %s began does not tell whether they acted together.", who);
		break;
	}
	if (c->ends_1s > 0.5)
		draft_add(&d, " %s of them stopped within one second.", share(a, c->ends_1s));
	if (c->round_duration > 0.5)
		draft_add(&d, " %s lasted a round number of minutes, as rented attacks do.",
		          share(a, c->round_duration));
	tell(to, &d);
}

static void tell_likeness(struct account *a, const struct coordination *c, const struct account_sink *to)
{
	const struct coordination_overlap *most = NULL;
	struct draft d = { .length = 0 };

	if (c->top_signature > 0.5) {
		draft_add(&d, "Their packets are alike: %s of the sources sent the same form.",
		          share(a, c->top_signature));
		tell(to, &d);
	}
	for (uint32_t i = 0; i < c->overlaps_count && i < COORDINATION_OVERLAPS_MAX; i++)
		if (!most || c->overlaps[i].jaccard > most->jaccard)
			most = &c->overlaps[i];
	if (!most)
		return;
	d = (struct draft){ .length = 0 };
	draft_add(&d,
	          "The same ones came back: %s of the %s sources of wave %" PRIu32 " were there again in wave %" PRIu32
	          ".",
	          account_count(a, most->both), account_count(a, most->sources), most->wave + 1, most->next + 1);
	if (most->both == 0) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, "No source of one wave came back in the next.");
	}
	tell(to, &d);
}

static void tell_coordination(struct account *a, const struct origin *o, const struct account_sink *to)
{
	const struct coordination *c = &o->trace->coordination;
	struct draft d = { .length = 0 };

	if (c->known) {
		tell_onset(a, c, o->all_relays ? "relays" : "sources", to);
		tell_likeness(a, c, to);
		return;
	}
	if (o->trace->size.known && o->trace->size.in_all == 1) /* of one there is nothing to tell */
		return;
	draft_add(&d, "Whether the sources acted together cannot be told: %s.",
	          o->trace->spoofing.verdict == SPOOFING_SPOOFED ? "their addresses were forged"
	                                                         : "too little is known of them");
	tell(to, &d);
}

static void tell_size(struct account *a, const struct origin *o, const struct account_sink *to)
{
	const struct size_estimate *s = &o->trace->size;
	struct draft d = { .length = 0 };

	if (!s->known) {
		draft_add(&d,
		          "How many devices took part cannot be told: forged addresses can be made up without end.");
		tell(to, &d);
		return;
	}
	if (s->in_all == 1)
		draft_add(&d, "One %s sent all of it.", o->all_relays ? "relay" : "address");
	else
		draft_add(&d, "%s %s took part in all, at most %s in one second.", account_count(a, s->in_all),
		          o->all_relays ? "relays" : "addresses", account_count(a, s->at_once));
	if (s->devices)
		draft_add(&d, " Their packets tell about %s devices apart.", account_count(a, s->devices));
	if (s->chapman_low >= 0 && s->chapman_high < CENTS_MAX && s->chapman_high >= s->chapman_low) {
		uint64_t low = (uint64_t)s->chapman_low, high = (uint64_t)(s->chapman_high + 0.5);

		draft_add(&d, " By how many came back in another wave, %s", account_count(a, low));
		if (high > low)
			draft_add(&d, " to %s", account_count(a, high));
		draft_add(&d, " stood ready.");
	}
	tell(to, &d);
}

static void tell_cost(struct account *a, const struct origin *o, const struct account_sink *to)
{
	const struct cost *c = &o->trace->cost;
	struct draft d = { .length = 0 };

	if (!c->known)
		return;
	draft_add(&d, "To rent as much (%s at %s) would cost ", seconds(a, c->hours * 3600),
	          account_scaled(a, c->gbps < 1e9 ? (uint64_t)(c->gbps * 1e9) : 0, "bit/s"));
	add_dollars(a, &d, c->low);
	draft_add(&d, " to ");
	add_dollars(a, &d, c->high);
	draft_add(&d, ", about ");
	add_dollars(a, &d, c->mid);
	draft_add(&d, ". That says nothing of who paid, or whether anybody did.");
	if (c->basis[0])
		draft_add(&d, " Prices: %s.", c->basis);
	tell(to, &d);
}

static void tell_rank(struct account *a, const struct origin *o, const struct account_sink *to)
{
	const struct rank *r = &o->trace->rank;
	const struct {
		double part;
		const char *what;
	} parts[] = {
		{ r->pps, "in packets per second" },
		{ r->bps, "in volume" },
		{ r->duration, "in length" },
		{ r->sources, "in sources" },
	};
	const char *between = "";
	struct draft d = { .length = 0 };

	if (r->of == 0)
		return;
	draft_add(&d, "Compared with the %" PRIu32 " earlier %s on record here, it is larger than ", r->of,
	          account_plural(r->of, "attack", "attacks"));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!(parts[i].part >= 0))
			continue;
		draft_add(&d, "%s%s of them %s", between, share(a, parts[i].part), parts[i].what);
		between = ", ";
	}
	draft_add(&d, ".");
	if (between[0])
		tell(to, &d);
}

static void tell_families(struct account *a, const struct origin *o, const struct account_sink *to)
{
	for (uint32_t i = 0; i < o->trace->families_count && i < TRACE_FAMILIES_MAX; i++) {
		const struct trace_family *family = &o->trace->families[i];
		struct draft d = { .length = 0 };

		draft_add(&d, "%s %s consistent with the tool %s (%s).", account_count(a, family->packets),
		          account_plural(family->packets, "packet is", "packets are"), family->name, family->mark);
		if (family->devices)
			draft_add(&d, " They tell about %s devices apart.", account_count(a, family->devices));
		draft_add(&d, " Marks can be copied: this names a tool, not a person.");
		tell(to, &d);
	}
}

void origin_conduct(struct account *a, const struct origin *o, const struct account_sink *to)
{
	tell_coordination(a, o, to);
	tell_size(a, o, to);
	tell_families(a, o, to);
	tell_cost(a, o, to);
	tell_rank(a, o, to);
}

void origin_unknowns(struct account *a, const struct trace *t, const struct account_sink *to)
{
	struct draft d = { .length = 0 };

	draft_add(
		&d,
		"Who gave the order, and why. An address names a machine at best; machines are rented, stolen and infected.");
	tell(to, &d);
	d = (struct draft){ .length = 0 };
	if (t->spoofing.verdict == SPOOFING_SPOOFED || t->spoofing.verdict == SPOOFING_REFLECTORS)
		draft_add(
			&d,
			"From where the packets with forged addresses were sent: only the networks that carried them could tell.");
	else
		draft_add(&d,
		          "Whether these devices were commanded from the country they stand in, or from any other.");
	tell(to, &d);
	d = (struct draft){ .length = 0 };
	draft_add(
		&d,
		"Whether a state was behind it: what it cost, how large it was and where its devices stand do not tell.");
	tell(to, &d);
	if (t->observed < 1) {
		d = (struct draft){ .length = 0 };
		draft_add(&d, "What was not looked at: packets were sampled, %s of the attack's.",
		          share(a, t->observed));
		tell(to, &d);
	}
}

/* ---- claims ---- */

const char *origin_meaning(const char *verdict)
{
	static const struct {
		const char *verdict, *meaning;
	} meanings[] = {
		{ "supported", "The traffic bears this out." },
		{ "contradicted", "The traffic speaks against this." },
		{ "unsupported", "The traffic decides neither for this nor against it." },
		{ "untestable", "Nothing in traffic could show this, or refute it." },
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(verdict, meanings[i].verdict) == 0)
			return meanings[i].meaning;
	return "";
}

void origin_claim(struct account *a, const struct analysis_claim *claim, struct draft *d)
{
	draft_add(d, BOLD "%s" PLAIN, claim->by[0] ? claim->by : "Somebody");
	if (claim->at_ns)
		draft_add(d, ", %.16s UTC", words_date_time((struct capture_time){ claim->at_ns }, account_room(a)));
	draft_add(d, ": \u201c%s\u201d", claim->text);
}

void origin_claim_verdict(struct account *a, const struct analysis_claim *claim, struct draft *d)
{
	(void)a;
	if (!claim->verdict[0]) {
		draft_add(d, "'holdfast claim test' holds it against the traffic.");
		return;
	}
	draft_add(d, BOLD "%s" PLAIN " %s", origin_meaning(claim->verdict),
	          claim->reason[0] ? claim->reason : "No reason is on record.");
	for (size_t i = 1; i + 1 < d->length; i++) /* no line ends between a number and its sign */
		if (d->text[i] == ' ' && d->text[i + 1] == '%' && d->text[i - 1] >= '0' && d->text[i - 1] <= '9')
			d->text[i] = WORDS_TIE[0];
	if (claim->word[0])
		draft_add(d, " Likelihood: %s. Confidence: %s%s%s.", claim->word, claim->confidence,
		          claim->cap[0] ? ", because " : "", claim->cap);
}
