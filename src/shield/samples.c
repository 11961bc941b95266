/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/samples.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

struct samples {
	struct ring_buffer *ring;
	samples_take *take;
	void *context;
	unsigned left; /* that may still be handed on in this turn; 0: as many as there are */
};

/* A record is taken for a sample only where it is as long as one, and says no more than it holds. */
static int hand_on(void *context, void *data, size_t size)
{
	struct samples *samples = context;
	const struct shield_sample *sample = data;

	if (size == sizeof(*sample) && sample->kept <= SHIELD_SAMPLE_OCTETS && sample->reason < SHIELD_REASONS &&
	    sample->service < SHIELD_SERVICES_MAX)
		samples->take(samples->context, sample);
	/* An error ends the reading, and what has been handed on is read: so the ring's reader works. */
	return samples->left && --samples->left == 0 ? -ECANCELED : 0;
}

int samples_new(int fd, samples_take *take, void *context, struct samples **samples)
{
	struct samples *made;
	int error;

	if (fd < 0)
		return -EBADF;
	made = malloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	*made = (struct samples){ .take = take, .context = context };
	errno = 0;
	made->ring = ring_buffer__new(fd, hand_on, made, NULL);
	if (!made->ring) {
		error = errno ? -errno : -ENOMEM;
		free(made);
		return error;
	}
	*samples = made;
	return 0;
}

void samples_free(struct samples *samples)
{
	if (!samples)
		return;
	ring_buffer__free(samples->ring);
	free(samples);
}

int samples_poll_fd(const struct samples *samples)
{
	return ring_buffer__epoll_fd(samples->ring);
}

int samples_read_some(struct samples *samples, unsigned max)
{
	int result;

	samples->left = max;
	result = ring_buffer__consume(samples->ring);
	samples->left = 0;
	return result == -ECANCELED ? (int)max : result;
}

int samples_read(struct samples *samples)
{
	return ring_buffer__consume(samples->ring);
}
