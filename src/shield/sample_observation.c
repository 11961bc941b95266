/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/sample_observation.h"

#include "observe/link.h"

static uint32_t known_flags(const struct shield_sample *sample)
{
	uint32_t flags = 0;

	if (sample->flags & SHIELD_SAMPLE_SENT)
		return sample->service == SHIELD_SERVICE_NONE ? 0 : OBSERVATION_ANSWER;
	if (sample->flags & SHIELD_SAMPLE_ANSWERED)
		flags |= OBSERVATION_ANSWERED;
	if (sample->flags & SHIELD_SAMPLE_HANDSHAKE)
		flags |= OBSERVATION_HANDSHAKE;
	if (sample->reason > SHIELD_PASS_LAST)
		flags |= OBSERVATION_DROPPED;
	return flags;
}

enum decode_result sample_observation(const struct shield_sample *sample, int64_t shift_ns,
                                      struct observation *observation)
{
	uint32_t kept = sample->kept < SHIELD_SAMPLE_OCTETS ? sample->kept : SHIELD_SAMPLE_OCTETS;
	enum decode_result result = decode_frame(LINK_ETHERNET, sample->octets, kept, sample->length, observation);

	if (!decode_hits_target(result))
		return result;
	observation->time.ns = (int64_t)sample->time_ns + shift_ns;
	observation->weight = sample->weight ? sample->weight : 1;
	observation->flags |= known_flags(sample);
	return result;
}
