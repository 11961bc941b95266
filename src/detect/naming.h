/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an incident is called once all its packets are known: the names of its vectors, and the network that is its
 * target.
 */
#ifndef HOLDFAST_DETECT_NAMING_H
#define HOLDFAST_DETECT_NAMING_H

#include "detect/incident.h"

/*
 * Vectors are named by what the sum of their packets shows; rows of one name become one; what is too small beside the
 * others goes. Largest first. The scope becomes the narrowest network that holds nearly all destinations. 0, or -ENOMEM
 * where the scope stays as it was.
 */
int naming_settle(struct incident *incident);

#endif
