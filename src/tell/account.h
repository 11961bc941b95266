/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a finding, sentence by sentence, for whoever lays it out: the page for the terminal and the report in
 * HTML say the same words. Nothing is said that is not in the findings. Numbers are rounded so that they never promise
 * too much: what a rule stops is rounded down, what it may cost is rounded up.
 *
 * Text is marked (paper.h): whoever shows it turns marks into colours, tags or nothing, and makes harmless what came
 * from outside (names of files and services).
 */
#ifndef HOLDFAST_TELL_ACCOUNT_H
#define HOLDFAST_TELL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "tell/analysis.h"
#include "tell/paper.h"
#include "tell/words.h"

#define ACCOUNT_WORDS 24 /* results of the functions below that one sentence may hold */

struct account {
	const struct analysis_input *input;
	const struct engine *engine;
	unsigned used;
	char words[ACCOUNT_WORDS][WORDS_SIZE];
};

/* Takes one marked sentence or more: a bullet, or a paragraph. */
struct account_sink {
	void (*take)(void *context, const char *text);
	void *context;
};

/* Words that may stand in one sentence; each is gone after ACCOUNT_WORDS more. */
char *account_room(struct account *account);
const char *account_count(struct account *account, uint64_t n);
const char *account_scaled(struct account *account, uint64_t n, const char *unit);
const char *account_duration(struct account *account, struct capture_time from, struct capture_time to);
const char *account_down(struct account *account, uint64_t ppm);
const char *account_up(struct account *account, uint64_t ppm);
const char *account_about(struct account *account, uint64_t n); /* an estimate: "about 1,234", or "12" */
/* "1,200 addresses", "about 72,900 addresses"; and the networks that they are in: "1,165 networks". */
const char *account_sources(struct account *account, const struct finding *finding);
const char *account_networks(struct account *account, const struct finding *finding);
const char *account_plural(uint64_t n, const char *one, const char *many);
/* n times `by`, as large as it gets. */
uint64_t account_times(uint64_t n, uint64_t by);
/* A count in 100 ms as a rate: "6.3 kpps", "24 Mbit/s". */
const char *account_pps(struct account *account, uint64_t packets_100ms);
const char *account_bps(struct account *account, uint64_t bytes_100ms);

/* What the finding is about: the service's name or NULL; "192.0.2.10" or "192.0.2.0/24"; its largest vector. */
const char *account_service(const struct account *account, const struct finding *finding);
const char *account_target(const struct finding *finding, char text[PREFIX_TEXT_SIZE]);
const struct vector *account_main_vector(const struct finding *finding);
/* What an incident's packets are, one and many: "request" and "requests" where each is one of HTTP. */
const char *account_noun(const struct finding *finding, uint64_t n);
bool account_is_requests(const struct finding *finding);
/* A count in 100 ms of what they are, as a rate: "6.3 kpps", "580 requests/s". */
const char *account_rate(struct account *account, const struct finding *finding, uint64_t n_100ms);
/* Whether a rule of it drops or limits. */
bool account_acts(const struct signature *signature);
uint32_t account_acting(const struct finding *finding);

/* " from 2025-03-10 09:45:12 to 09:45:35 UTC" */
void account_span(struct account *account, struct draft *draft, struct capture_time from, struct capture_time to);
/* How many of what in how much. */
void account_overview(struct account *account, struct draft *draft);
/* What it means that no attack was found, and what not. */
void account_nothing(const struct account *account, const struct account_sink *to);
/* Three sentences: who and when, what it is, how much. */
void account_attack(struct account *account, const struct finding *finding, struct draft *draft);
/* What is special about its form, each sentence behind a space; nothing where nothing is. */
void account_shape(struct account *account, const struct finding *finding, struct draft *draft);
void account_scan(struct account *account, const struct finding *finding, struct draft *draft);
/* Why we think so. */
void account_evidence(struct account *account, const struct finding *finding, const struct account_sink *to);
/* Were the sources forged, and what that means; and why one thinks so. */
void account_verdict(struct account *account, const struct finding *finding, struct draft *draft);
void account_verdict_reasons(struct account *account, const struct finding *finding, const struct account_sink *to);
void account_families(struct account *account, const struct finding *finding, const struct account_sink *to);
/* " Cost: …" of a rule. */
void account_cost(struct account *account, const struct signature *signature, struct draft *draft);
/* Why a rule is what it is, without its stop. What its cost says is not said again. */
void account_reason(struct account *account, const struct signature *signature, struct draft *draft);
/* What the rules together let through; nothing where none acts. */
void account_residual(struct account *account, const struct finding *finding, struct draft *draft);
/* What helps where no rule does, or besides them; may be nothing. */
void account_advice(const struct finding *finding, struct draft *draft);
/* What cannot be known from this capture; of its sources nothing where they were traced (origin_unknowns()). */
void account_unknowns(struct account *account, const struct finding *finding, const struct account_sink *to);
/* What was read, what could not be, which limits were hit. */
void account_input(struct account *account, const struct account_sink *to);

#endif
