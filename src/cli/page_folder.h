/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that holds a page: its files, SHA256SUMS of them, and the signature of that. */
#ifndef HOLDFAST_CLI_PAGE_FOLDER_H
#define HOLDFAST_CLI_PAGE_FOLDER_H

#define PAGE_FOLDER_SUMS "SHA256SUMS"
#define PAGE_FOLDER_SIGNATURE PAGE_FOLDER_SUMS ".minisig"
#define PAGE_FOLDER_PATH_SIZE 512 /* of any file in it */
#define PAGE_FOLDER_OUT_MAX 384   /* octets of its own path: room for the names in it */
#define PAGE_FOLDER_OPEN_MAX 16   /* files that walking it holds open */

/* `path` without slashes at its end, or the exit status, said: it is longer than PAGE_FOLDER_OUT_MAX. */
int page_folder_name(const char *path, char folder[PAGE_FOLDER_PATH_SIZE]);
/* Its SHA256SUMS, the caller's. 0; -EFBIG: that is no file of its size; -errno. Nothing is said. */
int page_folder_sums(const char *folder, char **text);
/*
 * Whether nothing is in it but folders and files that `sums` lists. 0; -EEXIST, and `stranger` is the first that is
 * another; -errno, of what cannot be read. No link is followed, one folder is looked at at a time.
 */
int page_folder_look(const char *folder, const char *sums, char stranger[PAGE_FOLDER_PATH_SIZE]);

#endif
