/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture NAME FOLDER: the status page of a made-up site, always the same octets: what the golden pages are compared
 * with and what browsers are shown. NAME: calm, outage, hostile, empty.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tell/report_form.h"
#include "tell/status.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define NOW 1795772400000000000LL /* 2026-11-27 09:40:00 */
#define POINTS 96
#define HOSTILE "</p><script>alert(1)</script>\"'&amp;\xe2\x80\xae\xff<b onmouseover=alert(2)>"

static const struct status_change web[] = {
	{ NOW - 71 * DAY, COMPONENT_DEGRADED },          { NOW - 71 * DAY + 2 * HOUR, COMPONENT_OPERATIONAL },
	{ NOW - 44 * DAY, COMPONENT_PARTIAL_OUTAGE },    { NOW - 44 * DAY + 3 * HOUR, COMPONENT_OPERATIONAL },
	{ NOW - 9 * DAY, COMPONENT_MAINTENANCE },        { NOW - 9 * DAY + 90 * MINUTE, COMPONENT_OPERATIONAL },
	{ NOW - 38 * MINUTE, COMPONENT_PARTIAL_OUTAGE },
};
static const struct status_change login[] = {
	{ NOW - 44 * DAY, COMPONENT_MAJOR_OUTAGE },    { NOW - 44 * DAY + 7 * HOUR, COMPONENT_OPERATIONAL },
	{ NOW - 30 * DAY, COMPONENT_DEGRADED },        { NOW - 30 * DAY + 40 * MINUTE, COMPONENT_OPERATIONAL },
	{ NOW - 35 * MINUTE, COMPONENT_MAJOR_OUTAGE },
};
static const struct status_change mail[] = {
	{ NOW - 5 * DAY, COMPONENT_DEGRADED },
	{ NOW - 5 * DAY + 11 * HOUR, COMPONENT_OPERATIONAL },
};

#define CHANGES(list) .changes = (list), .changes_count = sizeof(list) / sizeof((list)[0])
#define COMPONENT(id_, group_, en, fr)                                                                     \
	.id = (id_), .group = (group_), .showcase = true, .name = { en, fr }, .start_ns = NOW - 400 * DAY, \
	.created_ns = NOW - 400 * DAY, .updated_ns = NOW - 400 * DAY

static struct status_component components[] = {
	{ COMPONENT("public", "", "Public services", "Services publics"), .description = { "", "" }, .is_group = true },
	{ COMPONENT("web", "public", "Website", "Site web"),
	  .description = { "Pages, search and downloads", "Pages, recherche et téléchargements" }, CHANGES(web) },
	{ COMPONENT("login", "public", "Login", "Connexion"),
	  .description = { "Signing in and registration", "Connexion et inscription" }, CHANGES(login) },
	{ COMPONENT("api", "public", "API", "API"), .description = { "", "" } },
	{ COMPONENT("post", "", "Post", "Courrier"), .description = { "", "" }, .is_group = true },
	{ COMPONENT("mail", "post", "Mail", "Messagerie"),
	  .description = { "Sending and receiving", "Envoi et réception" }, CHANGES(mail) },
	{ COMPONENT("push", "post", "Notifications", "Notifications"), .description = { "", "" } },
};

static const struct status_effect effects[] = {
	{ "web", COMPONENT_OPERATIONAL, COMPONENT_PARTIAL_OUTAGE },
	{ "login", COMPONENT_OPERATIONAL, COMPONENT_MAJOR_OUTAGE },
};

