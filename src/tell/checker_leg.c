/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "tell/checker_inside.h"
#include "tell/http_status.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

#define TO_SIZE (ADDRESS_TEXT_SIZE + 32)
#define EXPIRES "Expire date:"

/* What OpenSSL says of a certificate, x509_vfy.h: its numbers are part of its interface. */
#define VERIFY_UNSET 1 /* libcurl's, before it has asked */
#define VERIFY_EARLY 9
#define VERIFY_EXPIRED 10
#define VERIFY_WRONG_NAME 62

/* ---- all of them ---- */

CURLM *leg_multi_new(void)
{
	return curl.multi_init();
}

void leg_multi_free(CURLM *multi)
{
	(void)curl.multi_cleanup(multi);
}

int leg_multi_wait(CURLM *multi, struct curl_waitfd *fds, unsigned count, int timeout_ms)
{
	int running;

	if (curl.multi_perform(multi, &running) != CURLM_OK ||
	    curl.multi_poll(multi, fds, count, timeout_ms, NULL) != CURLM_OK ||
	    curl.multi_perform(multi, &running) != CURLM_OK)
		return -EIO;
	return 0;
}

struct leg *leg_multi_next(CURLM *multi, CURLcode *code)
{
	const CURLMsg *message;
	int left;

	while ((message = curl.multi_info_read(multi, &left))) {
		struct leg *leg = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		(void)curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&leg);
		return leg;
	}
	return NULL;
}

/* ---- one ---- */

static void finish(struct leg *leg, enum probe_reason reason)
{
	leg->result->reason = reason;
	leg->over = true;
}

static void end_transfer(struct leg *leg)
{
	if (leg->easy) {
		(void)curl.multi_remove_handle(leg->multi, leg->easy);
		curl.easy_cleanup(leg->easy);
	}
	curl.slist_free_all(leg->to);
	leg->easy = NULL;
	leg->to = NULL;
}

void leg_drop(struct leg *leg)
{
	end_transfer(leg);
	lookup_free(leg->lookup);
	free(leg->text);
	for (unsigned i = 0; i <= PROBE_REDIRECTS_MAX; i++)
		free(leg->seen[i]);
	memset(leg, 0, sizeof(*leg));
}

/* Asks the kernel, and sends nothing: a datagram's socket that is connected only knows where it would go. */
static bool has_route(const struct address *address)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(1) };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(1) };
	bool is_ipv4 = address_is_ipv4(address);
	int fd = socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return errno != EAFNOSUPPORT;
	memcpy(&ipv4.sin_addr, address->octets + sizeof(address->octets) - sizeof(ipv4.sin_addr),
	       sizeof(ipv4.sin_addr));
	memcpy(&ipv6.sin6_addr, address->octets, sizeof(ipv6.sin6_addr));
	result = is_ipv4 ? connect(fd, (const struct sockaddr *)&ipv4, sizeof(ipv4))
	                 : connect(fd, (const struct sockaddr *)&ipv6, sizeof(ipv6));
	result = result == 0 ? 0 : errno;
	(void)close(fd);
	return result != ENETUNREACH && result != EADDRNOTAVAIL && result != EAFNOSUPPORT;
}

static size_t on_body(char *octets, size_t size, size_t count, void *context)
{
	struct leg *leg = context;
	size_t length = size * count, room = CHECKER_TEXT_MAX - leg->text_length;

	if (leg->text && room > 0) {
		size_t kept = length < room ? length : room;

		memcpy(leg->text + leg->text_length, octets, kept);
		leg->text_length += kept;
	}
	if (leg->result->octets + length > CHECKER_READ_MAX) {
		leg->result->octets = CHECKER_READ_MAX;
		leg->result->cut = true;
		return 0;
	}
	leg->result->octets += length;
	return length;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as libcurl has it */
static size_t on_head(char *octets, size_t size, size_t count, void *context)
{
	struct leg *leg = context;

	(void)octets;
	leg->head += size * count;
	leg->head_too_large = leg->head > CHECKER_HEAD_MAX;
	return leg->head_too_large ? 0 : size * count;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): as libcurl has it */
static CURLcode on_tls(CURL *easy, void *tls, void *context)
{
	(void)easy;
	(void)tls;
	((struct leg *)context)->greeted = true;
	return CURLE_OK;
}

/* Options whose failing would make it less safe, or ask somebody else, must not fail. */
static CURLcode prepare(struct leg *leg, const char *url, long timeout_ms)
{
	CURL *easy = leg->easy;
	CURLcode bad = CURLE_OK;

	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CERTINFO, 1L);
	if (leg->ca_file)
		bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CAINFO, leg->ca_file);
	/* libcurl tells when it was connected once TLS has come about, too; this tells it before. */
	(void)curl.easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	(void)curl.easy_setopt(easy, CURLOPT_SSL_CTX_DATA, leg);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PROXY, "");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	/* Each address for itself, and nothing that was open before. */
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CONNECT_TO, leg->to);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	if (leg->at.type != PROBE_HTTP)
		bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_WRITEDATA, leg);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_HEADERDATA, leg);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_USERAGENT, "Holdfast/" HOLDFAST_VERSION);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PRIVATE, leg);
	return bad ? bad : curl.easy_setopt(easy, CURLOPT_URL, url);
}

