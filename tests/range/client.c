/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client KIND ADDRESS PORT [OPTION=VALUE...]: a crowd of users who each come once. Begins `rate` attempts a second for
 * `ms` milliseconds, whatever became of those before (an open loop: a service that stalls does not slow its users
 * down), each on a socket of its own, and measures each. Prints one JSON object.
 *
 *     http   connects, asks for /, is content with the beginning of a 200
 *     tcp    connects, says a line, wants it back
 *     udp    sends a line, wants it back
 *     dns    asks for an A record of `name`, wants an answer without an error
 *
 *     rate=N        attempts a second (100)
 *     ms=N          how long attempts are begun (2000)
 *     timeout=N     milliseconds after which an attempt has failed (1000)
 *     from=ADDRESS  the first source address; sources=N how many there are, one after the other (1)
 *     name=NAME     what dns asks for (www.example.net); in the place of a first label "*" stands the number of the
 *                   attempt, for there are servers that ask nobody twice at a time
 *     tell=MS       every so often prints a line before that object: of the attempts whose fate was decided since, how
 *                   many were answered and how many failed (never)
 *
 * SIGTERM ends it before its time: nobody comes any more, and those who are there are waited for.
 *
 * Percentiles are over all attempts, and one that failed counts as `timeout`: otherwise the worse a service, the better
 * the times of the few who got through. p99 of fewer than a hundred attempts is their maximum.
 *
 * "first" is the wall time in units of 100 ms when the first attempt began; "each" has, for each 100 ms from then on,
 * how many began and how many of these were answered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RATE_MAX 10000u
#define DURATION_MAX_MS 600000u
#define TIMEOUT_MAX_MS 10000u
#define SOURCES_MAX 4096u
#define ATTEMPTS_MAX 1000000u
#define OPEN_MAX 8192u /* sockets at a time; an attempt that finds none left has failed */
#define EVENTS 64
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define SLOT_NS (100 * NS_PER_MS)
#define TELL_MAX_MS 60000u
#define DNS_HEADER 12
#define DNS_NAME_MAX 64
#define DNS_NUMBER_MAX 10
#define SAYING_MAX (DNS_HEADER + DNS_NAME_MAX + DNS_NUMBER_MAX + 8)

enum kind { KIND_HTTP, KIND_TCP, KIND_UDP, KIND_DNS, KINDS };

static const char *const kinds[KINDS] = { "http", "tcp", "udp", "dns" };

enum outcome { OUTCOME_OPEN, OUTCOME_ANSWERED, OUTCOME_LATE, OUTCOME_REFUSED, OUTCOME_WRONG, OUTCOMES };

struct options {
	enum kind kind;
	bool stream; /* connects, as against sends a datagram */
	unsigned rate, duration_ms, timeout_ms, sources, tell_ms;
	const char *name;
	struct sockaddr_in6 to, from; /* IPv4 too: mapped */
	bool has_from;
};

struct attempt {
	int fd;
	enum outcome outcome;
	uint64_t began_ns, connected_ns, answered_ns; /* 0: never */
};

struct crowd {
	const struct options *options;
	int epoll;
	unsigned planned, begun, open;
	unsigned oldest;           /* none before it is open */
	unsigned answered, failed; /* since it was last told */
	uint64_t told_ns;
	struct attempt *attempts;
};

static volatile sig_atomic_t is_over;

