/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/post.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell/curl.h"
#include "tell/http_status.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

struct parcel {
	CURL *easy;                 /* NULL: free */
	struct curl_slist *headers; /* of a mail: whom it goes to */
	char *body;
	size_t length, at; /* of a mail: how much of it has gone */
	bool is_mail;
	uint64_t token;
};

struct post {
	CURLM *multi;
	struct parcel parcels[POST_MAX];
};

int post_new(struct post **post)
{
	struct post *made;

	if (curl_open() != 0)
		return -ENOSYS;
	made = calloc(1, sizeof(*made));
	if (made)
		made->multi = curl.multi_init();
	if (!made || !made->multi) {
		free(made);
		return -ENOMEM;
	}
	*post = made;
	return 0;
}

static void drop(struct post *post, struct parcel *parcel)
{
	if (parcel->easy) {
		(void)curl.multi_remove_handle(post->multi, parcel->easy);
		curl.easy_cleanup(parcel->easy);
	}
	curl.slist_free_all(parcel->headers);
	free(parcel->body);
	memset(parcel, 0, sizeof(*parcel));
}

void post_free(struct post *post)
{
	if (!post)
		return;
	for (unsigned i = 0; i < POST_MAX; i++)
		drop(post, &post->parcels[i]);
	(void)curl.multi_cleanup(post->multi);
	free(post);
}

/* What a server has to say is nothing to us, however much it is: the time it may take is bounded. */
/* NOLINTNEXTLINE(readability-non-const-parameter): as curl_write_callback has it */
static size_t pass_over(char *octets, size_t size, size_t count, void *context)
{
	(void)octets;
	(void)context;
	return size * count;
}

static bool add_header(struct parcel *parcel, const char *line)
{
	struct curl_slist *longer = curl.slist_append(parcel->headers, line);

	if (longer)
		parcel->headers = longer;
	return longer != NULL;
}

static bool add_headers(struct parcel *parcel, const char *lines)
{
	const char *end;

	for (; (end = strchr(lines, '\n')); lines = end + 1) {
		char line[ALERT_HEADERS_SIZE];

		(void)snprintf(line, sizeof(line), "%.*s", (int)(end - lines), lines);
		if (!add_header(parcel, line))
			return false;
	}
	return true;
}

/* What both ways share. */
static CURLcode prepare_any(struct parcel *parcel)
{
	CURL *easy = parcel->easy;
	CURLcode bad = CURLE_OK;

	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PROXY, "");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)POST_MS);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)POST_CONNECT_MS);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PRIVATE, parcel);
	return bad;
}

/* Options whose failing would make it less safe must not fail. */
static int prepare(struct parcel *parcel, const struct alert_request *request)
{
	CURL *easy = parcel->easy;
	CURLcode bad = CURLE_OK;

	if (!add_header(parcel, "Content-Type: application/json") || !add_header(parcel, "Expect:") ||
	    (request->authorization[0] && !add_header(parcel, request->authorization)) ||
	    !add_headers(parcel, request->headers))
		return -ENOMEM;
	bad = prepare_any(parcel);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_USERAGENT, "Holdfast/" HOLDFAST_VERSION);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_URL, request->url);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_HTTPHEADER, parcel->headers);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->length);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_POSTFIELDS, parcel->body);
	return bad == CURLE_OK ? 0 : bad == CURLE_OUT_OF_MEMORY ? -ENOMEM : -ENOSYS;
}

static size_t hand_on(char *octets, size_t size, size_t count, void *context)
{
	struct parcel *parcel = context;
	size_t some = size * count < parcel->length - parcel->at ? size * count : parcel->length - parcel->at;

	memcpy(octets, parcel->body + parcel->at, some);
	parcel->at += some;
	return some;
}

static int prepare_mail(struct parcel *parcel, const struct post_mail *mail)
{
	CURL *easy = parcel->easy;
	CURLcode bad = CURLE_OK;

	if (!add_header(parcel, mail->to))
		return -ENOMEM;
	bad = prepare_any(parcel);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_URL, mail->url);
	bad = bad ? bad
	          : curl.easy_setopt(easy, CURLOPT_USE_SSL, (long)(mail->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	if (mail->ca_file[0])
		bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_CAINFO, mail->ca_file);
	if (mail->user[0]) {
		bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_USERNAME, mail->user);
		bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_PASSWORD, mail->password);
	}
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_MAIL_FROM, mail->from);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_MAIL_RCPT, parcel->headers);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_READFUNCTION, hand_on);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_READDATA, parcel);
	bad = bad ? bad : curl.easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)parcel->length);
	return bad == CURLE_OK ? 0 : bad == CURLE_OUT_OF_MEMORY ? -ENOMEM : -ENOSYS;
}

/* A parcel with its own copy of what goes out; NULL: -EAGAIN, all are under way, or -ENOMEM. */
static struct parcel *take(struct post *post, const char *octets, size_t length, uint64_t token, int *result)
{
	struct parcel *parcel = NULL;

