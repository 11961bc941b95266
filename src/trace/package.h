/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package of the npm registry: a tar archive (POSIX ustar) packed with gzip, and the registry's sum of it
 * (Subresource Integrity, "sha512-BASE64"). Members are taken by their whole names, and nothing that is in an archive
 * names a file of ours.
 */
#ifndef HOLDFAST_TRACE_PACKAGE_H
#define HOLDFAST_TRACE_PACKAGE_H

#include <stddef.h>
#include <stdint.h>

#define PACKAGE_ERROR_SIZE 192
#define PACKAGE_UNPACKED_MAX ((uint64_t)1 << 30) /* octets */
#define PACKAGE_MEMBERS_MAX 1024

struct package_member {
	const char *name; /* "package/package.json" */
	size_t max;       /* more octets are refused */
	uint8_t *octets;  /* the caller's to free, also after an error; NULL: it is not there */
	size_t size;
};

/* 0; -EBADMSG: it is another; -EINVAL: no sum that we can make. Of several sums of one kind any will do. */
int package_check(const uint8_t *octets, size_t size, const char *integrity);
/* 0, whether they are there or not; -EBADMSG with `error` said; -ENOMEM. */
int package_unpack(const uint8_t *octets, size_t size, struct package_member *members, size_t count,
                   char error[PACKAGE_ERROR_SIZE]);

#endif