static void end(int signal)
{
	(void)signal;
	is_over = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void settle(struct crowd *crowd, struct attempt *attempt, enum outcome outcome)
{
	attempt->outcome = outcome;
	*(outcome == OUTCOME_ANSWERED ? &crowd->answered : &crowd->failed) += 1;
	if (attempt->fd >= 0) {
		close(attempt->fd);
		attempt->fd = -1;
		crowd->open--;
	}
}

/* What an attempt says; returns its length. Of a question the id is the attempt's number. */
static size_t question(const struct options *options, unsigned number, uint8_t *out, size_t size)
{
	static const uint8_t tail[] = { 0, 0, 1, 0, 1 }; /* the root; A, IN */
	size_t at = DNS_HEADER;
	const char *label = options->name;

	if (options->kind == KIND_HTTP)
		return (size_t)snprintf((char *)out, size,
		                        "GET / HTTP/1.1\r\nHost: range\r\nConnection: close\r\n\r\n");
	if (options->kind != KIND_DNS)
		return (size_t)snprintf((char *)out, size, "line %010u\n", number);
	memset(out, 0, DNS_HEADER);
	out[0] = (uint8_t)(number >> 8);
	out[1] = (uint8_t)number;
	out[2] = 1; /* recursion is desired */
	out[5] = 1; /* one question */
	if (*label == '*') {
		at += (size_t)snprintf((char *)out + at, size - at, "\n%010u", number); /* "\n" is 10, its length */
		label += strlen("*.");
	}
	while (*label) {
		size_t length = strcspn(label, ".");

		out[at++] = (uint8_t)length;
		memcpy(out + at, label, length);
		at += length;
		label += length + (label[length] == '.');
	}
	memcpy(out + at, tail, sizeof tail);
	return at + sizeof tail;
}

static bool is_answer(const struct options *options, unsigned number, const uint8_t *octets, size_t length)
{
	uint8_t asked[SAYING_MAX];
	size_t asked_length;

	if (options->kind == KIND_HTTP)
		return length >= 12 && memcmp(octets, "HTTP/1.1 200", 12) == 0;
	asked_length = question(options, number, asked, sizeof asked);
	if (options->kind != KIND_DNS)
		return length == asked_length && memcmp(octets, asked, length) == 0;
	/* The same id, an answer, no error, at least one record. */
	return length > DNS_HEADER && octets[0] == asked[0] && octets[1] == asked[1] && (octets[2] & 0x80) &&
	       (octets[3] & 0x0f) == 0 && (octets[6] || octets[7]);
}

static void say(struct crowd *crowd, unsigned number)
{
	struct attempt *attempt = &crowd->attempts[number];
	uint8_t out[SAYING_MAX];
	size_t length = question(crowd->options, number, out, sizeof out);

	/* A few octets on a new socket are taken whole, or the attempt is lost. */
	if (send(attempt->fd, out, length, MSG_NOSIGNAL) != (ssize_t)length)
		settle(crowd, attempt, OUTCOME_REFUSED);
}

static void begin(struct crowd *crowd, unsigned number)
{
	const struct options *options = crowd->options;
	struct attempt *attempt = &crowd->attempts[number];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
	int fd;

	*attempt = (struct attempt){ .fd = -1, .began_ns = now_ns() };
	fd = crowd->open < OPEN_MAX
	             ? socket(AF_INET6, (options->stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
	             : -1;
	if (fd < 0) {
		settle(crowd, attempt, OUTCOME_REFUSED);
		return;
	}
	attempt->fd = fd;
	crowd->open++;
	if (options->has_from) {
		struct sockaddr_in6 from = options->from;
		uint8_t *last = from.sin6_addr.s6_addr + 14;
		unsigned value = ((unsigned)last[0] << 8 | last[1]) + number % options->sources;

		last[0] = (uint8_t)(value >> 8);
		last[1] = (uint8_t)value;
		if (bind(fd, (const struct sockaddr *)&from, sizeof from)) {
			settle(crowd, attempt, OUTCOME_REFUSED);
			return;
		}
	}
	if (options->stream)
		event.events |= EPOLLOUT;
	if ((connect(fd, (const struct sockaddr *)&options->to, sizeof options->to) && errno != EINPROGRESS) ||
	    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, fd, &event)) {
		settle(crowd, attempt, OUTCOME_REFUSED);
		return;
	}
	if (!options->stream) {
		attempt->connected_ns = attempt->began_ns;
		say(crowd, number);
	}
}

static void go_on(struct crowd *crowd, unsigned number, uint32_t events)
{
	const struct options *options = crowd->options;
	struct attempt *attempt = &crowd->attempts[number];
	uint8_t octets[1500];
	ssize_t length;

	if (attempt->fd < 0) /* settled by an event before this one */
		return;
	if (attempt->connected_ns == 0 && (events & EPOLLOUT) && !(events & (EPOLLERR | EPOLLHUP))) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

		attempt->connected_ns = now_ns();
		epoll_ctl(crowd->epoll, EPOLL_CTL_MOD, attempt->fd, &event);
		say(crowd, number);
		return;
	}
	length = recv(attempt->fd, octets, sizeof octets, 0);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		settle(crowd, attempt, OUTCOME_REFUSED);
		return;
	}
	attempt->answered_ns = now_ns();
	settle(crowd, attempt, is_answer(options, number, octets, (size_t)length) ? OUTCOME_ANSWERED : OUTCOME_WRONG);
}

/* Gives up those whose time is over; returns how many milliseconds the next has left. All have the same time, so they
 * end in the order in which they began. */
