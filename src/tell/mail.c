/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/mail.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

#define LINE_MAX_OCTETS 76
#define WORD_OCTETS 42 /* of a text, in one encoded word: with "=?UTF-8?B?" and "?=" it is 68 octets */

/* ---- addresses ---- */

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* atext of RFC 5322, 3.2.3. */
static bool is_atom(char c)
{
	return is_letter_or_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool local_ok(const char *local, size_t length)
{
	if (length == 0 || length > MAIL_LOCAL_MAX || local[0] == '.' || local[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (local[i] == '.' ? local[i + 1] == '.' : !is_atom(local[i]))
			return false;
	return true;
}

/* Labels of letters, digits and '-' in their midst. */
static bool host_ok(const char *host, bool stranger)
{
	unsigned labels = 0;
	bool digits = false;

	for (const char *label = host;; label++) {
		size_t length = strcspn(label, ".");

		if (length == 0 || length > MAIL_LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
			return false;
		for (size_t i = 0; i < length; i++)
			if (!is_letter_or_digit(label[i]) && label[i] != '-')
				return false;
		digits = strspn(label, "0123456789") == length;
		labels++;
		label += length;
		if (!*label)
			return !stranger || (labels > 1 && !digits);
	}
}

int mail_address_read(const char *text, bool stranger, char address[MAIL_ADDRESS_SIZE])
{
	const char *at = strchr(text, '@');
	size_t length = strlen(text);

	if (!at || length >= MAIL_ADDRESS_SIZE || !local_ok(text, (size_t)(at - text)) || !host_ok(at + 1, stranger))
		return -EINVAL;
	memcpy(address, text, length + 1);
	for (char *c = address + (at - text); *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return 0;
}

/* ---- headers ---- */

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			return true;
	return false;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > '~')
			return false;
	return true;
}

/* Of at most `most` octets of `text`, so many that no letter is cut; what is no UTF-8 may be. */
static size_t whole_letters(const char *text, size_t most)
{
	size_t length = strnlen(text, most + 1);

	if (length <= most)
		return length;
	for (length = most; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
		length--;
	return length > 0 ? length : most;
}

/* Behind its name, which is out already: plain where it can be, else words of RFC 2047, a line each. */
static void put_subject(FILE *out, const char *text)
{
	size_t left = whole_letters(text, MAIL_SUBJECT_MAX);
	char plain[MAIL_SUBJECT_MAX + 1];

	(void)snprintf(plain, sizeof(plain), "%.*s", (int)left, text);
	if (is_ascii(plain) && left <= LINE_MAX_OCTETS - 16 && !strstr(plain, "=?")) {
		(void)fputs(plain, out);
		return;
	}
	for (const char *at = plain; *at;) {
		size_t count = whole_letters(at, WORD_OCTETS);
		char word[BASE64_SIZE(WORD_OCTETS)];

		base64_write(at, count, word);
		(void)fprintf(out, "%s=?UTF-8?B?%s?=", at == plain ? "" : "\r\n ", word);
		at += count;
	}
}

static void put_from(FILE *out, const struct mail *mail)
{
	(void)fputs("From: ", out);
	if (!mail->from_name[0]) {
		(void)fprintf(out, "%s\r\n", mail->from);
		return;
	}
	/* Encoded always: then no sign in it means anything to a parser of addresses. */
	for (const char *at = mail->from_name, *end = at + whole_letters(at, MAIL_NAME_MAX); at < end;) {
		size_t room = (size_t)(end - at) < WORD_OCTETS ? (size_t)(end - at) : WORD_OCTETS;
		size_t count = whole_letters(at, room);
		char word[BASE64_SIZE(WORD_OCTETS)];

		base64_write(at, count, word);
		(void)fprintf(out, "=?UTF-8?B?%s?=\r\n ", word);
		at += count;
	}
	(void)fprintf(out, "<%s>\r\n", mail->from);
}

/* ---- body ---- */

/* Whether an octet of a body stands for itself: `first` of its line on the way, `last` of the line that it is from. */
static bool is_plain(const char *at, bool first, bool last)
{
	unsigned char c = (unsigned char)*at;

	if (c == ' ' || c == '\t')
		return !last;
	return c > ' ' && c < '\177' && c != '=' && !(first && c == '.');
}

static void put_line(FILE *out, const char *line, size_t length)
{
	size_t column = 0;

	for (size_t i = 0; i < length; i++) {
		bool plain = is_plain(line + i, column == 0, i + 1 == length);
		size_t wide = plain ? 1 : 3;

		if (column + wide > LINE_MAX_OCTETS - 1) {
			(void)fputs("=\r\n", out);
			column = 0;
			plain = is_plain(line + i, true, i + 1 == length);
			wide = plain ? 1 : 3;
		}
		if (plain)
			(void)fputc(line[i], out);
		else
			(void)fprintf(out, "=%02X", (unsigned)(unsigned char)line[i]);
		column += wide;
	}
	(void)fputs("\r\n", out);
}

static void put_body(FILE *out, const char *body)
{
	while (*body) {
		size_t length = strcspn(body, "\n");

		put_line(out, body, length);
		body += length + (body[length] == '\n');
	}
}

/* ---- whole ---- */

static bool id_ok(const char *id)
{
	size_t length = strlen(id);

	for (size_t i = 0; i < length; i++)
		if (!is_letter_or_digit(id[i]) && id[i] != '-' && id[i] != '.')
			return false;
	return length > 0 && length < MAIL_ID_SIZE;
}

static int check(const struct mail *mail)
{
	char address[MAIL_ADDRESS_SIZE];

	if (mail_address_read(mail->from, false, address) != 0 || mail_address_read(mail->to, false, address) != 0)
		return -EINVAL;
	if (has_control(mail->subject) || has_control(mail->from_name) || !id_ok(mail->id) || mail->date_s < 0)
		return -EINVAL;
	if (strlen(mail->unsubscribe) >= MAIL_URL_SIZE || has_control(mail->unsubscribe) ||
	    strpbrk(mail->unsubscribe, "<> ") || !is_ascii(mail->unsubscribe))
		return -EINVAL;
	return strlen(mail->body) > MAIL_BODY_MAX ? -EFBIG : 0;
}

int mail_write(const struct mail *mail, char **octets, size_t *length)
{
	char *text = NULL, date[WORDS_SIZE];
	size_t size = 0;
	int result = check(mail);
	FILE *out = result == 0 ? open_memstream(&text, &size) : NULL;

	if (!out)
		return result != 0 ? result : -ENOMEM;
	(void)fprintf(out, "Date: %s\r\n", words_date_mail((struct capture_time){ mail->date_s * NS_PER_S }, date));
	put_from(out, mail);
	(void)fprintf(out, "To: %s\r\nMessage-ID: <%s@%s>\r\nSubject: ", mail->to, mail->id,
	              strchr(mail->from, '@') + 1);
	put_subject(out, mail->subject);
	(void)fprintf(out, "\r\nAuto-Submitted: auto-generated\r\nContent-Language: %s\r\n",
	              language_code(mail->language));
	if (mail->unsubscribe[0])
		(void)fprintf(out,
		              "List-Unsubscribe: <%s>\r\n"
		              "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
		              mail->unsubscribe);
	(void)fputs("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	            "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	            out);
	put_body(out, mail->body);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*octets = text;
	*length = size;
	return 0;
}