	for (unsigned i = 0; i < POST_MAX && !parcel; i++)
		if (!post->parcels[i].easy)
			parcel = &post->parcels[i];
	*result = -EAGAIN;
	if (!parcel)
		return NULL;
	*parcel = (struct parcel){
		.token = token, .length = length, .body = malloc(length + 1), .easy = curl.easy_init()
	};
	if (parcel->body && parcel->easy) {
		memcpy(parcel->body, octets, length);
		parcel->body[length] = '\0';
		return parcel;
	}
	drop(post, parcel);
	*result = -ENOMEM;
	return NULL;
}

static int go(struct post *post, struct parcel *parcel, int result)
{
	if (result == 0 && curl.multi_add_handle(post->multi, parcel->easy) != CURLM_OK)
		result = -ENOMEM;
	if (result != 0)
		drop(post, parcel);
	return result;
}

int post_send(struct post *post, const struct alert_request *request, uint64_t token)
{
	int result;
	struct parcel *parcel = take(post, request->body, request->length, token, &result);

	return parcel ? go(post, parcel, prepare(parcel, request)) : result;
}

int post_send_mail(struct post *post, const struct post_mail *mail, uint64_t token)
{
	int result;
	struct parcel *parcel = take(post, mail->octets, mail->length, token, &result);

	if (!parcel)
		return result;
	parcel->is_mail = true;
	return go(post, parcel, prepare_mail(parcel, mail));
}

int post_wait(struct post *post, struct pollfd *fds, unsigned count, int timeout_ms)
{
	struct curl_waitfd extra[POST_MAX] = { { .fd = 0 } };
	int running;

	if (count > POST_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		extra[i] = (struct curl_waitfd){ .fd = fds[i].fd, .events = CURL_WAIT_POLLIN };
	if (curl.multi_perform(post->multi, &running) != CURLM_OK ||
	    curl.multi_poll(post->multi, extra, count, timeout_ms, NULL) != CURLM_OK)
		return -EIO;
	/* Only readiness to read is told here; that the other end is gone is seen by reading. */
	for (unsigned i = 0; i < count; i++)
		fds[i].revents = extra[i].revents ? POLLIN : 0;
	return curl.multi_perform(post->multi, &running) == CURLM_OK ? 0 : -EIO;
}

#define SMTP_GOOD 2
#define SMTP_NEVER 5

/* The server's last answer is of the step at which it ended. */
static void judge_mail(CURLcode code, long status, struct post_result *result)
{
	long kind = status / 100;

	/* What went wrong before a mail was spoken of concerns all mail. */
	result->reached = code == CURLE_OK || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
	                  code == CURLE_WEIRD_SERVER_REPLY;
	result->result = code == CURLE_OK && kind <= SMTP_GOOD   ? 0
	                 : result->reached && kind == SMTP_NEVER ? -EPERM
	                 : code == CURLE_URL_MALFORMAT           ? -EPERM
	                                                         : -EAGAIN;
	if (status > 0 && code != CURLE_OPERATION_TIMEDOUT)
		(void)snprintf(result->what, sizeof(result->what), "SMTP %ld%s%s", status, code == CURLE_OK ? "" : ": ",
		               code == CURLE_OK ? "" : curl.easy_strerror(code));
	else
		(void)snprintf(result->what, sizeof(result->what), "%s", curl.easy_strerror(code));
}

/*
 * `connected`: somebody was there. Who speaks no HTTP may stand for a while where a web server will again: libcurl has
 * one code for that and for a URL of a protocol that it has not.
 */
static void judge(CURLcode code, long status, bool connected, struct post_result *result)
{
	if (code != CURLE_OK) {
		(void)snprintf(result->what, sizeof(result->what), "%s", curl.easy_strerror(code));
		/* A certificate that is none does not become one by and by, but whoever keeps it may mend it. */
		result->result = code == CURLE_URL_MALFORMAT || (code == CURLE_UNSUPPORTED_PROTOCOL && !connected)
		                         ? -EPERM
		                         : -EAGAIN;
		return;
	}
	(void)snprintf(result->what, sizeof(result->what), "HTTP %ld", status);
	if (http_status_is_success(status))
		result->result = 0;
	else if (status >= HTTP_STATUS_INTERNAL_ERROR || status == HTTP_STATUS_TOO_MANY_REQUESTS ||
	         status == HTTP_STATUS_REQUEST_TIMEOUT)
		result->result = -EAGAIN;
	else
		result->result = -EPERM;
}

bool post_next(struct post *post, struct post_result *result)
{
	const CURLMsg *message;
	int left;

	while ((message = curl.multi_info_read(post->multi, &left))) {
		struct post_result ended = { .token = 0 };
		struct parcel *parcel = NULL;
		long status = 0, port = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&parcel);
		(void)curl.easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		(void)curl.easy_getinfo(message->easy_handle, CURLINFO_PRIMARY_PORT, &port);
		ended.status = status > 0 ? (unsigned)status : 0;
		if (parcel->is_mail)
			judge_mail(message->data.result, status, &ended);
		else
			judge(message->data.result, status, port != 0, &ended);
		ended.token = parcel->token;
		drop(post, parcel);
		*result = ended;
		return true;
	}
	return false;
}
