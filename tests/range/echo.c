/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo PORT: says back what it is told, by TCP and UDP, on all addresses of both families. A service that costs next to
 * nothing, so that what is measured at it is the way there. Runs until it is killed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1000 /* beyond them, one that is new is closed at once */
#define EVENTS 64
#define BATCH 64 /* datagrams answered before others have their turn */

static int listen_on(int type, uint16_t port)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const int on = 1;
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* without it, the bind says what is wrong */
	if (bind(fd, (const struct sockaddr *)&any, sizeof any) || (type == SOCK_STREAM && listen(fd, SOMAXCONN))) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void answer_datagrams(int fd)
{
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_in6 peer;
		socklen_t size = sizeof peer;
		uint8_t octets[2048];
		ssize_t length = recvfrom(fd, octets, sizeof octets, 0, (struct sockaddr *)&peer, &size);

		if (length < 0)
			return;
		sendto(fd, octets, (size_t)length, 0, (const struct sockaddr *)&peer,
		       size); /* lost is lost: it is UDP */
	}
}

/* Returns whether the connection is at its end. */
static int answer_stream(int fd)
{
	uint8_t octets[2048];
	ssize_t length = recv(fd, octets, sizeof octets, 0);

	if (length < 0)
		return errno != EAGAIN && errno != EINTR;
	return length == 0 || send(fd, octets, (size_t)length, MSG_NOSIGNAL) != length;
}

int main(int count, char **words)
{
	int port = count == 2 ? atoi(words[1]) : 0, epoll = epoll_create1(EPOLL_CLOEXEC), stream, datagram,
	    connections = 0;

	if (port < 1 || port > 65535) {
		fprintf(stderr, "usage: echo PORT\n");
		return 2;
	}
	stream = listen_on(SOCK_STREAM, (uint16_t)port);
	datagram = listen_on(SOCK_DGRAM, (uint16_t)port);
	if (epoll < 0 || stream < 0 || datagram < 0 || watch(epoll, stream) || watch(epoll, datagram)) {
		fprintf(stderr, "echo: port %d: cannot listen\n", port);
		return 1;
	}
	for (;;) {
		struct epoll_event events[EVENTS];
		int ready = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			int fd = events[i].data.fd;

			if (fd == datagram) {
				answer_datagrams(fd);
			} else if (fd == stream) {
				int new = accept4(stream, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

				if (new >= 0 && (connections == CONNECTIONS_MAX || watch(epoll, new)))
					close(new);
				else if (new >= 0)
					connections++;
			} else if (answer_stream(fd)) {
				close(fd);
				connections--;
			}
		}
	}
}