static int give_up(struct crowd *crowd)
{
	uint64_t limit_ns = crowd->options->timeout_ms * NS_PER_MS;

	for (; crowd->oldest < crowd->begun; crowd->oldest++) {
		struct attempt *attempt = &crowd->attempts[crowd->oldest];
		uint64_t now = now_ns();

		if (attempt->fd < 0)
			continue;
		if (now < attempt->began_ns + limit_ns)
			return (int)((attempt->began_ns + limit_ns - now) / NS_PER_MS) + 1;
		settle(crowd, attempt, OUTCOME_LATE);
	}
	return -1;
}

static void tell(struct crowd *crowd)
{
	uint64_t now = now_ns();

	if (crowd->options->tell_ms == 0 || now < crowd->told_ns + crowd->options->tell_ms * NS_PER_MS)
		return;
	printf("{\"answered\": %u, \"failed\": %u}\n", crowd->answered, crowd->failed);
	fflush(stdout);
	crowd->answered = crowd->failed = 0;
	crowd->told_ns = now;
}

static void run(struct crowd *crowd)
{
	uint64_t start_ns = now_ns();

	crowd->told_ns = start_ns;
	while (crowd->begun < crowd->planned || crowd->open > 0) {
		struct epoll_event events[EVENTS];
		uint64_t elapsed_ns = now_ns() - start_ns;
		uint64_t due = elapsed_ns * crowd->options->rate / NS_PER_S + 1;
		int wait_ms, count;

		if (is_over)
			crowd->planned = crowd->begun;
		while (crowd->begun < crowd->planned && crowd->begun < due) {
			crowd->begun++;
			begin(crowd, crowd->begun - 1);
		}
		tell(crowd);
		wait_ms = give_up(crowd);
		if (crowd->begun < crowd->planned && (wait_ms < 0 || wait_ms > 1))
			wait_ms = 1;
		else if (wait_ms < 0)
			break;
		count = epoll_wait(crowd->epoll, events, EVENTS, wait_ms);
		for (int i = 0; i < count; i++)
			go_on(crowd, events[i].data.u32, events[i].events);
	}
}

static int ascending(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void print_times(const char *name, uint64_t *times_ns, unsigned count)
{
	qsort(times_ns, count, sizeof *times_ns, ascending);
	printf("\"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name, (double)times_ns[count / 2] / 1e6,
	       (double)times_ns[count - 1 - count / 100] / 1e6, (double)times_ns[count - 1] / 1e6);
}

/* The time that an attempt took to reach a point; to have failed is to have taken all the time there was. */
static uint64_t took(const struct options *options, const struct attempt *attempt, uint64_t reached_ns)
{
	if (attempt->outcome == OUTCOME_ANSWERED)
		return reached_ns - attempt->began_ns;
	return options->timeout_ms * NS_PER_MS;
}

/* Attempts begin in order. */
static void print_each(const struct crowd *crowd, uint64_t wall_ns)
{
	unsigned at = 0;

	printf(", \"first\": %llu, \"each\": [", (unsigned long long)(wall_ns / SLOT_NS));
	for (uint64_t slot = wall_ns / SLOT_NS; at < crowd->begun; slot++) {
		uint64_t end_ns = crowd->attempts[0].began_ns + (slot + 1) * SLOT_NS - wall_ns;
		unsigned begun = 0, answered = 0;

		for (; at < crowd->begun && crowd->attempts[at].began_ns < end_ns; at++, begun++)
			answered += crowd->attempts[at].outcome == OUTCOME_ANSWERED;
		printf("%s[%u,%u]", slot == wall_ns / SLOT_NS ? "" : ",", begun, answered);
	}
	printf("]");
}

/* `wall_ns`: when the first attempt began. */
static int print(const struct crowd *crowd, uint64_t wall_ns)
{
	unsigned outcomes[OUTCOMES] = { 0 };
	uint64_t *times_ns = calloc(crowd->begun, sizeof *times_ns);

	if (!times_ns)
		return -ENOMEM;
	for (unsigned i = 0; i < crowd->begun; i++)
		outcomes[crowd->attempts[i].outcome]++;
	printf("{\"kind\": \"%s\", \"asked\": %u, \"answered\": %u, \"late\": %u, \"refused\": %u, \"wrong\": %u, ",
	       kinds[crowd->options->kind], crowd->begun, outcomes[OUTCOME_ANSWERED], outcomes[OUTCOME_LATE],
	       outcomes[OUTCOME_REFUSED], outcomes[OUTCOME_WRONG]);
	for (unsigned i = 0; i < crowd->begun; i++)
		times_ns[i] = took(crowd->options, &crowd->attempts[i], crowd->attempts[i].connected_ns);
	print_times("connect_ms", times_ns, crowd->begun);
	for (unsigned i = 0; i < crowd->begun; i++)
		times_ns[i] = took(crowd->options, &crowd->attempts[i], crowd->attempts[i].answered_ns);
	printf(", ");
	print_times("first_ms", times_ns, crowd->begun);
	print_each(crowd, wall_ns);
	printf("}\n");
	free(times_ns);
	return fflush(stdout) ? -errno : 0;
}

static bool parse_address(const char *text, struct sockaddr_in6 *out)
{
	struct in_addr ipv4;

	*out = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	if (inet_pton(AF_INET, text, &ipv4) != 1)
		return inet_pton(AF_INET6, text, &out->sin6_addr) == 1;
	out->sin6_addr.s6_addr[10] = out->sin6_addr.s6_addr[11] = 0xff;
	memcpy(out->sin6_addr.s6_addr + 12, &ipv4, sizeof ipv4);
	return true;
}

static bool parse_number(const char *text, unsigned max, unsigned *out)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || value < 1 || value > max)
		return false;
	*out = (unsigned)value;
	return true;
}