#define AT(ns) .created_ns = (ns), .updated_ns = (ns), .display_ns = (ns)
static const struct status_update now_updates[] = {
	{ .id = "s9",
	  .phase = STATUS_IDENTIFIED,
	  AT(NOW - 6 * MINUTE),
	  .body = { "The website is flooded with packets that nobody asked for, since 09:02 UTC. A rule that stops 99 % of them is in force since 09:26 UTC; pages load again for most. Signing in still fails for many.\n\nNext update by 10:10 UTC.",
	            "Le site web reçoit depuis 09:02 UTC un flot de paquets que personne n’a demandés. Une règle qui en arrête 99 % est en vigueur depuis 09:26 UTC ; les pages s’affichent à nouveau pour la plupart. La connexion échoue encore pour beaucoup.\n\nProchaine mise à jour avant 10:10 UTC." },
	  .effects = effects,
	  .effects_count = 2 },
	{ .id = "s8",
	  .phase = STATUS_INVESTIGATING,
	  AT(NOW - 20 * MINUTE),
	  .correction = true,
	  .body = { "We wrote that mail was affected. It was not: only the website and signing in are.",
	            "Nous avons écrit que la messagerie était touchée. Elle ne l’était pas : seuls le site web et la connexion le sont." },
	  .effects = effects,
	  .effects_count = 2 },
	{ .id = "s7",
	  .phase = STATUS_INVESTIGATING,
	  AT(NOW - 32 * MINUTE),
	  .corrected = true,
	  .body = { "Since 09:02 UTC some people cannot reach us. We are investigating. Mail is affected as well. Next update by 09:40 UTC.",
	            "Depuis 09:02 UTC, certaines personnes ne peuvent pas nous joindre. Nous cherchons pourquoi. La messagerie est touchée aussi. Prochaine mise à jour avant 09:40 UTC." },
	  .effects = effects,
	  .effects_count = 2 },
};
static const struct status_update old_updates[] = {
	{ .id = "s6",
	  .phase = STATUS_POSTMORTEM,
	  AT(NOW - 41 * DAY),
	  .body = { "A change of ours sent all sign-ins to one server, which could not bear them. It was taken back after seven hours. From now on such changes are tried on one part of the traffic first.",
	            "" } },
	{ .id = "s5",
	  .phase = STATUS_RESOLVED,
	  AT(NOW - 44 * DAY + 7 * HOUR),
	  .body = { "Signing in works again for all.", "La connexion fonctionne de nouveau pour tous." } },
	{ .id = "s4",
	  .phase = STATUS_INVESTIGATING,
	  AT(NOW - 44 * DAY + 20 * MINUTE),
	  .body = { "Since 09:40 UTC nobody can sign in. We are investigating.",
	            "Depuis 09:40 UTC, personne ne peut se connecter. Nous cherchons pourquoi." } },
};
static const struct status_update slow_updates[] = {
	{ .id = "s3",
	  .phase = STATUS_RESOLVED,
	  AT(NOW - 5 * DAY + 11 * HOUR),
	  .body = { "Mail is delivered without delay again.", "Le courrier est de nouveau distribué sans retard." } },
	{ .id = "s2",
	  .phase = STATUS_INVESTIGATING,
	  AT(NOW - 5 * DAY + 30 * MINUTE),
	  .body = { "Mail arrives up to an hour late.", "Le courrier arrive avec jusqu’à une heure de retard." } },
};
static const struct status_update works_updates[] = {
	{ .id = "m4",
	  .phase = STATUS_SCHEDULED,
	  AT(NOW - 2 * DAY),
	  .body = { "Two routers are replaced, one after the other. Mail may pause for a few minutes; none is lost.",
	            "Deux routeurs sont remplacés, l’un après l’autre. Le courrier peut s’arrêter quelques minutes ; rien n’est perdu." } },
};

static const char *const both[] = { "web", "login" }, *const only_login[] = { "login" },
			 *const only_mail[] = { "mail" };

