/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What statements are made of: facts, and sentences in each language. Whoever adds a sentence adds a row; what it says
 * has to be in its facts. Nothing says who did something, nor from where: that is in no fact.
 */
#include <string.h>

#include "tell/statement_inside.h"

#define T WORDS_TIE
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define K(kind) (1u << STATEMENT_##kind)
#define FIRST K(FIRST_NOTICE)
#define GOING_ON (K(UPDATE) | K(CORRECTION))
#define AFTER (K(RESOLUTION) | K(CORRECTION))
#define TOLD (K(UPDATE) | K(RESOLUTION) | K(CORRECTION) | K(POSTMORTEM))
#define LAWS (K(NIS2_24H) | K(NIS2_72H) | K(NIS2_MONTH) | K(GDPR_33))
#define LATER (K(NIS2_72H) | K(NIS2_MONTH) | K(GDPR_33))

#define I "/incidents/@"
#define O "/outages/0" /* the one with most reports beyond what is usual comes first */
#define OUTAGE "no outage was measured"

/* clang-format off */
static const struct statement_fact facts[] = {
	{ "began", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/began", "no incident is on record" },
	{ "ended", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/ended", "the incident has no end yet" },
	{ "detected", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/detected", "no incident is on record" },
	{ "vector", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/vectors/0/name", "no incident is on record" },
	{ "vector_title", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/vectors/0/title", "no incident is on record" },
	{ "vectors", STATEMENT_ANALYSIS, STATEMENT_COUNT, I "/vectors", "no incident is on record" },
	{ "waves", STATEMENT_ANALYSIS, STATEMENT_COUNT, I "/waves", "no incident is on record" },
	{ "wave_began", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/waves/#/began", "the wave has no beginning" },
	{ "wave_ended", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/waves/#/ended", "the wave has no end yet" },
	{ "wave_peak", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/waves/#/peak_pps", "the wave has no peak" },
	{ "packets", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/packets", "no incident is on record" },
	{ "octets", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/bytes", "no incident is on record" },
	{ "peak_pps", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/peak_pps", "no incident is on record" },
	{ "peak_bps", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/peak_bps", "no incident is on record" },
	{ "sources", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/sources/estimate", "senders were not counted" },
	{ "spoofing", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/sources/spoofing/verdict", "whether senders are real was not looked at" },
	{ "target", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/target/scope", "no incident is on record" },
	{ "residual", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/residual", "what the rules leave over was not measured" },
	{ "rule_match", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/signatures/#/match", "no rule was found" },
	{ "rule_action", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/signatures/#/action", "no rule was found" },
	{ "rule_coverage", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/signatures/#/coverage", "no rule was found" },
	{ "family", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/families/#/consistent_with", NULL },
	{ "family_mark", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/families/#/mark", NULL },
	{ "cost_high", STATEMENT_ANALYSIS, STATEMENT_VALUE, I "/trace/cost/high", "what it would cost to rent was not made out" },
	{ "rule_first", STATEMENT_ANALYSIS, STATEMENT_MIN, "/live/rules/*/made", "no filter was made while it was watched" },
	{ "dropped", STATEMENT_ANALYSIS, STATEMENT_SUM, "/live/rules/*/packets/dropped", "it was not watched live, so no filter's counts are known" },
	{ "users_answered", STATEMENT_ANALYSIS, STATEMENT_SUM, "/live/series/answered_pps/*", "users' traffic was not measured" },
	{ "users_lost", STATEMENT_ANALYSIS, STATEMENT_SUM, "/live/series/lost_pps/*", "users' traffic was not measured" },
	{ "link_percent", STATEMENT_ANALYSIS, STATEMENT_MAX, "/live/series/link_percent/*", "how full the links were was not measured" },
	{ "link_lost", STATEMENT_ANALYSIS, STATEMENT_SUM, "/live/series/link_lost_pps/*", "what the links lost was not measured" },

	{ "state", STATEMENT_RECORD, STATEMENT_VALUE, "/incident/state", "no incident is on record" },
	{ "incident", STATEMENT_RECORD, STATEMENT_VALUE, "/incident/id", "no incident is on record" },
	{ "service", STATEMENT_RECORD, STATEMENT_VALUE, "/incident/service", "the incident is of no service that is configured" },
	{ "since", STATEMENT_RECORD, STATEMENT_VALUE, "/word/since", "nobody said since when (--since)" },
	{ "until", STATEMENT_RECORD, STATEMENT_VALUE, "/word/until", "nobody said since when it is well again (--until)" },
	{ "component", STATEMENT_RECORD, STATEMENT_VALUE, "/word/component", "nobody said what is concerned (--component)" },
	{ "component_fr", STATEMENT_RECORD, STATEMENT_VALUE, "/word/component_fr", "nobody said what is concerned (--component)" },
	{ "detail", STATEMENT_RECORD, STATEMENT_VALUE, "/word/text", NULL },
	{ "phase", STATEMENT_RECORD, STATEMENT_VALUE, "/word/phase", NULL },
	{ "next", STATEMENT_RECORD, STATEMENT_VALUE, "/word/next_update", "no next update was promised" },
	{ "attacks_then", STATEMENT_RECORD, STATEMENT_COUNT, "/incidents_then", "no record of incidents is at hand" },
	{ "corrected", STATEMENT_RECORD, STATEMENT_VALUE, "/corrects/published", "it corrects nothing that was published" },
	{ "event_kind", STATEMENT_RECORD, STATEMENT_VALUE, "/events/#/kind", "the event is of no kind" },
	{ "event_began", STATEMENT_RECORD, STATEMENT_VALUE, "/events/#/began", "the event has no beginning" },
	{ "event_ended", STATEMENT_RECORD, STATEMENT_VALUE, "/events/#/ended", "the event has no end" },
	{ "event_text", STATEMENT_RECORD, STATEMENT_VALUE, "/events/#/text", "the event has no words" },
	{ "o_began", STATEMENT_RECORD, STATEMENT_VALUE, O "/outage/began", OUTAGE },
	{ "o_ended", STATEMENT_RECORD, STATEMENT_VALUE, O "/outage/ended", "the outage has no end yet" },
	{ "o_worst", STATEMENT_RECORD, STATEMENT_VALUE, O "/outage/pronounced_from", OUTAGE },
	{ "o_worst_end", STATEMENT_RECORD, STATEMENT_VALUE, O "/outage/pronounced_to", OUTAGE },
	{ "o_reports", STATEMENT_RECORD, STATEMENT_VALUE, O "/outage/reports", OUTAGE },
	{ "o_excess", STATEMENT_RECORD, STATEMENT_VALUE, O "/outage/excess", OUTAGE },
	{ "o_waves", STATEMENT_RECORD, STATEMENT_COUNT, O "/outage/waves", OUTAGE },
	{ "o_word", STATEMENT_RECORD, STATEMENT_VALUE, O "/belief/published", OUTAGE },
	{ "o_delay", STATEMENT_RECORD, STATEMENT_VALUE, O "/delay_ns", "no attack goes with the outage" },
	{ "o_shielded", STATEMENT_RECORD, STATEMENT_VALUE, O "/outage/shielded", OUTAGE },
	{ "part_from", STATEMENT_RECORD, STATEMENT_VALUE, O "/causes/intervals/#/from", OUTAGE },
	{ "part_to", STATEMENT_RECORD, STATEMENT_VALUE, O "/causes/intervals/#/to", OUTAGE },
	{ "part_cause", STATEMENT_RECORD, STATEMENT_VALUE, O "/causes/intervals/#/cause", OUTAGE },
	{ "part_several", STATEMENT_RECORD, STATEMENT_VALUE, O "/causes/intervals/#/several", OUTAGE },
	{ "part_share", STATEMENT_RECORD, STATEMENT_VALUE, O "/causes/intervals/#/share", OUTAGE },
	{ "claim_by", STATEMENT_RECORD, STATEMENT_VALUE, "/claims/#/by", NULL },
	{ "claim_text", STATEMENT_RECORD, STATEMENT_VALUE, "/claims/#/text", NULL },
	{ "claim_verdict", STATEMENT_RECORD, STATEMENT_VALUE, "/claims/#/verdict", "the claim was not tested ('holdfast claim test')" },
	{ "said_at", STATEMENT_RECORD, STATEMENT_VALUE, "/statements/#/published", "nothing was published" },
	{ "said_title", STATEMENT_RECORD, STATEMENT_VALUE, "/statements/#/title", "nothing was published" },
	{ "statements", STATEMENT_RECORD, STATEMENT_COUNT, "/statements", "nothing was published" },
	{ "aware", STATEMENT_RECORD, STATEMENT_VALUE, "/aware/at", "nobody said since when it has been known ('holdfast statement aware')" },
	{ "aware_by", STATEMENT_RECORD, STATEMENT_VALUE, "/aware/by", "nobody said since when it has been known ('holdfast statement aware')" },
	{ "due_24h", STATEMENT_RECORD, STATEMENT_VALUE, "/aware/due/nis2_24h", "nobody said since when it has been known ('holdfast statement aware')" },
	{ "due_72h", STATEMENT_RECORD, STATEMENT_VALUE, "/aware/due/nis2_72h", "nobody said since when it has been known ('holdfast statement aware')" },
	{ "due_month", STATEMENT_RECORD, STATEMENT_VALUE, "/aware/due/nis2_month", "nobody said since when it has been known ('holdfast statement aware')" },
	{ "due_gdpr", STATEMENT_RECORD, STATEMENT_VALUE, "/aware/due/gdpr_33", "nobody said since when it has been known ('holdfast statement aware')" },
};

static const struct {
	const char *name, *words[LANGUAGES];
} headings[] = {
	{ "law", { "Law", "Droit" } },
	{ "nature", { "Nature and cause", "Nature et cause" } },
	{ "what", { "What happened", "Ce qui s’est passé" } },
	{ "timeline", { "Timeline", "Déroulement" } },
	{ "worked", { "What worked", "Ce qui a fonctionné" } },
	{ "not", { "What did not", "Ce qui n’a pas fonctionné" } },
	{ "numbers", { "Numbers", "Chiffres" } },
	{ "unknown", { "What cannot be known", "Ce qu’on ne peut pas savoir" } },
	{ "measures", { "Measures", "Mesures" } },
	{ "open", { "To be answered by a person", "Questions auxquelles une personne doit répondre" } },
};

static const char *const titles[STATEMENT_KINDS][LANGUAGES] = {
	[STATEMENT_FIRST_NOTICE] = { "We are looking into a disturbance", "Nous étudions une perturbation" },
	[STATEMENT_UPDATE] = { "Update on the disturbance", "Point sur la perturbation" },
	[STATEMENT_RESOLUTION] = { "The disturbance is over", "La perturbation est terminée" },
	[STATEMENT_CORRECTION] = { "Correction", "Rectification" },
	[STATEMENT_POSTMORTEM] = { "What happened, and what we learned", "Ce qui s’est passé et ce que nous en retenons" },
	[STATEMENT_NIS2_24H] = { "Draft: early warning (NIS 2, 24 hours)", "Projet : alerte précoce (NIS 2, 24 heures)" },
	[STATEMENT_NIS2_72H] = { "Draft: incident notification (NIS 2, 72 hours)", "Projet : notification d’incident (NIS 2, 72 heures)" },
	[STATEMENT_NIS2_MONTH] = { "Draft: final report (NIS 2, one month)", "Projet : rapport final (NIS 2, un mois)" },
	[STATEMENT_GDPR_33] = { "Draft: notification of a personal data breach (GDPR, 72 hours)",
	                        "Projet : notification d’une violation de données à caractère personnel (RGPD, 72 heures)" },
};

#define NO_SCAN { "vector", STATEMENT_IS_NOT, "scan" }
#define GOES_ON { "state", STATEMENT_IS, "open" }
#define IS_OVER { "state", STATEMENT_IS_NOT, "open" }

/*
 * In the order in which they are told; those of a post-mortem and of laws by their sections. What is internal by its nature: rules,
 * thresholds, capacity, addresses of ours.
 */
const struct statement_template statement_templates[] = {
	/* ---- what is corrected ---- */
	{ .name = "corrected", .kinds = K(CORRECTION), .basis = STATEMENT_EVIDENCE,
	  .text = { "This corrects what we said on {corrected:time}.", "Ceci rectifie notre communication du {corrected:time}." } },

	/* ---- the operator's word ---- */
	{ .name = "since_of", .kinds = FIRST, .basis = STATEMENT_WORD,
	  .text = { "Since {since:time}, some people cannot reach {component:text}.",
	            "Depuis le {since:time}, certaines personnes ne parviennent pas à accéder à «" T "{component_fr:text}" T "»." } },
	{ .name = "since", .kinds = FIRST, .basis = STATEMENT_WORD, .when = { { "component", STATEMENT_IS_NOTHING, NULL } },
	  .text = { "Since {since:time}, some people cannot reach us.",
	            "Depuis le {since:time}, certaines personnes ne parviennent pas à nous joindre." } },
	{ .name = "until_of", .kinds = AFTER, .basis = STATEMENT_WORD,
	  .text = { "Since {until:time}, {component:text} can be reached again.",
	            "Depuis le {until:time}, «" T "{component_fr:text}" T "» est de nouveau accessible." } },
	{ .name = "until", .kinds = AFTER, .basis = STATEMENT_WORD, .when = { { "component", STATEMENT_IS_NOTHING, NULL } },
	  .text = { "Since {until:time}, we can be reached again.", "Depuis le {until:time}, nous sommes de nouveau joignables." } },
	{ .name = "word_times", .section = "what", .kinds = K(POSTMORTEM), .basis = STATEMENT_WORD,
	  .text = { "From {since:time} {since,until:until}, some people could not reach us.",
	            "Du {since:time} {since,until:until}, certaines personnes n’ont pas pu nous joindre." } },

	/* ---- what was recorded ---- */
	{ .name = "attack_goes_on", .kinds = FIRST | GOING_ON, .when = { GOES_ON, NO_SCAN },
	  .text = { "Since {began:time}, a denial-of-service attack has been directed at our services.",
	            "Depuis le {began:time}, nos services sont la cible d’une attaque par déni de service." } },
	{ .name = "attack_over", .section = "what", .kinds = TOLD, .when = { IS_OVER, NO_SCAN },
	  .text = { "From {began:time} {began,ended:until} ({began,ended:span}), a denial-of-service attack was directed at our services.",
	            "Du {began:time} {began,ended:until} ({began,ended:span}), nos services ont été la cible d’une attaque par déni de service." } },
	{ .name = "scan", .section = "what", .kinds = TOLD, .when = { { "vector", STATEMENT_IS, "scan" } },
	  .text = { "What was recorded from {began:time} on is a look at what can be reached, not an attack on our services.",
	            "Ce qui a été enregistré à partir du {began:time} est un sondage de ce qui est joignable, et non une attaque contre nos services." } },
	{ .name = "no_attack", .section = "what", .kinds = TOLD,
	  .when = { { "incident", STATEMENT_IS_NOTHING, NULL }, { "attacks_then", STATEMENT_IS, "0" } },
	  .text = { "No attack on our services was recorded in that time.", "Aucune attaque contre nos services n’a été enregistrée pendant ce temps." } },
	{ .name = "kind_of_traffic", .section = "what", .kinds = TOLD, .when = { NO_SCAN },
	  .text = { "Kind of traffic: {vector:vector}.", "Nature du trafic" T ": {vector:vector}." } },
	{ .name = "waves", .section = "what", .kinds = K(RESOLUTION) | K(POSTMORTEM), .when = { { "waves", STATEMENT_OVER, "1" }, NO_SCAN },
	  .text = { "It came in {waves:count} waves.", "Elle est venue en {waves:count} vagues." } },
	{ .name = "sources_spoofed", .section = "unknown", .kinds = K(RESOLUTION) | K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .when = { { "spoofing", STATEMENT_IS, "spoofed" } },
	  .text = { "The addresses that the packets gave as their senders were forged; they show neither who sent them nor from where.",
	            "Les adresses que les paquets donnaient pour celles de leurs expéditeurs étaient falsifiées" T "; elles ne montrent ni qui les a envoyés, ni d’où." } },
	{ .name = "sources_reflectors", .section = "unknown", .kinds = K(RESOLUTION) | K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .when = { { "spoofing", STATEMENT_IS, "reflectors" } },
	  .text = { "The packets came from servers of third parties that were made to answer in our name; whoever made them do so cannot be seen from here.",
	            "Les paquets provenaient de serveurs de tiers amenés à répondre en notre nom" T "; qui les y a amenés ne se voit pas d’ici." } },
	{ .name = "sources_verified", .section = "unknown", .kinds = K(RESOLUTION) | K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .when = { { "spoofing", STATEMENT_IS, "verified" } },
	  .text = { "The machines that sent the packets are real; who made them do so cannot be seen from here.",
	            "Les machines qui ont envoyé les paquets sont réelles" T "; qui les y a amenées ne se voit pas d’ici." } },
	{ .name = "sources_undetermined", .section = "unknown", .kinds = K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .when = { { "spoofing", STATEMENT_IS, "undetermined" }, NO_SCAN },
	  .text = { "Whether the senders' addresses were forged cannot be said.",
	            "On ne peut pas dire si les adresses des expéditeurs étaient falsifiées." } },

	/* ---- what users felt, as it was measured ---- */
	{ .name = "outage_goes_on", .section = "what", .kinds = TOLD, .when = { { "o_word", STATEMENT_IS_NOT, "nothing" }, { "o_ended", STATEMENT_IS_NOTHING, NULL } },
	  .text = { "Since {o_began:time} we have been measuring {o_word:belief}.", "Depuis le {o_began:time}, nous mesurons {o_word:belief}." } },
	{ .name = "outage_over", .section = "what", .kinds = TOLD, .when = { { "o_word", STATEMENT_IS_NOT, "nothing" } },
	  .text = { "From {o_began:time} {o_began,o_ended:until} we measured {o_word:belief}.",
	            "Du {o_began:time} {o_began,o_ended:until}, nous avons mesuré {o_word:belief}." } },
	{ .name = "outage_worst", .section = "what", .kinds = K(RESOLUTION) | K(POSTMORTEM),
	  .text = { "It was felt most from {o_worst:time} {o_worst,o_worst_end:until}.", "Elle a été ressentie le plus du {o_worst:time} {o_worst,o_worst_end:until}." } },
	{ .name = "outage_delay", .section = "what", .kinds = K(POSTMORTEM), .when = { { "o_delay", STATEMENT_OVER, "0" }, NO_SCAN },
	  .text = { "Users began to feel it {began,o_began:span} after the attack began.", "Les utilisateurs ont commencé à la ressentir {began,o_began:span} après le début de l’attaque." } },
	{ .name = "part_alone", .section = "what", .kinds = K(RESOLUTION) | K(CORRECTION) | K(POSTMORTEM), .when = { { "part_several", STATEMENT_IS, "false" }, { "part_cause", STATEMENT_IS_NOT, "unknown" } },
	  .text = { "From {part_from:time} {part_from,part_to:until}, of all that is on record only {part_cause:cause} can explain it ({part_share:permyriad} of the reports beyond the usual).",
	            "Du {part_from:time} {part_from,part_to:until}, de tout ce qui est enregistré, seule {part_cause:cause} peut l’expliquer ({part_share:permyriad} des signalements au-delà de l’ordinaire)." } },
	{ .name = "part_several", .section = "what", .kinds = K(RESOLUTION) | K(CORRECTION) | K(POSTMORTEM), .when = { { "part_several", STATEMENT_IS, "true" } },
	  .text = { "From {part_from:time} {part_from,part_to:until}, {part_cause:cause} can explain it, and so can something else ({part_share:permyriad} of the reports beyond the usual).",
	            "Du {part_from:time} {part_from,part_to:until}, {part_cause:cause} peut l’expliquer, et autre chose aussi ({part_share:permyriad} des signalements au-delà de l’ordinaire)." } },
	{ .name = "part_unknown", .section = "what", .kinds = K(RESOLUTION) | K(CORRECTION) | K(POSTMORTEM), .when = { { "part_cause", STATEMENT_IS, "unknown" } },
	  .text = { "From {part_from:time} {part_from,part_to:until}, nothing that is on record explains it ({part_share:permyriad} of the reports beyond the usual).",
	            "Du {part_from:time} {part_from,part_to:until}, rien de ce qui est enregistré ne l’explique ({part_share:permyriad} des signalements au-delà de l’ordinaire)." } },
	{ .name = "law_outage", .section = "nature", .kinds = LAWS, .internal = true, .when = { { "o_word", STATEMENT_IS_NOT, "nothing" } },
	  .text = { "From {o_began:time} on {o_word:belief} was measured: {o_reports:count} reports of users, {o_excess:count} of them beyond the usual.",
	            "À partir du {o_began:time}, mesure" T ": {o_word:belief}, soit {o_reports:count} signalements d’utilisateurs, dont {o_excess:count} au-delà de l’ordinaire." } },

	/* ---- what was done about it ---- */
	{ .name = "filtered", .kinds = GOING_ON, .when = { { "dropped", STATEMENT_OVER, "0" }, GOES_ON },
	  .text = { "We have been filtering this traffic since {rule_first:time}.", "Nous filtrons ce trafic depuis le {rule_first:time}." } },
	{ .name = "filtered_dropped", .kinds = GOING_ON | K(RESOLUTION), .internal = true, .when = { { "dropped", STATEMENT_OVER, "0" } },
	  .text = { "Filters have dropped about {dropped:packets}.", "Les filtres ont rejeté environ {dropped:packets}." } },
	{ .name = "recognised", .section = "worked", .kinds = K(POSTMORTEM), .when = { NO_SCAN },
	  .text = { "It was recognised {began,detected:span} after it began.", "Elle a été reconnue {began,detected:span} après son début." } },
	{ .name = "filter_made", .section = "worked", .kinds = K(RESOLUTION) | K(POSTMORTEM), .when = { { "dropped", STATEMENT_OVER, "0" } },
	  .text = { "The first filter against it was made {began,rule_first:span} after it began.",
	            "Le premier filtre contre elle a été établi {began,rule_first:span} après son début." } },
	{ .name = "users_spared", .section = "worked", .kinds = K(RESOLUTION) | K(POSTMORTEM),
	  .when = { { "users_lost", STATEMENT_IS, "0" }, { "users_answered", STATEMENT_OVER, "0" }, NO_SCAN },
	  .text = { "Around it our filters dropped no packet of users whom our services were answering.",
	            "Pendant et autour de l’attaque, nos filtres n’ont rejeté aucun paquet d’utilisateurs à qui nos services répondaient." } },
	{ .name = "users_lost", .section = "not", .kinds = K(RESOLUTION) | K(POSTMORTEM),
	  .when = { { "users_lost", STATEMENT_OVER, "0" }, NO_SCAN },
	  .text = { "Around it our filters also dropped {users_lost,users_answered:share_of} of the packets of users whom our services were answering.",
	            "Pendant et autour de l’attaque, nos filtres ont aussi rejeté {users_lost,users_answered:share_of} des paquets d’utilisateurs à qui nos services répondaient." } },
	{ .name = "residual", .section = "not", .kinds = K(POSTMORTEM), .internal = true, .when = { { "residual", STATEMENT_OVER, "0" }, NO_SCAN },
	  .text = { "The rules that were found leave {residual:share_up} of the attack.", "Les règles trouvées laissent passer {residual:share_up} de l’attaque." } },
	{ .name = "link_full", .section = "not", .kinds = GOING_ON | K(POSTMORTEM) | K(NIS2_MONTH), .internal = true, .when = { { "link_percent", STATEMENT_OVER, "89" } },
	  .text = { "At its fullest, a link carried {link_percent:count}" T "% of what it can.", "Au plus fort, une liaison a porté {link_percent:count}" T "% de sa capacité." } },
	{ .name = "link_lost", .section = "not", .kinds = GOING_ON | K(POSTMORTEM) | K(NIS2_MONTH), .internal = true, .when = { { "link_lost", STATEMENT_OVER, "0" } },
	  .text = { "Interfaces lost packets before they could be looked at: in all seconds measured together {link_lost:about} a second.",
	            "Les interfaces ont perdu des paquets avant tout examen" T ": sur l’ensemble des secondes mesurées, {link_lost:about} par seconde." } },

	/* ---- what else happened then ---- */
	{ .name = "event", .section = "what", .kinds = TOLD,
	  .when = { { "event_ended", STATEMENT_IS_NOT, "" } },
	  .text = { "Something else happened from {event_began:time} {event_began,event_ended:until}: {event_kind:event}.",
	            "Autre fait, du {event_began:time} {event_began,event_ended:until}" T ": {event_kind:event}." } },
	{ .name = "event_goes_on", .section = "what", .kinds = TOLD,
	  .when = { { "event_ended", STATEMENT_IS_NOTHING, NULL } },
	  .text = { "Something else has been under way since {event_began:time}: {event_kind:event}.",
	            "Autre fait, depuis le {event_began:time}" T ": {event_kind:event}." } },
	{ .name = "event_text", .section = "what", .kinds = TOLD | LAWS, .internal = true,
	  .text = { "From {event_began:time} on, as noted: {event_text:text}", "À partir du {event_began:time}, selon la note" T ": {event_text:text}" } },

	/* ---- what others said of it: with --include-claim alone ---- */
	{ .name = "claim", .kinds = TOLD, .section = "what",
	  .text = { "{claim_by:text} said: “{claim_text:text}”. What was observed {claim_verdict:verdict}.",
	            "{claim_by:text} a déclaré" T ": «" T "{claim_text:text}" T "». Ce qui a été observé {claim_verdict:verdict}." } },

	/* ---- timeline ---- */
	{ .name = "time_began", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true, .when = { NO_SCAN },
	  .text = { "{began:time}: first packet of the attack.", "{began:time}" T ": premier paquet de l’attaque." } },
	{ .name = "time_detected", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true, .when = { NO_SCAN },
	  .text = { "{detected:time}: the attack is recognised.", "{detected:time}" T ": l’attaque est reconnue." } },
	{ .name = "time_rule", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true, .when = { { "dropped", STATEMENT_OVER, "0" } },
	  .text = { "{rule_first:time}: the first filter against it is made.", "{rule_first:time}" T ": le premier filtre contre elle est établi." } },
	{ .name = "time_wave", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true, .when = { { "waves", STATEMENT_OVER, "1" }, NO_SCAN },
	  .text = { "{wave_began:time} {wave_began,wave_ended:until}: a wave of up to {wave_peak:pps}.",
	            "{wave_began:time} {wave_began,wave_ended:until}" T ": une vague allant jusqu’à {wave_peak:pps}." } },
	{ .name = "time_event", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true,
	  .text = { "{event_began:time}: {event_kind:event} begins.", "{event_began:time}" T ": début" T ": {event_kind:event}." } },
	{ .name = "time_said", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true,
	  .text = { "{said_at:time}: published: “{said_title:text}”.", "{said_at:time}" T ": publication" T ": «" T "{said_title:text}" T "»." } },
	{ .name = "time_ended", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true, .when = { NO_SCAN },
	  .text = { "{ended:time}: last packet of the attack.", "{ended:time}" T ": dernier paquet de l’attaque." } },
	{ .name = "time_well", .section = "timeline", .kinds = K(POSTMORTEM), .by_time = true, .basis = STATEMENT_WORD,
	  .text = { "{until:time}: we can be reached again.", "{until:time}" T ": nous sommes de nouveau joignables." } },

	/* ---- numbers ---- */
	{ .name = "size", .section = "numbers", .kinds = K(RESOLUTION) | K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .when = { NO_SCAN },
	  .text = { "In the busiest tenth of a second it came at a rate of {peak_pps:pps} and of {peak_bps:bits}.",
	            "Dans son dixième de seconde le plus intense, elle est arrivée à raison de {peak_pps:pps} et de {peak_bps:bits}." } },
	{ .name = "size_so_far", .kinds = GOING_ON, .internal = true, .when = { GOES_ON, NO_SCAN },
	  .text = { "So far, in the busiest tenth of a second, it came at a rate of {peak_pps:pps} and of {peak_bps:bits}.",
	            "Jusqu’ici, dans son dixième de seconde le plus intense, elle est arrivée à raison de {peak_pps:pps} et de {peak_bps:bits}." } },
	{ .name = "amount", .section = "numbers", .kinds = K(POSTMORTEM) | K(NIS2_MONTH), .when = { NO_SCAN },
	  .text = { "It was made of about {packets:packets}, {octets:octets} in all.", "Elle comptait environ {packets:packets}, soit {octets:octets} en tout." } },
	{ .name = "senders", .section = "numbers", .kinds = K(POSTMORTEM) | K(NIS2_MONTH), .when = { { "spoofing", STATEMENT_IS_NOT, "spoofed" }, NO_SCAN },
	  .text = { "About {sources:about} addresses sent them; an address is neither a machine nor a person.",
	            "Environ {sources:about} adresses les ont envoyés" T "; une adresse n’est ni une machine ni une personne." } },
	{ .name = "reports", .section = "numbers", .kinds = K(POSTMORTEM),
	  .text = { "{o_reports:count} {o_reports?report|reports} of users came in, {o_excess:count} of them beyond the usual.",
	            "{o_reports:count} {o_reports?signalement d’utilisateurs est parvenu|signalements d’utilisateurs sont parvenus}, dont {o_excess:count} au-delà de l’ordinaire." } },
	{ .name = "reports_shielded", .section = "numbers", .kinds = K(POSTMORTEM), .internal = true, .when = { { "o_shielded", STATEMENT_OVER, "0" } },
	  .text = { "{o_shielded:count} more were left out: they came from sources whose packets the shield was dropping.",
	            "{o_shielded:count} autres ont été écartés" T ": ils provenaient de sources dont le bouclier rejetait les paquets." } },
	{ .name = "said", .section = "numbers", .kinds = K(POSTMORTEM), .when = { { "statements", STATEMENT_OVER, "0" } },
	  .text = { "We published {statements:count} {statements?statement|statements} about it.",
	            "Nous avons publié {statements:count} {statements?communiqué|communiqués} à ce sujet." } },
	{ .name = "target", .section = "numbers", .kinds = GOING_ON | K(POSTMORTEM) | LAWS, .internal = true,
	  .text = { "Target: {target:text}; largest part: {vector_title:text}.", "Cible" T ": {target:text}" T "; part principale" T ": {vector_title:text}." } },
	{ .name = "rule", .section = "numbers", .kinds = K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .internal = true,
	  .text = { "Rule ({rule_action:action}): {rule_match:text}; it matches {rule_coverage:share_down} of the attack's packets.",
	            "Règle ({rule_action:action})" T ": {rule_match:text}" T "; elle couvre {rule_coverage:share_down} des paquets de l’attaque." } },
	{ .name = "family", .section = "numbers", .kinds = K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .internal = true,
	  .text = { "Packets are consistent with {family:text} ({family_mark:text}); a mark can be copied.",
	            "Des paquets sont compatibles avec {family:text} ({family_mark:text})" T "; une marque se copie." } },
	{ .name = "cost", .section = "numbers", .kinds = K(POSTMORTEM), .internal = true,
	  .text = { "To rent such an attack has been offered for up to {cost_high:about} US dollars.",
	            "La location d’une telle attaque a été proposée jusqu’à {cost_high:about} dollars des États-Unis." } },

	/* ---- laws: nothing of these is public ---- */
	{ .name = "law_24h", .section = "law", .kinds = K(NIS2_24H), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "Early warning under Article 23(4)(a) of Directive (EU) 2022/2555. A draft, to be checked by counsel, also as to what national law asks for.",
	            "Alerte précoce au titre de l’article 23, paragraphe 4, point a), de la directive (UE) 2022/2555. Projet, à vérifier par un juriste, y compris au regard du droit national." } },
	{ .name = "law_72h", .section = "law", .kinds = K(NIS2_72H), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "Incident notification under Article 23(4)(b) of Directive (EU) 2022/2555. A draft, to be checked by counsel, also as to what national law asks for.",
	            "Notification d’incident au titre de l’article 23, paragraphe 4, point b), de la directive (UE) 2022/2555. Projet, à vérifier par un juriste, y compris au regard du droit national." } },
	{ .name = "law_month", .section = "law", .kinds = K(NIS2_MONTH), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "Final report under Article 23(4)(d) of Directive (EU) 2022/2555; while the incident lasts, a progress report under point (e) instead. A draft, to be checked by counsel.",
	            "Rapport final au titre de l’article 23, paragraphe 4, point d), de la directive (UE) 2022/2555" T "; tant que l’incident dure, rapport d’avancement au titre du point e). Projet, à vérifier par un juriste." } },
	{ .name = "law_gdpr", .section = "law", .kinds = K(GDPR_33), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "Notification to the supervisory authority under Article 33 of Regulation (EU) 2016/679. A draft, to be checked by counsel, who also decides whether there is a personal data breach at all.",
	            "Notification à l’autorité de contrôle au titre de l’article 33 du règlement (UE) 2016/679. Projet, à vérifier par un juriste, qui décide aussi s’il y a violation de données à caractère personnel." } },
	{ .name = "aware", .section = "law", .kinds = LAWS, .internal = true,
	  .text = { "Known since {aware:time}, as {aware_by:text} has noted.", "Connu depuis le {aware:time}, comme l’a noté {aware_by:text}." } },
	{ .name = "due_24h", .section = "law", .kinds = K(NIS2_24H), .internal = true,
	  .text = { "Due without undue delay, by {due_24h:time} at the latest.", "À transmettre sans retard injustifié, au plus tard le {due_24h:time}." } },
	{ .name = "due_72h", .section = "law", .kinds = K(NIS2_72H), .internal = true,
	  .text = { "Due without undue delay, by {due_72h:time} at the latest.", "À transmettre sans retard injustifié, au plus tard le {due_72h:time}." } },
	{ .name = "due_month", .section = "law", .kinds = K(NIS2_MONTH), .internal = true,
	  .text = { "Due by {due_month:time} at the latest.", "À transmettre au plus tard le {due_month:time}." } },
	{ .name = "due_gdpr", .section = "law", .kinds = K(GDPR_33), .internal = true,
	  .text = { "Due without undue delay and, where feasible, by {due_gdpr:time}; later only with the reasons for the delay.",
	            "À transmettre dans les meilleurs délais et, si possible, au plus tard le {due_gdpr:time}" T "; passé ce délai, avec les motifs du retard." } },
	{ .name = "significant", .section = "law", .kinds = K(NIS2_24H) | K(NIS2_72H) | K(NIS2_MONTH), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "Whether it is significant: Article 23(3) of that Directive; for the kinds of providers that it names, Implementing Regulation (EU) 2024/2690, for social networking platforms its Article 13 (unavailable or limited for more than 5" T "% or more than one million of its users in the Union).",
	            "Caractère important" T ": article 23, paragraphe 3, de cette directive" T "; pour les fournisseurs qu’il désigne, règlement d’exécution (UE) 2024/2690, dont l’article 13 pour les plateformes de réseaux sociaux (indisponibilité ou limitation pour plus de 5" T "% ou plus d’un million de leurs utilisateurs dans l’Union)." } },
	{ .name = "law_attack", .section = "nature", .kinds = LAWS, .internal = true, .when = { NO_SCAN },
	  .text = { "A denial-of-service attack was recorded from {began:time} on: an unlawful or malicious act is suspected. Kind of traffic: {vector:vector}.",
	            "Une attaque par déni de service a été enregistrée à partir du {began:time}" T ": un acte illicite ou malveillant est soupçonné. Nature du trafic" T ": {vector:vector}." } },
	{ .name = "law_ended", .section = "nature", .kinds = LATER, .internal = true, .when = { NO_SCAN, IS_OVER },
	  .text = { "It lasted until {ended:time}, {began,ended:span}.", "Elle a duré jusqu’au {ended:time}, soit {began,ended:span}." } },
	{ .name = "law_goes_on", .section = "nature", .kinds = LAWS, .internal = true, .when = { NO_SCAN, GOES_ON },
	  .text = { "It was going on when this was drafted (state: {state:text}).", "Elle durait encore lors de la rédaction (état" T ": {state:text})." } },
	{ .name = "law_availability", .section = "nature", .kinds = K(GDPR_33), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "What is measured here is availability. Packets at the network's edge cannot show whether personal data were read, altered or lost.",
	            "Ce qui est mesuré ici est la disponibilité. Les paquets vus à l’entrée du réseau ne montrent pas si des données à caractère personnel ont été lues, altérées ou perdues." } },
	{ .name = "law_filter", .section = "measures", .kinds = LATER, .internal = true, .when = { { "dropped", STATEMENT_OVER, "0" } },
	  .text = { "Filters against it were made from {rule_first:time} on; they dropped about {dropped:packets}.",
	            "Des filtres ont été établis à partir du {rule_first:time}" T "; ils ont rejeté environ {dropped:packets}." } },
	{ .name = "ask_border", .section = "open", .kinds = K(NIS2_24H) | K(NIS2_72H) | K(NIS2_MONTH), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "Could it have an impact in other Member States? Which, and why?", "Peut-elle avoir un impact dans d’autres États membres" T "? Lesquels, et pourquoi" T "?" } },
	{ .name = "ask_severity", .section = "open", .kinds = K(NIS2_72H) | K(NIS2_MONTH), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "How severe is it: users concerned, duration, financial loss, harm to others?", "Quelle est sa gravité" T ": utilisateurs touchés, durée, pertes financières, préjudice à des tiers" T "?" } },
	{ .name = "ask_cause", .section = "open", .kinds = K(NIS2_MONTH), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "What is the root cause, and which measures are taken or under way?", "Quelle en est la cause profonde, et quelles mesures sont prises ou en cours" T "?" } },
	{ .name = "ask_data", .section = "open", .kinds = K(GDPR_33), .internal = true, .basis = STATEMENT_FORM,
	  .text = { "Which categories and about how many data subjects and records are concerned; what are the likely consequences; who is the contact (data protection officer)?",
	            "Quelles catégories et combien environ de personnes et d’enregistrements sont concernés" T "; quelles sont les conséquences probables" T "; qui est le contact (délégué à la protection des données)" T "?" } },

	/* ---- at the end of each ---- */
	{ .name = "detail", .section = "what", .kinds = FIRST | TOLD, .basis = STATEMENT_WORD,
	  .text = { "{detail:text}", "{detail:text}" } },
	{ .name = "who", .section = "unknown", .kinds = K(RESOLUTION) | K(POSTMORTEM) | K(NIS2_72H) | K(NIS2_MONTH), .basis = STATEMENT_FORM,
	  .when = { NO_SCAN },
	  .text = { "Packets do not show who is behind an attack.", "Les paquets ne montrent pas qui est derrière une attaque." } },
	{ .name = "investigating", .kinds = FIRST, .basis = STATEMENT_FORM, .text = { "We are investigating.", "Nous en cherchons la cause." } },
	{ .name = "identified", .kinds = K(UPDATE), .basis = STATEMENT_WORD, .when = { { "phase", STATEMENT_IS, "identified" } },
	  .text = { "We know the cause, and are working on it.", "Nous en connaissons la cause et y travaillons." } },
	{ .name = "monitoring", .kinds = K(UPDATE), .basis = STATEMENT_WORD, .when = { { "phase", STATEMENT_IS, "monitoring" } },
	  .text = { "A remedy is in place; we are watching whether it holds.", "Un remède est en place" T "; nous vérifions qu’il tient." } },
	{ .name = "next", .kinds = FIRST | GOING_ON, .basis = STATEMENT_WORD,
	  .text = { "Next update by {next:clock}.", "Prochain point au plus tard à {next:clock}." } },
};
/* clang-format on */

const size_t statement_templates_count = COUNT(statement_templates);

const struct statement_fact *statement_fact_find(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT(facts); i++)
		if (strlen(facts[i].name) == length && memcmp(facts[i].name, name, length) == 0)
			return &facts[i];
	return NULL;
}

unsigned statement_section(const char *section)
{
	unsigned at = 0;

	while (at < COUNT(headings) && !(section && strcmp(headings[at].name, section) == 0))
		at++;
	return at;
}

const char *statement_heading(const char *section, enum language language)
{
	unsigned at = statement_section(section);

	return at < COUNT(headings) ? headings[at].words[language] : "";
}

const char *statement_title_of(enum statement_kind kind, enum language language)
{
	return titles[kind][language];
}
