/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail as octets, ready for SMTP but for its dots: RFC 5322 headers in ASCII (RFC 2047 where a text is not), one
 * text/plain body in UTF-8, quoted-printable (RFC 2045), lines of at most 76 octets that end in CR LF. Pure: the same
 * mail gives the same octets, Message-ID and all, however often it is made.
 *
 *     List-Unsubscribe: <https://…>                           RFC 2369, and RFC 8058: one POST there ends it
 *     List-Unsubscribe-Post: List-Unsubscribe=One-Click
 *     Auto-Submitted: auto-generated                          RFC 3834: nobody's absence answers
 *
 * No text becomes a header of its own: what holds a control character is refused, here again though others checked it.
 */
#ifndef HOLDFAST_TELL_MAIL_H
#define HOLDFAST_TELL_MAIL_H

#include <stddef.h>
#include <stdint.h>

#include "tell/language.h"
#include "tell/status.h"

#define MAIL_ADDRESS_SIZE 255 /* RFC 5321, 4.5.3.1: a path of 256 with its brackets; with the NUL */
#define MAIL_LOCAL_MAX 64
#define MAIL_LABEL_MAX 63
#define MAIL_SUBJECT_MAX 240 /* octets; more is cut at a letter's end */
#define MAIL_NAME_MAX 120
#define MAIL_BODY_MAX (STATUS_TEXT_MAX + 8192u)
#define MAIL_ID_SIZE 64
#define MAIL_URL_SIZE 768

struct mail {
	const char *from, *to;   /* addresses */
	const char *from_name;   /* "": none */
	const char *subject;     /* one line */
	const char *body;        /* lines end in LF; UTF-8 */
	const char *id;          /* of the Message-ID, before its '@': letters, digits, '.', '-' */
	const char *unsubscribe; /* https://…; "": none */
	enum language language;
	int64_t date_s; /* since the Unix epoch */
};

/*
 * An address as SMTP takes it everywhere: dot-atom "@" host name, in ASCII, within RFC 5321's bounds; no quoted string,
 * no address literal, no comment. With `stranger` the host has two labels at least, the last of which is no number.
 * `address` gets it with the host in small letters: the same box, the same text. -EINVAL.
 */
int mail_address_read(const char *text, bool stranger, char address[MAIL_ADDRESS_SIZE]);

/* The octets, the caller's. -EINVAL: an address, a text or a URL cannot stand in a mail; -EFBIG: the body; -ENOMEM. */
int mail_write(const struct mail *mail, char **octets, size_t *length);

/* ---- what mails say (mail_words.c) ---- */

/* What is told of planned works. */
enum mail_works {
	MAIL_WORKS_NONE,
	MAIL_WORKS_ANNOUNCED,
	MAIL_WORKS_BEGUN,
	MAIL_WORKS_ENDED,
	MAIL_WORKS_OFF,
	MAIL_WORKS
};

/* What has happened, as one subscriber is told. */
struct mail_news {
	const struct status_page *page;
	enum language language;
	const char *incident;  /* its ID on the page; "" where it is of a component */
	const char *component; /* likewise */
	int64_t since_ns;      /* of a component: as of struct webhook_event */
	const char *title;     /* of an incident: as published */
	const char *text;      /* likewise; of what was withdrawn: why */
	bool correction, withdrawn;
	int64_t at_ns; /* when it was published */
	/*
	 * Of planned works: which news; title and text are those of the incident. `given`: as of struct webhook_event.
	 */
	enum mail_works works;
	const struct status_incident *given;
	const char *to, *unsubscribe;
};

/* "The works are called off.": what is said of works, for who cannot be told their times. */
const char *mail_works_word(enum mail_works works, enum language language);
/* Subject and body, the caller's to free. -ENOENT: it is not on the page; -ENOMEM. */
int mail_news_write(const struct mail_news *news, char subject[MAIL_SUBJECT_MAX + 1], char **body);
/* The question whether somebody wants to be told, with the address where they say so. */
int mail_question_write(const struct status_page *page, enum language language, const char *to, const char *confirm,
                        char subject[MAIL_SUBJECT_MAX + 1], char **body);

#endif