static struct status_incident incidents[] = {
	{ .id = "m4",
	  .name = { "New routers", "Nouveaux routeurs" },
	  .phase = STATUS_SCHEDULED,
	  .created_ns = NOW - 2 * DAY,
	  .updated_ns = NOW - 2 * DAY,
	  .started_ns = NOW + 4 * DAY,
	  .scheduled_from_ns = NOW + 4 * DAY,
	  .scheduled_until_ns = NOW + 4 * DAY + 2 * HOUR,
	  .components = only_mail,
	  .components_count = 1,
	  .updates = works_updates,
	  .updates_count = 1 },
	{ .id = "i7",
	  .name = { "Website and login hard to reach", "Site web et connexion difficiles à joindre" },
	  .phase = STATUS_IDENTIFIED,
	  .impact = STATUS_CRITICAL,
	  .created_ns = NOW - 32 * MINUTE,
	  .updated_ns = NOW - 6 * MINUTE,
	  .started_ns = NOW - 38 * MINUTE,
	  .components = both,
	  .components_count = 2,
	  .updates = now_updates,
	  .updates_count = 3 },
	{ .id = "i2",
	  .name = { "Mail is late", "Courrier en retard" },
	  .phase = STATUS_RESOLVED,
	  .impact = STATUS_MINOR,
	  .created_ns = NOW - 5 * DAY + 30 * MINUTE,
	  .updated_ns = NOW - 5 * DAY + 11 * HOUR,
	  .started_ns = NOW - 5 * DAY,
	  .resolved_ns = NOW - 5 * DAY + 11 * HOUR,
	  .components = only_mail,
	  .components_count = 1,
	  .updates = slow_updates,
	  .updates_count = 2 },
	{ .id = "i4",
	  .name = { "Nobody can sign in", "Personne ne peut se connecter" },
	  .phase = STATUS_POSTMORTEM,
	  .impact = STATUS_CRITICAL,
	  .created_ns = NOW - 44 * DAY + 20 * MINUTE,
	  .updated_ns = NOW - 41 * DAY,
	  .started_ns = NOW - 44 * DAY,
	  .resolved_ns = NOW - 44 * DAY + 7 * HOUR,
	  .components = only_login,
	  .components_count = 1,
	  .updates = old_updates,
	  .updates_count = 3 },
};

static uint64_t reports[POINTS], answered[POINTS];
static bool gaps[POINTS];

static struct status_series series[] = {
	{ .id = "reports",
	  .title = { "Reports of trouble, every 15 minutes", "Signalements de difficultés, par quart d’heure" },
	  .meaning = { "What people told us through this site’s form, and what browsers report by themselves. Rounded to 5; fewer than 10 are shown as none.",
	               "Ce que les gens nous ont signalé par le formulaire de ce site, et ce que les navigateurs signalent d’eux-mêmes. Arrondi à 5 ; moins de 10 est montré comme rien." },
	  .from_ns = NOW - POINTS * 15 * MINUTE,
	  .step_ns = 15 * MINUTE,
	  .count = POINTS,
	  .values = reports },
	{ .id = "answered",
	  .title = { "Requests answered, every 15 minutes", "Requêtes servies, par quart d’heure" },
	  .meaning = { "Requests to the website that got an answer that was no error of ours. Grey: not measured.",
	               "Requêtes au site web qui ont reçu une réponse sans erreur de notre part. En gris : non mesuré." },
	  .from_ns = NOW - POINTS * 15 * MINUTE,
	  .step_ns = 15 * MINUTE,
	  .count = POINTS,
	  .values = answered,
	  .gaps = gaps,
	  .good = true },
};

static void fill_series(void)
{
	uint32_t noise = 12345;

	for (unsigned i = 0; i < POINTS; i++) {
		noise = noise * 1103515245 + 12345;
		reports[i] = noise >> 28 > 12 ? 10 : 0;
		answered[i] = 14000 + (noise >> 20) % 900 + 11000 * (i > 60 ? i - 60 : 60 - i) / 60;
		gaps[i] = i >= 30 && i < 34;
		if (gaps[i])
			answered[i] = 0;
		if (i >= 93) {
			reports[i] = (i == 93 ? 120 : 420) + 5 * ((noise >> 22) % 60);
			answered[i] = answered[i] / (i == 95 ? 2 : 4);
		}
	}
}

static struct status_page page = {
	.title = { "Example", "Exemple" },
	.url = "https://status.example.org",
	.key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
	.languages = { LANGUAGE_EN, LANGUAGE_FR },
	.languages_count = 2,
	.generated_ns = NOW,
	.stale_ns = NOW + 15 * MINUTE,
	.components = components,
	.components_count = sizeof(components) / sizeof(components[0]),
	.incidents = incidents,
	.incidents_count = sizeof(incidents) / sizeof(incidents[0]),
	.series = series,
	.series_count = sizeof(series) / sizeof(series[0]),
};

