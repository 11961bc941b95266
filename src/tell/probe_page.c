/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/probe_page.h"

#include <inttypes.h>

#include "base/time.h"
#include "tell/build.h"
#include "tell/words.h"

#define US_PER_S 1000000
#define DAY_S 86400
#define EXPIRES_SOON_DAYS 14

/* ---- paper ---- */

static const char *milliseconds(uint32_t us, char text[WORDS_SIZE])
{
	(void)snprintf(text, WORDS_SIZE, "%" PRIu32 ".%" PRIu32 " ms", us / 1000, us / 100 % 10);
	return text;
}

static void add_phase(struct draft *draft, const char *name, uint32_t us)
{
	char text[WORDS_SIZE];

	if (us > 0)
		draft_add(draft, ", %s %s", name, milliseconds(us, text));
}

static void add_certificate(struct draft *draft, const struct probe_address *address, int64_t now_ns)
{
	int64_t days = (address->cert_expires_s - now_ns / NS_PER_S) / DAY_S;
	char text[TIME_TEXT_SIZE];

	if (address->cert_expires_s == 0)
		return;
	(void)time_format((struct capture_time){ address->cert_expires_s * NS_PER_S }, text);
	draft_add(draft, ", %scertificate until %.10s%s", days < EXPIRES_SOON_DAYS ? YELLOW : "", text,
	          days < EXPIRES_SOON_DAYS ? PLAIN : "");
}

static void tell_address(const struct paper *paper, const struct probe_outcome *outcome,
                         const struct probe_address *address, int64_t now_ns)
{
	bool good = address->reason == PROBE_OK, here = probe_reason_is_here(address->reason);
	struct draft draft = { .length = 0 };
	char text[ADDRESS_TEXT_SIZE];

	draft_add(&draft, "%s%-4s" PLAIN " %-15s  %s",
	          good   ? GREEN
	          : here ? DIM
	                 : RED,
	          good   ? "up"
	          : here ? "--"
	                 : "down",
	          address_format(&address->address, text),
	          outcome->check->target.type == PROBE_DNS && good ? "is an address of it"
	                                                           : probe_reason_says(address->reason));
	if (address->status)
		draft_add(&draft, ", HTTP %" PRIu32, address->status);
	if (address->redirects)
		draft_add(&draft, " after %" PRIu32 " redirect%s", address->redirects,
		          address->redirects > 1 ? "s" : "");
	add_phase(&draft, "connect", address->connect_us);
	add_phase(&draft, "TLS", address->tls_us);
	add_phase(&draft, "first octet", address->first_us);
	add_phase(&draft, "all", address->total_us);
	if (address->cut)
		draft_add(&draft, ", of which no more was read");
	add_certificate(&draft, address, now_ns);
	paper_text(paper, 2, 6, draft.text);
}

void probe_page(const struct paper *paper, const struct probe_outcome *outcomes, size_t count, int64_t now_ns)
{
	for (size_t i = 0; i < count; i++) {
		const struct probe_result *result = &outcomes[i].result;
		struct draft draft = { .length = 0 };
		uint32_t good, bad;
		char text[WORDS_SIZE];

		probe_counts(result, &good, &bad);
		draft_add(&draft, "%s%s" PLAIN "  " BOLD "%s" PLAIN,
		          bad == 0 && good > 0 ? GREEN
		          : good > 0           ? YELLOW
		                               : RED,
		          bad == 0 && good > 0 ? "up"
		          : good > 0           ? "in part"
		          : bad > 0            ? "down"
		                               : "unknown",
		          outcomes[i].check->text);
		if (result->count == 0)
			draft_add(&draft, ": %s", probe_reason_says(result->reason));
		if (result->dns_us)
			draft_add(&draft, ", looked up in %s", milliseconds(result->dns_us, text));
		if (result->left_out)
			draft_add(&draft, ", %" PRIu32 " addresses more than are checked", result->left_out);
		paper_text(paper, 0, 4, draft.text);
		for (uint32_t k = 0; k < result->count; k++)
			tell_address(paper, &outcomes[i], &result->addresses[k], now_ns);
	}
}

/* ---- JSON ---- */

static json_t *address_json(struct build *b, const struct probe_address *address)
{
	json_t *row = json_object();
	char text[ADDRESS_TEXT_SIZE];

	build_set(b, row, "address", json_string(address_format(&address->address, text)));
	build_set(b, row, "reason", json_string(probe_reason_name(address->reason)));
	build_set(b, row, "status", address->status ? build_integer(address->status) : json_null());
	build_set(b, row, "redirects", build_integer(address->redirects));
	build_set(b, row, "connect_us", build_integer(address->connect_us));
	build_set(b, row, "tls_us", build_integer(address->tls_us));
	build_set(b, row, "first_octet_us", build_integer(address->first_us));
	build_set(b, row, "total_us", build_integer(address->total_us));
	build_set(b, row, "octets", build_integer(address->octets));
	build_set(b, row, "cut", json_boolean(address->cut));
	build_set(b, row, "certificate_expires",
	          address->cert_expires_s ? build_time(address->cert_expires_s * NS_PER_S) : json_null());
	return row;
}

