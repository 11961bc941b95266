/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/harm_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "cli/books.h"
#include "cli/outage_page.h"
#include "record/outages.h"
#include "record/statements.h"
#include "tell/harm_json.h"
#include "tell/words.h"

#define HANG 2
#define OLD_NS (15 * 60 * NS_PER_S) /* what was measured so long ago is said to be old */
#define PERMYRIAD_PPM 100
#define LINES_MAX 8

struct lines {
	const struct paper *paper;
	uint64_t incident;
	int64_t now_ns;
	unsigned told, left_out;
	/* What is to be said next, of the matter that is due first. */
	bool open;
	int64_t due_ns;
	char thread[LEDGER_ID_SIZE];
};

/* "09:40", or with its day where that is not today's. */
static const char *clock(const struct lines *l, int64_t ns, char text[WORDS_SIZE])
{
	const int64_t day = 86400 * NS_PER_S;
	char whole[WORDS_SIZE];

	(void)words_date_time((struct capture_time){ ns }, whole);
	(void)snprintf(text, WORDS_SIZE, "%.16s", ns / day == l->now_ns / day ? whole + 11 : whole);
	if (ns / day == l->now_ns / day)
		text[5] = '\0';
	return text;
}

static void add_harm(const struct lines *l, const struct outages_outage *outage, const struct harm *harm,
                     struct draft *d)
{
	char id[OUTAGES_ID_SIZE], text[WORDS_SIZE];

	outages_id(outage->number, id);
	draft_add(d, "%sHARM" PLAIN " " BOLD "%s" PLAIN ": outage %s ", outage->ended_ns ? YELLOW : RED,
	          outage->component, id);
	if (outage->ended_ns) {
		draft_add(d, "from %s", clock(l, outage->began_ns, text));
		draft_add(d, " to %s", clock(l, outage->ended_ns, text));
	} else {
		draft_add(d, "since %s", clock(l, outage->began_ns, text));
	}
	draft_add(d, ", belief %s", words_share_down((uint64_t)outage->belief * PERMYRIAD_PPM, text));
	draft_add(d, " (%s)", outage_page_word(harm->belief.word));
	if (harm->incident && harm->delay_ns > 0)
		draft_add(d, ", %s after the attack began", words_duration(harm->delay_ns, text));
	else if (harm->incident && harm->delay_ns <= -COUNT_BUCKET_NS)
		draft_add(d, ", %s before the attack began", words_duration(-harm->delay_ns, text));
	else if (harm->incident)
		draft_add(d, ", as the attack began");
	draft_add(d, ", %s reports", words_count(outage->reports, text));
	if (harm->outage.raw && harm->outage.shielded)
		draft_add(d, " and %s from sources that are dropped", words_count(harm->outage.shielded, text));
	if (!outage->ended_ns && l->now_ns - outage->made_ns > OLD_NS)
		draft_add(d, " (as of %s)", clock(l, outage->made_ns, text));
}

static int take_outage(void *context, const struct outages_outage *outage)
{
	struct lines *l = context;
	char error[HARM_JSON_ERROR_SIZE];
	struct draft d = { .length = 0 };
	struct harm *harm = malloc(sizeof(*harm));
	json_t *json = harm ? json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL) : NULL;

	/* One that cannot be read is said by who lists them. */
	if (json && harm_json_read(json, harm, error) == 0 &&
	    (l->incident ? harm->incident == l->incident : outage->ended_ns == 0)) {
		if (l->told == LINES_MAX) {
			l->left_out++;
		} else {
			add_harm(l, outage, harm, &d);
			paper_text(l->paper, 0, HANG, d.text);
			l->told++;
		}
	}
	json_decref(json);
	free(harm);
	return 0;
}

static int take_thread(void *context, const struct statements_thread *thread)
{
	struct lines *l = context;

	if (!thread->open || thread->due_ns == 0 || (l->incident && thread->incident != l->incident))
		return 0;
	if (!l->open || thread->due_ns < l->due_ns) {
		l->due_ns = thread->due_ns;
		(void)snprintf(l->thread, sizeof(l->thread), "s%" PRIu64, thread->thread);
	}
	l->open = true;
	return 0;
}

static void write_next(const struct lines *l)
{
	struct draft d = { .length = 0 };
	char at[WORDS_SIZE], left[WORDS_SIZE];

	if (l->open && l->due_ns > l->now_ns)
		draft_add(&d, "NEXT WORD due %s, in %s (holdfast statement draft --kind update --after %s)",
		          clock(l, l->due_ns, at), words_duration(l->due_ns - l->now_ns, left), l->thread);
	else if (l->open)
		draft_add(&d,
		          RED "NEXT WORD" PLAIN
		              " was due %s, %s ago (holdfast statement draft --kind update --after %s)",
		          clock(l, l->due_ns, at), words_duration(l->now_ns - l->due_ns, left), l->thread);
	else if (l->told && !l->incident)
		draft_add(&d, "NOTHING SAID yet: holdfast statement draft --kind first_notice");
	if (d.length)
		paper_text(l->paper, 0, HANG, d.text);
}

void harm_lines_write(const struct paper *paper, const char *folder, uint64_t incident, int64_t now_ns)
{
	struct lines lines = { .paper = paper, .incident = incident, .now_ns = now_ns };
	struct record_error error = { .message = "" };
	char path[BOOKS_PATH_SIZE];
	struct ledger *ledger;
	struct draft d = { .length = 0 };

	(void)snprintf(path, sizeof(path), "%s" LEDGER_FILE, folder);
	if (ledger_open(path, false, &ledger, &error) != 0)
		return;
	if (outages_each(ledger, NULL, take_outage, &lines, &error) == 0 &&
	    statements_thread_each(ledger, take_thread, &lines, &error) == 0) {
		if (lines.left_out)
			draft_add(&d, "and %u more: holdfast outage list", lines.left_out);
		if (d.length)
			paper_text(paper, 0, HANG, d.text);
		write_next(&lines);
		if (lines.told || lines.open)
			(void)fputc('\n', paper->out);
	}
	ledger_close(ledger);
}