static void make_calm(void)
{
	components[1].changes_count -= 1;
	components[2].changes_count -= 1;
	incidents[1].phase = STATUS_RESOLVED;
	page.incidents = &incidents[2];
	page.incidents_count = 2;
	page.series_count = 0;
}

static void make_hostile(void)
{
	static struct status_update update = { .id = "s1",
		                               .phase = STATUS_INVESTIGATING,
		                               AT(NOW - HOUR),
		                               .body = { HOSTILE "\n\n" HOSTILE "\n" HOSTILE, "" },
		                               .withdrawn = HOSTILE };

	for (unsigned i = 0; i < page.components_count; i++)
		components[i].name[0] = components[i].name[1] = components[i].description[0] =
			components[i].description[1] = HOSTILE;
	for (unsigned i = 0; i < page.incidents_count; i++) {
		incidents[i].name[0] = HOSTILE;
		incidents[i].name[1] = "";
		incidents[i].updates = &update;
		incidents[i].updates_count = 1;
	}
	for (unsigned i = 0; i < page.series_count; i++)
		series[i].title[0] = series[i].meaning[0] = HOSTILE;
	page.title[0] = page.title[1] = HOSTILE;
}

static void make_empty(void)
{
	page.components_count = page.incidents_count = page.series_count = 0;
	page.url = page.key = "";
	page.title[LANGUAGE_FR] = "";
	page.languages[0] = LANGUAGE_FR;
	page.languages_count = 1;
}

static int put(void *context, const char *path, const char *type, const char *octets, size_t length)
{
	char name[512];
	FILE *file;
	int result;

	(void)type;
	(void)snprintf(name, sizeof(name), "%s/%s", (const char *)context, path);
	for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(name, 0755) != 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	file = fopen(name, "wbe");
	if (!file)
		return -errno;
	result = fwrite(octets, 1, length, file) == length ? 0 : -EIO;
	return fclose(file) == 0 ? result : -EIO;
}

/* The page by which users report: empty, and with what was wrong in it. */
static int put_forms(void *context)
{
	static const struct report_form_component choices[] = { { "site", "Site web" }, { "api", "API <&>" } };
	static const struct report_form filled = { .component = "api", .symptom = SYMPTOM_SLOW, .region = "FR-IDF" };
	const struct report_form_page forms[] = {
		{ .language = LANGUAGE_EN, .title = "Example", .whole = "service", .nonce = "0123" },
		{ .language = LANGUAGE_FR,
		  .state = REPORT_FORM_AGAIN,
		  .title = "Exemple",
		  .components = choices,
		  .components_count = 2,
		  .nonce = "0123",
		  .filled = &filled },
		{ .language = LANGUAGE_FR, .state = REPORT_FORM_TAKEN, .title = "" },
	};
	static const char *const names[] = { "index.html", "fr.html", "taken.html" };
	int failed = 0;

	for (unsigned i = 0; i < 3 && !failed; i++) {
		char *text = NULL;
		size_t length = 0;
		FILE *out = open_memstream(&text, &length);

		failed = !out || report_form_write(out, &forms[i]) != 0;
		if (out)
			failed = fclose(out) != 0 || failed;
		failed = failed || put(context, names[i], "text/html", text, length) != 0;
		free(text);
	}
	return failed;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "form") == 0)
		return put_forms(argv[2]);
	fill_series();
	if (strcmp(argv[1], "calm") == 0)
		make_calm();
	else if (strcmp(argv[1], "hostile") == 0)
		make_hostile();
	else if (strcmp(argv[1], "empty") == 0)
		make_empty();
	else if (strcmp(argv[1], "outage") != 0)
		return 2;
	return status_files(&page, put, argv[2]) == 0 ? 0 : 1;
}
