/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/filters.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#define ANSWER_SIZE 32768 /* what the kernel puts into one datagram of a dump at most */
#define ANSWERS_MAX 64    /* datagrams: the first filter is in the first */

struct question {
	struct nlmsghdr header;
	struct tcmsg body;
};

static bool ask(int fd, unsigned ifindex, unsigned parent)
{
	struct question question = {
		.header = { .nlmsg_len = sizeof(question),
		            .nlmsg_type = RTM_GETTFILTER,
		            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = parent },
	};

	return send(fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

/* 1: a filter, 0: none, -1: the dump goes on. */
static int look(const char *answer, size_t left)
{
	struct nlmsghdr header;

	for (; left >= sizeof(header); answer += NLMSG_ALIGN(header.nlmsg_len), left -= NLMSG_ALIGN(header.nlmsg_len)) {
		memcpy(&header, answer, sizeof(header));
		if (header.nlmsg_type == NLMSG_DONE)
			return 0;
		if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == RTM_NEWTFILTER)
			return 1;
		if (header.nlmsg_len < sizeof(header) || NLMSG_ALIGN(header.nlmsg_len) > left)
			return 1;
	}
	return -1;
}

static bool has_filter(unsigned ifindex, unsigned parent)
{
	char answer[ANSWER_SIZE];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), found = -1;

	if (fd < 0)
		return true;
	if (!ask(fd, ifindex, parent))
		found = 1;
	for (unsigned i = 0; i < ANSWERS_MAX && found < 0; i++) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);

		found = got > 0 ? look(answer, (size_t)got) : 1;
	}
	(void)close(fd);
	return found != 0;
}

bool filters_are_there(unsigned ifindex)
{
	return has_filter(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) ||
	       has_filter(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
}