void leg_begin(struct leg *leg, int64_t now_ns)
{
	int64_t ms = (leg->deadline_ns - now_ns) / NS_PER_MS;
	char address[ADDRESS_TEXT_SIZE], to[TO_SIZE], url[PROBE_URL_SIZE];

	if (!has_route(&leg->address)) {
		finish(leg, leg->result->redirects ? PROBE_CONNECT_UNREACHABLE : PROBE_NO_ROUTE);
		return;
	}
	(void)address_format(&leg->address, address);
	(void)snprintf(to, sizeof(to), strchr(address, ':') ? "::[%s]:%u" : "::%s:%u", address, (unsigned)leg->at.port);
	leg->greeted = false;
	leg->head = 0;
	leg->text_length = 0;
	leg->result->octets = 0;
	leg->to = curl.slist_append(NULL, to);
	leg->easy = curl.easy_init();
	if (*leg->check->expect_text && leg->at.type == PROBE_HTTP && !leg->text)
		leg->text = malloc(CHECKER_TEXT_MAX);
	if (!leg->to || !leg->easy || (*leg->check->expect_text && leg->at.type == PROBE_HTTP && !leg->text) ||
	    prepare(leg, probe_target_url(&leg->at, url), ms > 0 ? (long)ms : 1) != CURLE_OK) {
		curl.slist_free_all(leg->to);
		if (leg->easy)
			curl.easy_cleanup(leg->easy);
		leg->to = NULL;
		leg->easy = NULL;
		finish(leg, PROBE_NOT_CHECKED);
	} else if (curl.multi_add_handle(leg->multi, leg->easy) != CURLM_OK) {
		finish(leg, PROBE_NOT_CHECKED);
	}
}

/* ---- what became of it ---- */

static uint32_t phase(const struct leg *leg, CURLINFO from, CURLINFO to)
{
	curl_off_t began = 0, ended = 0;

	(void)curl.easy_getinfo(leg->easy, from, &began);
	(void)curl.easy_getinfo(leg->easy, to, &ended);
	return ended > began && ended - began <= UINT32_MAX ? (uint32_t)(ended - began) : 0;
}

static void measure(struct leg *leg)
{
	struct probe_address *result = leg->result;
	curl_off_t total = 0;
	long status = 0;

	(void)curl.easy_getinfo(leg->easy, CURLINFO_TOTAL_TIME_T, &total);
	(void)curl.easy_getinfo(leg->easy, CURLINFO_RESPONSE_CODE, &status);
	result->connect_us += phase(leg, CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T);
	if (leg->at.tls)
		result->tls_us += phase(leg, CURLINFO_CONNECT_TIME_T, CURLINFO_APPCONNECT_TIME_T);
	if (leg->at.type == PROBE_HTTP)
		result->first_us += phase(leg, CURLINFO_PRETRANSFER_TIME_T, CURLINFO_STARTTRANSFER_TIME_T);
	result->total_us += total > 0 && total <= UINT32_MAX ? (uint32_t)total : 0;
	result->status = status > 0 ? (uint32_t)status : 0;
}

