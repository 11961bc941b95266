/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/link.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#define ANSWER_SIZE 16384 /* an interface with all that is said of it */
#define TRIES 4           /* answers to other questions do not come on a socket of one's own, but nobody swears to it */

struct question {
	struct nlmsghdr header;
	struct ifinfomsg about;
};

/* The counters in one answer. */
static int read_answer(const char *answer, size_t length, struct shield_link *link)
{
	struct rtnl_link_stats64 stats;
	struct nlmsghdr header;
	struct rtattr attribute;
	size_t at = NLMSG_LENGTH(sizeof(struct ifinfomsg));

	if (length < sizeof(header))
		return -EBADMSG;
	memcpy(&header, answer, sizeof(header));
	if (header.nlmsg_len > length)
		return -EBADMSG;
	if (header.nlmsg_type == NLMSG_ERROR) {
		struct nlmsgerr error;

		if (header.nlmsg_len < NLMSG_LENGTH(sizeof(error)))
			return -EBADMSG;
		memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
		return error.error < 0 ? error.error : -EBADMSG;
	}
	if (header.nlmsg_type != RTM_NEWLINK)
		return -EAGAIN;
	while (at + sizeof(attribute) <= header.nlmsg_len) {
		memcpy(&attribute, answer + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > header.nlmsg_len - at)
			return -EBADMSG;
		/* A newer kernel may say more of it. */
		if (attribute.rta_type == IFLA_STATS64 && attribute.rta_len >= RTA_LENGTH(sizeof(stats))) {
			memcpy(&stats, answer + at + RTA_LENGTH(0), sizeof(stats));
			link->packets = stats.rx_packets;
			link->octets = stats.rx_bytes;
			link->lost = stats.rx_missed_errors + stats.rx_over_errors + stats.rx_fifo_errors;
			return 0;
		}
		at += RTA_ALIGN(attribute.rta_len);
	}
	return -ENOENT;
}

static int read_counters(unsigned index, struct shield_link *link)
{
	struct question question = {
		.header = { .nlmsg_len = sizeof(question), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST },
		.about = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), result = -EAGAIN;
	char answer[ANSWER_SIZE];

	if (fd < 0)
		return -errno;
	if (send(fd, &question, sizeof(question), 0) < 0)
		result = -errno;
	for (unsigned i = 0; i < TRIES && result == -EAGAIN; i++) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);

		if (got < 0) {
			result = -errno;
			break;
		}
		result = read_answer(answer, (size_t)got, link);
	}
	(void)close(fd);
	return result;
}

/*
 * ETHTOOL_GLINKSETTINGS is asked twice: how many words of modes the kernel has, which it says as a negative number, and
 * then for all. 0 where nothing is known.
 */
static uint32_t read_speed(const char *interface)
{
	union {
		struct ethtool_link_settings settings;
		char octets[sizeof(struct ethtool_link_settings) + 3 * INT8_MAX * sizeof(uint32_t)];
	} asked;
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t speed = 0;

	if (fd < 0)
		return 0;
	memset(&asked, 0, sizeof(asked));
	asked.settings.cmd = ETHTOOL_GLINKSETTINGS;
	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, interface, strlen(interface));
	request.ifr_data = (void *)&asked;
	if (ioctl(fd, SIOCETHTOOL, &request) == 0 && asked.settings.link_mode_masks_nwords < 0) {
		asked.settings.link_mode_masks_nwords = (int8_t)-asked.settings.link_mode_masks_nwords;
		asked.settings.cmd = ETHTOOL_GLINKSETTINGS;
		if (ioctl(fd, SIOCETHTOOL, &request) == 0)
			speed = asked.settings.speed;
	}
	(void)close(fd);
	return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

void shield_link_driver(const char *interface, char driver[SHIELD_DRIVER_SIZE])
{
	struct ethtool_drvinfo asked = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request;
	int fd = strlen(interface) < sizeof(request.ifr_name) ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	driver[0] = '\0';
	if (fd < 0)
		return;
	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, interface, strlen(interface));
	request.ifr_data = (void *)&asked;
	if (ioctl(fd, SIOCETHTOOL, &request) == 0) {
		memcpy(driver, asked.driver, SHIELD_DRIVER_SIZE - 1);
		driver[SHIELD_DRIVER_SIZE - 1] = '\0';
	}
	(void)close(fd);
}

int shield_link_read(const char *interface, struct shield_link *link)
{
	struct shield_link read = { .packets = 0 };
	unsigned index = strlen(interface) < sizeof(read.name) ? if_nametoindex(interface) : 0;
	int result = index ? read_counters(index, &read) : -ENODEV;

	if (result != 0)
		return result;
	memcpy(read.name, interface, strlen(interface));
	read.speed_mbps = read_speed(interface);
	*link = read;
	return 0;
}
