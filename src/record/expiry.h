/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasing personal data in bundles of evidence: in one that is named, or in all that the ledger has whose time is over.
 * The erasure of a bundle that is recorded is recorded; one that lies elsewhere by now, or is not ours to write, stays
 * due.
 */
#ifndef HOLDFAST_RECORD_EXPIRY_H
#define HOLDFAST_RECORD_EXPIRY_H

#include <stdint.h>

#include "record/bundle.h"
#include "record/ledger.h"

#define EXPIRY_MAX 65536 /* rows that are looked at in one go; the others are due the next time */

#define EXPIRY_KEPT "kept as long as was set"
#define EXPIRY_MISSING "it was no longer where it had been written"

struct expiry {
	int64_t now_ns;
	const char *why;    /* at most BUNDLE_WHY_MAX */
	const char *wanted; /* the path of a bundle; NULL: all whose time is over */
	const char *folder; /* only bundles in it; NULL: wherever they are */
	/* Told of each that could not be erased: `fault` is set where `result` is -EBADMSG. May be NULL. */
	void (*refused)(void *context, const char *path, int result, const struct bundle_fault *fault);
	void *context;
	/*
	 * Given: files that were erased, are no longer there, could not be erased, are outside of `folder`; rows of all
	 * those erased.
	 */
	unsigned erased, missing, failed, elsewhere, rows;
};

/*
 * 0, -ENOMEM, or of the ledger with `error`. `ledger` NULL: nothing is recorded, and only a wanted one can be erased.
 * What has nothing personal in it counts as erased. That a file is no longer there is recorded in place of an erasure.
 */
int expiry_run(struct ledger *ledger, struct expiry *expiry, struct record_error *error);
/*
 * Erases in one file, in its place. -ENOENT: nothing personal is in it; -ENODEV: there is no such file; -EBADMSG with
 * `fault`: it is no bundle as it was written, and stays as it is; -errno.
 */
int expiry_erase(const char *path, int64_t now_ns, const char *why, struct bundle_fault *fault);

#endif