static void look_at_certificates(struct leg *leg)
{
	const struct curl_certinfo *shown = NULL;

	if (!leg->at.tls || curl.easy_getinfo(leg->easy, CURLINFO_CERTINFO, &shown) != CURLE_OK || !shown)
		return;
	for (int i = 0; i < shown->num_of_certs; i++)
		for (const struct curl_slist *line = shown->certinfo[i]; line; line = line->next) {
			int64_t s;

			if (strncmp(line->data, EXPIRES, strlen(EXPIRES)) == 0 &&
			    probe_certificate_time(line->data + strlen(EXPIRES), &s) == 0 &&
			    (leg->result->cert_expires_s == 0 || s < leg->result->cert_expires_s))
				leg->result->cert_expires_s = s;
		}
}

static bool has_come(const struct leg *leg, CURLINFO moment)
{
	curl_off_t us = 0;

	(void)curl.easy_getinfo(leg->easy, moment, &us);
	return us > 0;
}

static enum probe_reason of_timeout(const struct leg *leg)
{
	return has_come(leg, CURLINFO_PRETRANSFER_TIME_T) ? PROBE_REPLY_TIMEOUT
	       : leg->greeted                             ? PROBE_TLS_TIMEOUT
	                                                  : PROBE_CONNECT_TIMEOUT;
}

static enum probe_reason of_connecting(const struct leg *leg)
{
	long error = 0;

	(void)curl.easy_getinfo(leg->easy, CURLINFO_OS_ERRNO, &error);
	return error == ECONNREFUSED                           ? PROBE_CONNECT_REFUSED
	       : error == EHOSTUNREACH || error == ENETUNREACH ? PROBE_CONNECT_UNREACHABLE
	       : error == ETIMEDOUT                            ? PROBE_CONNECT_TIMEOUT
	                                                       : PROBE_CONNECT_FAILED;
}

static enum probe_reason of_certificate(const struct leg *leg)
{
	long verified = 0;

	(void)curl.easy_getinfo(leg->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
	/* That the name is another is seen by libcurl itself, of a certificate that is good else. */
	return verified == VERIFY_EXPIRED                                  ? PROBE_CERTIFICATE_EXPIRED
	       : verified == VERIFY_EARLY                                  ? PROBE_CERTIFICATE_EARLY
	       : verified <= VERIFY_UNSET || verified == VERIFY_WRONG_NAME ? PROBE_CERTIFICATE_NAME
	                                                                   : PROBE_CERTIFICATE_UNTRUSTED;
}

static enum probe_reason reason_of(const struct leg *leg, CURLcode code)
{
	/* Only those with a reason of their own. */
	static const struct {
		CURLcode code;
		enum probe_reason reason;
	} rows[] = {
		{ CURLE_OK, PROBE_OK },
		{ CURLE_GOT_NOTHING, PROBE_REPLY_CLOSED },
		{ CURLE_PARTIAL_FILE, PROBE_REPLY_CLOSED },
		{ CURLE_RECV_ERROR, PROBE_REPLY_CLOSED },
		{ CURLE_SEND_ERROR, PROBE_REPLY_CLOSED },
		{ CURLE_UNSUPPORTED_PROTOCOL, PROBE_REPLY_MALFORMED }, /* HTTP/0.9 */
		{ CURLE_WEIRD_SERVER_REPLY, PROBE_REPLY_MALFORMED },
		{ CURLE_BAD_CONTENT_ENCODING, PROBE_REPLY_MALFORMED },
		{ CURLE_SSL_CONNECT_ERROR, PROBE_TLS_FAILED },
		{ CURLE_OUT_OF_MEMORY, PROBE_NOT_CHECKED },
		{ CURLE_SSL_CACERT_BADFILE, PROBE_NOT_CHECKED },
	};

	if (leg->head_too_large)
		return PROBE_REPLY_TOO_LARGE;
	if (code == CURLE_WRITE_ERROR && leg->result->cut)
		return PROBE_OK;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return of_timeout(leg);
	if (code == CURLE_COULDNT_CONNECT)
		return of_connecting(leg);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return of_certificate(leg);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return rows[i].reason;
	return PROBE_REPLY_MALFORMED;
}

static enum probe_reason judge_answer(const struct leg *leg)
{
	const struct probe_check *check = leg->check;
	uint32_t status = leg->result->status;