json_t *probe_page_json(const struct probe_outcome *outcomes, size_t count)
{
	struct build b = { .failed = false };
	json_t *root = json_object(), *probes = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct probe_result *result = &outcomes[i].result;
		json_t *probe = json_object(), *addresses = json_array();
		uint32_t good, bad;

		probe_counts(result, &good, &bad);
		build_set(&b, probe, "target", build_text(outcomes[i].check->text, PROBE_TARGET_SIZE));
		build_set(&b, probe, "type", json_string(probe_type_name(outcomes[i].check->target.type)));
		build_set(&b, probe, "time", build_time(result->at_ns));
		build_set(&b, probe, "reason", json_string(probe_reason_name(result->reason)));
		build_set(&b, probe, "good", build_integer(good));
		build_set(&b, probe, "bad", build_integer(bad));
		build_set(&b, probe, "dns_us", build_integer(result->dns_us));
		build_set(&b, probe, "total_us", build_integer(result->total_us));
		build_set(&b, probe, "addresses_left_out", build_integer(result->left_out));
		for (uint32_t k = 0; k < result->count; k++)
			build_append(&b, addresses, address_json(&b, &result->addresses[k]));
		build_set(&b, probe, "addresses", addresses);
		build_append(&b, probes, probe);
	}
	build_set(&b, root, "probes", probes);
	if (!b.failed)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- OpenMetrics ---- */

struct sample {
	bool is;
	uint64_t whole, millionths;
};

static struct sample number(bool is, uint64_t n)
{
	return (struct sample){ is, n, 0 };
}

static struct sample seconds(uint32_t us)
{
	return (struct sample){ true, us / US_PER_S, us % US_PER_S };
}

static struct sample success(const struct probe_outcome *o, const struct probe_address *address)
{
	uint32_t good, bad;

	(void)address;
	probe_counts(&o->result, &good, &bad);
	return number(good + bad > 0, bad == 0);
}

static struct sample duration(const struct probe_outcome *o, const struct probe_address *address)
{
	(void)address;
	return seconds(o->result.total_us);
}

static struct sample lookup(const struct probe_outcome *o, const struct probe_address *address)
{
	(void)address;
	return seconds(o->result.dns_us);
}

/* Of several addresses the first that is not as it should be; as of the whole. */
static struct sample status(const struct probe_outcome *o, const struct probe_address *address)
{
	const struct probe_result *result = &o->result;
	uint32_t told = 0;

	(void)address;
	for (uint32_t i = 0; i < result->count && (i == 0 || result->addresses[i - 1].reason == PROBE_OK); i++)
		told = result->addresses[i].status;
	return number(o->check->target.type == PROBE_HTTP, told);
}

static struct sample redirects(const struct probe_outcome *o, const struct probe_address *address)
{
	uint32_t most = 0;

	(void)address;
	for (uint32_t i = 0; i < o->result.count; i++)
		most = o->result.addresses[i].redirects > most ? o->result.addresses[i].redirects : most;
	return number(o->check->target.type == PROBE_HTTP, most);
}

static struct sample expiry(const struct probe_outcome *o, const struct probe_address *address)
{
	int64_t earliest = 0;

	(void)address;
	for (uint32_t i = 0; i < o->result.count; i++) {
		int64_t s = o->result.addresses[i].cert_expires_s;

		earliest = s > 0 && (earliest == 0 || s < earliest) ? s : earliest;
	}
	return number(earliest > 0, (uint64_t)earliest);
}

static struct sample address_success(const struct probe_outcome *o, const struct probe_address *address)
{
	(void)o;
	return number(!probe_reason_is_here(address->reason), address->reason == PROBE_OK);
}

static struct sample address_duration(const struct probe_outcome *o, const struct probe_address *address)
{
	(void)o;
	return seconds(address->total_us);
}

static const struct metric {
	const char *name, *unit, *help;
	struct sample (*sample)(const struct probe_outcome *o, const struct probe_address *address);
	bool each; /* address */
} metrics[] = {
	{ "probe_success", "", "Whether all addresses that could be checked answered as they should", success, false },
	{ "probe_duration_seconds", "seconds", "How long the check took, to the end of the slowest address", duration,
	  false },
	{ "probe_dns_lookup_time_seconds", "seconds", "How long the look-up of the name took", lookup, false },
	{ "probe_http_status_code", "", "HTTP status, of the first address that fails, else of the last; 0 without one",
	  status, false },
	{ "probe_http_redirects", "", "How many redirects were followed", redirects, false },
	{ "probe_ssl_earliest_cert_expiry", "", "When the earliest of the certificates shown expires, Unix time",
	  expiry, false },
	{ "probe_address_success", "", "Whether this address answered as it should", address_success, true },
	{ "probe_address_duration_seconds", "seconds", "How long this address took", address_duration, true },
};

/* A label's value: what its grammar has a meaning for is escaped. */
static void put_label(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
}

static void put_sample(FILE *out, const struct metric *metric, const struct probe_outcome *o,
                       const struct probe_address *address)
{
	struct sample sample = metric->sample(o, address);
	char text[ADDRESS_TEXT_SIZE];

	if (!sample.is)
		return;
	(void)fprintf(out, "%s{target=\"", metric->name);
	put_label(out, o->check->text);
	if (address)
		(void)fprintf(out, "\",address=\"%s", address_format(&address->address, text));
	(void)fprintf(out, "\"} %" PRIu64, sample.whole);
	if (sample.millionths)
		(void)fprintf(out, ".%06" PRIu64, sample.millionths);
	(void)fputc('\n', out);
}

void probe_page_metrics(FILE *out, const struct probe_outcome *outcomes, size_t count)
{
	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		const struct metric *metric = &metrics[m];

		(void)fprintf(out, "# TYPE %s gauge\n", metric->name);
		if (*metric->unit)
			(void)fprintf(out, "# UNIT %s %s\n", metric->name, metric->unit);
		(void)fprintf(out, "# HELP %s %s.\n", metric->name, metric->help);
		for (size_t i = 0; i < count; i++) {
			const struct probe_result *result = &outcomes[i].result;

			if (!metric->each)
				put_sample(out, metric, &outcomes[i], NULL);
			for (uint32_t k = 0; metric->each && k < result->count; k++)
				put_sample(out, metric, &outcomes[i], &result->addresses[k]);
		}
	}
	(void)fputs("# EOF\n", out);
}