/* Labels of a name must fit where a question is made. */
static bool is_name(const char *text)
{
	if (strlen(text) > DNS_NAME_MAX - 2 || *text == '\0' || *text == '.' || strstr(text, ".."))
		return false;
	if (*text == '*' && text[1] != '.')
		return false;
	while (*text) {
		size_t length = strcspn(text, ".");

		if (length > 63)
			return false;
		text += length + (text[length] == '.');
	}
	return true;
}

static bool parse(int count, char **words, struct options *out)
{
	unsigned port;

	*out = (struct options){ .kind = KINDS,
		                 .rate = 100,
		                 .duration_ms = 2000,
		                 .timeout_ms = 1000,
		                 .sources = 1,
		                 .name = "www.example.net" };
	if (count < 4 || !parse_address(words[2], &out->to) || !parse_number(words[3], 65535, &port))
		return false;
	for (unsigned i = 0; i < KINDS; i++)
		if (strcmp(words[1], kinds[i]) == 0)
			out->kind = (enum kind)i;
	out->stream = out->kind == KIND_HTTP || out->kind == KIND_TCP;
	out->to.sin6_port = htons((uint16_t)port);
	for (int i = 4; i < count; i++) {
		const struct {
			const char *name;
			unsigned max, *value;
		} numbers[] = {
			{ "rate=", RATE_MAX, &out->rate },
			{ "ms=", DURATION_MAX_MS, &out->duration_ms },
			{ "timeout=", TIMEOUT_MAX_MS, &out->timeout_ms },
			{ "sources=", SOURCES_MAX, &out->sources },
			{ "tell=", TELL_MAX_MS, &out->tell_ms },
		};
		bool known = false;

		for (size_t j = 0; j < sizeof numbers / sizeof *numbers && !known; j++) {
			size_t length = strlen(numbers[j].name);

			known = strncmp(words[i], numbers[j].name, length) == 0 &&
			        parse_number(words[i] + length, numbers[j].max, numbers[j].value);
		}
		if (!known && strncmp(words[i], "from=", 5) == 0)
			known = out->has_from = parse_address(words[i] + 5, &out->from);
		if (!known && strncmp(words[i], "name=", 5) == 0) {
			out->name = words[i] + 5;
			known = is_name(out->name);
		}
		if (!known)
			return false;
	}
	return out->kind < KINDS && (uint64_t)out->rate * out->duration_ms / 1000 < ATTEMPTS_MAX;
}

int main(int count, char **words)
{
	struct options options;
	struct rlimit files;
	struct crowd crowd = { .options = &options };
	struct timespec wall;
	int error;

	if (!parse(count, words, &options)) {
		fprintf(stderr,
		        "usage: client http|tcp|udp|dns ADDRESS PORT [rate=N] [ms=N] [timeout=N] [from=ADDRESS] "
		        "[sources=N] [name=NAME] [tell=MS]\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files); /* what fails for want of it is counted */
	}
	crowd.planned = (unsigned)((uint64_t)options.rate * options.duration_ms / 1000);
	if (crowd.planned == 0)
		crowd.planned = 1;
	crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
	crowd.attempts = calloc(crowd.planned, sizeof *crowd.attempts);
	if (crowd.epoll < 0 || !crowd.attempts) {
		perror("client");
		free(crowd.attempts);
		return 1;
	}
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = end }, NULL);
	clock_gettime(CLOCK_REALTIME, &wall);
	run(&crowd);
	error = print(&crowd, (uint64_t)wall.tv_sec * NS_PER_S + (uint64_t)wall.tv_nsec);
	close(crowd.epoll);
	free(crowd.attempts);
	return error ? 1 : 0;
}