	if (check->expect_status ? status != check->expect_status : !http_status_is_success(status))
		return PROBE_STATUS;
	if (*check->expect_text && !memmem(leg->text, leg->text_length, check->expect_text, strlen(check->expect_text)))
		return PROBE_TEXT_MISSING;
	return PROBE_OK;
}

/* Where its answer sends it, if it is one that is followed. PROBE_OK: leg->at is that. */
static enum probe_reason follow(struct leg *leg, const char *location)
{
	struct probe_target target;
	char url[PROBE_URL_SIZE];
	const char *what;
	uint32_t hop = leg->result->redirects;

	if (probe_target_parse(location, &target, &what) != 0 || target.type != PROBE_HTTP ||
	    (leg->at.tls && !target.tls)) /* what was private stays so */
		return PROBE_REDIRECT_REFUSED;
	if (!leg->seen[hop])
		leg->seen[hop] = strdup(probe_target_url(&leg->at, url));
	if (!leg->seen[hop])
		return PROBE_NOT_CHECKED;
	(void)probe_target_url(&target, url);
	for (uint32_t i = 0; i <= hop; i++)
		if (strcmp(leg->seen[i], url) == 0)
			return PROBE_REDIRECT_LOOP;
	if (hop == PROBE_REDIRECTS_MAX)
		return PROBE_REDIRECTS_MANY;
	memcpy(target.resolver, leg->at.resolver, sizeof(target.resolver));
	target.resolver_port = leg->at.resolver_port;
	leg->result->redirects++;
	leg->at = target;
	return PROBE_OK;
}

/* To the address that it was sent to, unless a stranger sends it into somebody's own network. */
static void go_to(struct leg *leg, const struct address *address, int64_t now_ns)
{
	if (!probe_address_is_private(&leg->address) && probe_address_is_private(address)) {
		finish(leg, PROBE_REDIRECT_REFUSED);
		return;
	}
	leg->address = *address;
	leg_begin(leg, now_ns);
}

static void go_on(struct leg *leg, const char *location, int64_t now_ns)
{
	char host[PROBE_HOST_SIZE];
	enum probe_reason reason;
	struct address address;
	int64_t ms = (leg->deadline_ns - now_ns) / NS_PER_MS;

	memcpy(host, leg->at.host, sizeof(host));
	reason = follow(leg, location);
	end_transfer(leg); /* the location was its */
	if (reason != PROBE_OK)
		finish(leg, reason);
	else if (ms <= 0)
		finish(leg, PROBE_REPLY_TIMEOUT);
	else if (strcasecmp(host, leg->at.host) == 0)
		leg_begin(leg, now_ns);
	else if (address_parse(leg->at.host, &address) == 0)
		go_to(leg, &address, now_ns);
	else if (lookup_begin(leg->at.host, leg->at.resolver, leg->at.resolver_port, (uint32_t)ms, &leg->lookup) != 0)
		finish(leg, PROBE_NOT_CHECKED);
}

void leg_turn(struct leg *leg, int64_t now_ns)
{
	struct lookup_result found = { .reason = PROBE_OK };
	bool is_ipv4 = address_is_ipv4(&leg->address);
	uint32_t which = 0;

	if (!leg->lookup)
		return;
	if (!lookup_turn(leg->lookup, &found)) {
		if (now_ns < leg->deadline_ns)
			return;
		found.reason = PROBE_RESOLVER_TIMEOUT;
	}
	lookup_free(leg->lookup);
	leg->lookup = NULL;
	if (found.reason != PROBE_OK) {
		finish(leg, found.reason);
		return;
	}
	/* One of its family, if there is one. */
	for (uint32_t i = found.count; i > 0; i--)
		if (address_is_ipv4(&found.addresses[i - 1]) == is_ipv4)
			which = i - 1;
	go_to(leg, &found.addresses[which], now_ns);
}

void leg_ended(struct leg *leg, CURLcode code, int64_t now_ns)
{
	enum probe_reason reason = reason_of(leg, code);
	const struct probe_check *check = leg->check;
	uint32_t status;
	char *location = NULL;

	measure(leg);
	look_at_certificates(leg);
	status = leg->result->status;
	if (reason == PROBE_OK && leg->at.type == PROBE_HTTP) {
		(void)curl.easy_getinfo(leg->easy, CURLINFO_REDIRECT_URL, &location);
		if (location && http_status_is_redirect(status) && status != check->expect_status) {
			go_on(leg, location, now_ns);
			return;
		}
		reason = judge_answer(leg);
	}
	end_transfer(leg);
	finish(leg, reason);
}
