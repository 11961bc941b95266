/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: defaults, every key, bounds, and mistakes to the letter, each with its place. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/config.h"
#include "daemon/page_settings.h"

static struct config_errors errors;

static int parse(const char *text, struct config *config)
{
	errors.count = 0;
	errors.more = 0;
	return config_parse(text, strlen(text), "f.yaml", config, &errors);
}

static struct config good(const char *text)
{
	struct config config;

	if (parse(text, &config) != 0)
		fail_msg("%s", errors.count ? errors.lines[0] : "no error");
	return config;
}

static void assert_defaults(const struct config *config)
{
	assert_false(config->enforce);
	assert_string_equal(config->user, "holdfast");
	assert_string_equal(config->state_dir, "/var/lib/holdfast");
	assert_string_equal(config->run_dir, "/run/holdfast");
	assert_string_equal(config->bpffs_dir, "/sys/fs/bpf/holdfast");
	assert_string_equal(config->geo, "/var/lib/holdfast/geo");
	assert_string_equal(config->prices, "");
	assert_int_equal(config->interface_count, 0);
	assert_false(config->generic);
	assert_true(config->nftables);
	assert_int_equal(config->block_capacity, 1048576);
	assert_int_equal(config->sample_budget, 20000);
	assert_int_equal(config->block_for_ns, 3600 * NS_PER_S);
	assert_int_equal(config->incidents_max, 1024);
	assert_int_equal(config->streams_max, 64);
	assert_int_equal(config->stream_mib, 256);
	assert_int_equal(config->streams_mib, 4096);
	assert_int_equal(config->management_ports.count, 1);
	assert_int_equal(config->management_ports.ports[0], 22);
	assert_int_equal(config->management_from.count, 0);
	assert_int_equal(config->service_count, 0);
	assert_int_equal(config->allow.count, 0);
	assert_int_equal(config->trusted_proxies.count, 0);
	assert_int_equal(config->allow_file_count, 0);
	assert_int_equal(config->block_file_count, 0);
}

static void defaults(void **state)
{
	static const char *const texts[] = {
		"",
		"# nothing\n",
		"---\n",
		"mode: observe\n",
		"shield:\nservices:\nallow:\n",
		"services: []\n",
		"shield: {}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config config = good(texts[i]);

		assert_defaults(&config);
		config_fini(&config);
	}
}

static void geo_can_be_off(void **state)
{
	struct config config = good("geo: off\n");

	(void)state;
	assert_string_equal(config.geo, "");
	config_fini(&config);
}

static void every_key(void **state)
{
	static const char text[] =
		"mode: enforce\n"
		"user: guard\n"
		"state_dir: /srv/state\n"
		"run_dir: /srv/run\n"
		"bpffs_dir: /sys/fs/bpf/x\n"
		"geo: /srv/geo\n"
		"prices: /srv/prices.json\n"
		"record: { incidents_max: 5, streams_max: 6, stream_mib: 7, streams_mib: 8 }\n"
		"shield:\n"
		"  interfaces: [eth0, bond1.100]\n"
		"  generic: true\n"
		"  nftables: no\n"
		"  block_capacity: 4194304\n"
		"  sample_budget: 0\n"
		"  block_for: 1d12h\n"
		"  management: { ports: [22, 2222], from: [192.0.2.0/24, \"2001:db8::/32\"] }\n"
		"services:\n"
		"  - { name: web, addresses: [192.0.2.10, \"2001:db8::10\"], tcp: [80, 443], udp: [443],\n"
		"      path: forwarded, syn_cookies: true, per_source_pps: 500,\n"
		"      fallback: prefer_known }\n"
		"  - name: dns\n"
		"    addresses: [192.0.2.53]\n"
		"    udp: [53]\n"
		"allow: [198.51.100.0/24]\n"
		"allow_files: [/etc/a, /etc/b]\n"
		"block_files: [/etc/c]\n"
		"trusted_proxies: [203.0.113.1, 203.0.113.2]\n"
		"alerts:\n"
		"  - { name: pager, type: pagerduty, key_file: /etc/k, min_pps: 5000 }\n"
		"  - { name: fnm, type: script, script: /usr/local/bin/notify }\n"
		"logs:\n"
		"  - { component: web, file: /var/log/nginx/access.log }\n"
		"  - { component: api, syslog: \"[2001:db8::1]:5514\", from: [\"2001:db8::/32\"], format: haproxy, zone: \"-0330\" }\n";
	struct config config = good(text);
	char printed[PREFIX_TEXT_SIZE];

	(void)state;
	assert_true(config.enforce);
	assert_string_equal(config.user, "guard");
	assert_string_equal(config.state_dir, "/srv/state");
	assert_string_equal(config.run_dir, "/srv/run");
	assert_string_equal(config.bpffs_dir, "/sys/fs/bpf/x");
	assert_string_equal(config.geo, "/srv/geo");
	assert_string_equal(config.prices, "/srv/prices.json");
	assert_int_equal(config.log_count, 2);
	assert_string_equal(config.logs[0].file, "/var/log/nginx/access.log");
	assert_int_equal(config.logs[0].format, ACCESS_AUTO);
	assert_string_equal(config.logs[1].component, "api");
	assert_int_equal(config.logs[1].port, 5514);
	assert_int_equal(config.logs[1].from.count, 1);
	assert_int_equal(config.logs[1].format, ACCESS_HAPROXY);
	assert_int_equal(config.logs[1].zone_s, -(3 * 3600 + 1800));
	assert_int_equal(config.interface_count, 2);
	assert_string_equal(config.interfaces[1], "bond1.100");
	assert_true(config.generic);
	assert_false(config.nftables);
	assert_int_equal(config.block_capacity, 4194304);
	assert_int_equal(config.sample_budget, 0);
	assert_int_equal(config.incidents_max, 5);
	assert_int_equal(config.streams_max, 6);
	assert_int_equal(config.stream_mib, 7);
	assert_int_equal(config.streams_mib, 8);
	assert_int_equal(config.block_for_ns, 36 * 3600 * NS_PER_S);
	assert_int_equal(config.management_ports.count, 2);
	assert_int_equal(config.management_ports.ports[1], 2222);
	assert_string_equal(prefix_format(&config.management_from.prefixes[1], printed), "2001:db8::/32");
	assert_int_equal(config.service_count, 2);
	assert_string_equal(config.services[0].name, "web");
	assert_int_equal(config.services[0].addresses.count, 2);
	assert_int_equal(config.services[0].tcp.ports[1], 443);
	assert_int_equal(config.services[0].udp.count, 1);
	assert_true(config.services[0].forwarded);
	assert_int_equal(config.services[0].per_source_pps, 500);
	assert_int_equal(config.services[0].syn_cookies, SHIELD_COOKIES_TRUSTED);
	assert_int_equal(config.services[0].fallback, FALLBACK_PREFER_KNOWN);
	assert_string_equal(config.services[1].name, "dns");
	assert_false(config.services[1].forwarded);
	assert_int_equal(config.services[1].syn_cookies, SHIELD_COOKIES_AUTO);
	assert_int_equal(config.services[1].fallback, FALLBACK_LIMIT);
	assert_int_equal(config.services[1].tcp.count, 0);
	assert_int_equal(config.allow.count, 1);
	assert_int_equal(config.allow_file_count, 2);
	assert_string_equal(config.allow_files[1].path, "/etc/b");
	assert_int_equal(config.block_file_count, 1);
	assert_int_equal(config.trusted_proxies.count, 2);
	assert_int_equal(config.alert_count, 2);
	assert_int_equal(config.alerts[0].target.type, ALERT_PAGERDUTY);
	assert_int_equal(config.alerts[0].target.min_pps, 5000);
	assert_string_equal(config.alerts[0].key_file, "/etc/k");
	assert_string_equal(config.alerts[1].script, "/usr/local/bin/notify");
	config_fini(&config);
}

static void what_strangers_may_ask(void **state)
{
	struct config config = good("public: { listen: [127.0.0.1:8080, '[::1]:8080'], connections: 64, nel: false,\n"
	                            "  dropped: /srv/shield/dropped,\n"
	                            "  sites: [{ host: www.example.org, component: site }],\n"
	                            "  vantages: [{ name: paris-1, network: 64500, key_file: /etc/k }] }\n");

	(void)state;
	assert_int_equal(config.public_role.listen_count, 2);
	assert_string_equal(config.public_role.listen[1].text, "[::1]:8080");
	assert_int_equal(config.public_role.connections, 64);
	assert_int_equal(config.public_role.per_address, 32);
	assert_int_equal(config.public_role.network_reports, 300);
	assert_false(config.public_role.nel);
	assert_string_equal(config.public_role.dropped, "/srv/shield/dropped");
	assert_string_equal(config.public_role.component, "service");
	assert_int_equal(config.public_role.site_count, 1);
	assert_string_equal(config.public_role.sites[0].component, "site");
	assert_int_equal(config.public_role.vantage_count, 1);
	assert_int_equal(config.public_role.vantages[0].network, 64500);
	config_fini(&config);
}

#define SMTP(url) "page: { url: \"https://h.example/\" }\nmail: { smtp: \"" url "\", from: a@h.example }\n"
#define SMTP_WRONG(url) "f.yaml:2:15: smtp is '" url "'; write smtp://HOST:587 or smtps://HOST, no user in it"

static void mistakes_to_the_letter(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "mode: off\n", "f.yaml:1:7: mode is 'off'; write observe or enforce" },
		{ "mode:\n", "f.yaml:1:6: mode has no value; give one, or leave the key out" },
		{ "mode: [observe]\n", "f.yaml:1:7: mode is a list; it wants one value" },
		{ "\nmoed: observe\n", "f.yaml:2:1: there is no key 'moed' in the file; there are mode, user, state_dir, run_dir, "
		  "bpffs_dir, geo, prices, shield, record, services, allow, allow_files, block_files, trusted_proxies, alerts, page, public, probes, logs, mail, webhooks, console" },
		{ "user: root\n", "f.yaml:1:7: user is root; name one with no rights of its own, such as holdfast" },
		{ "user: a b\n", "f.yaml:1:7: user is 'a b', which cannot be a user's name; 'getent passwd' lists them" },
		{ "mode: observe\nmode: enforce\n", "f.yaml:2:1: mode comes twice in the file; which one shall hold?" },
		{ "state_dir: state\n", "f.yaml:1:12: state_dir is 'state'; write the whole path, from / on, without '..'" },
		{ "run_dir: /run/../x\n", "f.yaml:1:10: run_dir is '/run/../x'; write the whole path, from / on, without '..'" },
		{ "public: { dropped: here }\n", "f.yaml:1:20: dropped is 'here'; write the whole path, from / on, without '..'" },
		{ "geo: here\n", "f.yaml:1:6: geo is 'here'; write the whole path, from / on, without '..'" },
		{ "prices: here\n", "f.yaml:1:9: prices is 'here'; write the whole path, from / on, without '..'" },
		{ "prices: { hour: 5 }\n", "f.yaml:1:9: prices is a mapping; it wants one value" },
		{ "shield: eth0\n", "f.yaml:1:9: shield is one value; it wants keys and values: interfaces, generic, nftables, "
		  "block_capacity, sample_budget, block_for, management" },
		{ "record: { streams_max: 0 }\n", "f.yaml:1:24: streams_max is '0'; write a whole number from 1 to 16384" },
		{ "shield: { interfaces: eth0 }\n", "f.yaml:1:23: interfaces is one value; it wants a list: [...]" },
		{ "shield: { interfaces: [] }\n", "f.yaml:1:23: interfaces is empty; name at least one" },
		{ "shield: { interfaces: [a/b] }\n", "f.yaml:1:24: 'a/b' cannot be the name of an interface; 'ip link' lists those there are" },
		{ "shield: { interfaces: [an-interface-too-long] }\n", "f.yaml:1:24: 'an-interface-too-long' cannot be the name of an "
		  "interface; 'ip link' lists those there are" },
		{ "shield: { interfaces: [eth0, eth0] }\n", "f.yaml:1:30: interface eth0 is named twice; once is enough" },
		{ "shield: { block_capacity: 1023 }\n", "f.yaml:1:27: block_capacity is '1023'; write a whole number from 1024 to 4194304" },
		{ "shield: { sample_budget: -1 }\n", "f.yaml:1:26: sample_budget is '-1'; write a whole number from 0 to 1000000" },
		{ "shield: { sample_budget: 99999999999999999999 }\n", "f.yaml:1:26: sample_budget is '99999999999999999999'; write a whole "
		  "number from 0 to 1000000" },
		{ "services: [{ name: a, addresses: [192.0.2.1], syn_cookies: 2 }]\n",
		  "f.yaml:1:60: syn_cookies is '2'; write auto, true or false" },
		{ "services: [{ name: a, addresses: [192.0.2.1], fallback: yes }]\n",
		  "f.yaml:1:57: fallback is 'yes'; write none, limit or prefer_known" },
		{ "shield: { generic: maybe }\n", "f.yaml:1:20: generic is 'maybe'; write true or false" },
		{ "shield: { block_for: 91d }\n", "f.yaml:1:22: block_for is '91d'; write a time from 1s to 90d, such as 90s, 5m, 1h30m or 7d" },
		{ "shield: { block_for: 60 }\n", "f.yaml:1:22: block_for is '60'; write a time from 1s to 90d, such as 90s, 5m, 1h30m or 7d" },
		{ "shield: { management: { ports: [0] } }\n", "f.yaml:1:33: '0' is no port; write a number from 1 to 65535" },
		{ "shield: { management: { ports: [1,2,3], from: [192.0.2.1, 192.0.2.2, 192.0.2.3] } }\n", "f.yaml:1:1: management has 3 ports "
		  "times 3 networks, 9 ways in; at most 8, so name fewer, larger networks" },
		{ "allow: [192.0.2.1/24]\n", "f.yaml:1:9: '192.0.2.1/24' is no address or network; write 192.0.2.10, 192.0.2.0/24 or "
		  "\"2001:db8::/32\", host bits zero" },
		{ "services: [{ name: web, addresses: }]\n", "f.yaml:1:36: addresses is empty; name at least one" },
		{ "services: [{ name: web }]\n", "f.yaml:1:12: a service has no addresses; add it" },
		{ "services: [{ addresses: [192.0.2.1] }]\n", "f.yaml:1:12: a service has no name; add it" },
		{ "services: [{ name: w, addresses: [] }]\n", "f.yaml:1:34: addresses is empty; name at least one" },
		{ "services: [{ name: w, addresses: [192.0.2.1] }, { name: w, addresses: [192.0.2.2] }]\n",
		  "f.yaml:1:49: there are two services 'w'; give each a name of its own" },
		{ "services: [{ name: w, addresses: [192.0.2.1], path: far }]\n", "f.yaml:1:53: path is 'far'; write local or forwarded" },
		{ "mode: observe\n---\nmode: observe\n", "f.yaml:3:1: a second document begins; put all into one" },
		{ "[]\n", "f.yaml:1:1: the file is a list; it wants keys and values: mode, user, state_dir, run_dir, bpffs_dir, geo, prices, shield, record, "
		  "services, allow, allow_files, block_files, trusted_proxies, alerts, page, public, probes, logs, mail, webhooks, console" },
		{ "alerts: [{ name: a }]\n", "f.yaml:1:10: an alert has no type; add it" },
		{ "alerts: [{ name: a b, type: slack }]\n", "f.yaml:1:18: name is 'a b'; write letters, digits, '_', '-' and '.' only" },
		{ "logs: [{ component: Web, file: /a }]\n", "f.yaml:1:21: component is 'Web'; write 1 to 32 of a-z, 0-9 and -" },
		{ "logs: [{ component: web }]\n", "f.yaml:1:8: a log has neither file nor syslog; name a file or syslog, one of them" },
		{ "logs: [{ component: web, file: /a, syslog: \"127.0.0.1:5514\" }]\n",
		  "f.yaml:1:8: a log has a file and syslog; name a file or syslog, one of them" },
		{ "logs: [{ component: web, file: /a, from: [192.0.2.0/24] }]\n",
		  "f.yaml:1:8: from says who may send by syslog; a file has none, take it out" },
		{ "logs: [{ component: web, syslog: \"192.0.2.1:5514\" }]\n",
		  "f.yaml:1:8: anybody who reaches 192.0.2.1:5514 could send lines there; say from whom, as from: [192.0.2.0/24]" },
		{ "logs: [{ component: web, syslog: \"127.0.0.1:514\" }]\n",
		  "f.yaml:1:34: syslog is '127.0.0.1:514'; write an address and a port from 1024 on, such as 127.0.0.1:5514 or \"[::1]:5514\"" },
		{ "logs: [{ component: web, syslog: \"::1:5514\" }]\n",
		  "f.yaml:1:34: syslog is '::1:5514'; write an address and a port from 1024 on, such as 127.0.0.1:5514 or \"[::1]:5514\"" },
		{ "logs: [{ component: web, file: /a, format: squid }]\n", "f.yaml:1:44: format is 'squid'; write auto, combined, haproxy or json" },
		{ "logs: [{ component: web, file: /a, zone: CET }]\n", "f.yaml:1:42: zone is 'CET'; write hours and minutes east of UTC, as \"+02:00\"" },
		{ "logs: [{ component: web, file: /a }, { component: api, file: /a }]\n",
		  "f.yaml:1:7: /a is read twice, and would count twice; take one out" },
		{ "alerts: [{ name: a, type: pigeon }]\n", "f.yaml:1:27: type is 'pigeon'; there are pagerduty, slack, telegram, "
		  "alertmanager, webhook, script" },
		{ "alerts: [{ name: a, type: pagerduty }]\n", "f.yaml:1:10: an alert of type pagerduty has no key_file; name the file that "
		  "its key is in" },
		{ "alerts: [{ name: a, type: webhook }]\n", "f.yaml:1:10: an alert of type webhook has no url; name where it is" },
		{ "alerts: [{ name: a, type: telegram, key_file: /k }]\n", "f.yaml:1:10: an alert of type telegram has no chat; name the "
		  "chat's number" },
		{ "alerts: [{ name: a, type: script, script: /s, url: \"http://localhost/\" }]\n", "f.yaml:1:10: an alert of type script has "
		  "a url; take it out" },
		{ "alerts: [{ name: a, type: webhook, url: \"ftp://u:pw@h/\" }]\n", "f.yaml:1:41: url is none; write https://HOST/... or "
		  "http://HOST/..., no user in it" },
		{ "alerts: [{ name: a, type: webhook, url: \"http://h.example/\", key_file: /k }]\n", "f.yaml:1:10: the key of alert 'a' "
		  "would go over the network in the open; write https in its url" },
		{ "alerts: [{ name: a, type: script, script: /s }, { name: a, type: script, script: /t }]\n",
		  "f.yaml:1:49: there are two alerts 'a'; give each a name of its own" },
		{ "public: { listen: [8080] }\n", "f.yaml:1:20: '8080' is nothing to listen at; write 127.0.0.1:8080 or '[::1]:8080'" },
		{ "public: { component: A }\n", "f.yaml:1:22: component is 'A'; write up to 32 of a-z, 0-9 and '-', as `holdfast page "
		  "component` has it" },
		{ "public: { sites: [{ host: www.example.org }] }\n", "f.yaml:1:19: a site has no component; add it" },
		{ "public: { vantages: [{ name: a, network: 1, key_file: /k }, { name: a, network: 2, key_file: /l }] }\n",
		  "f.yaml:1:61: there are two vantage points 'a'; give each a name of its own" },
		{ "alerts: [null]\n", "f.yaml:1:10: an alert is empty; it wants a name and a type" },
		{ "mode: \"ob\\0serve\"\n", "f.yaml:1:7: mode has a NUL octet in it; take it out" },
		{ "mode: \"\\e[2J\"\n", "f.yaml:1:7: mode is '?[2J'; write observe or enforce" },
		{ "mode: {\n", "f.yaml:2:1: while parsing a flow node, did not find expected node content; this is no YAML" },
		{ "mode: *x\n", "f.yaml:1:7: found undefined alias; this is no YAML" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config;

		assert_int_equal(parse(cases[i].text, &config), -EINVAL);
		if (errors.count != 1 || strcmp(errors.lines[0], cases[i].error) != 0)
			fail_msg("'%s': %u errors, the first '%s'", cases[i].text, errors.count, errors.lines[0]);
	}
}

/* What is published, and to whom it goes. */
static void what_is_published(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *error; /* NULL: it is good */
	} cases[] = {
		{ "page: { languages: [fr, en], publish_every: off, targets: [{ name: a, rsync: \"u@h.example:/srv/page\" }] }\n", NULL },
		{ "page: { languages: [] }\n", "f.yaml:1:20: languages is empty; name at least one" },
		{ "page: { languages: [de] }\n", "f.yaml:1:21: 'de' is no language of ours; there are en, fr" },
		{ "page: { languages: [en, en] }\n", "f.yaml:1:25: language en is named twice; once is enough" },
		{ "page: { languages: [[en]] }\n", "f.yaml:1:21: a language is a list; it wants one value" },
		{ "page: { publish_every: 59s }\n",
		  "f.yaml:1:24: publish_every is '59s'; write a time from 1m to 1d, such as 90s, 5m, 1h30m or 7d" },
		{ "page: { publish_every: [off] }\n", "f.yaml:1:24: publish_every is a list; it wants one value" },
		{ "page: { stale_after: 0 }\n",
		  "f.yaml:1:22: stale_after is '0'; write a time from 1m to 30d, such as 90s, 5m, 1h30m or 7d" },
		{ "page: { url: \"javascript:x\" }\n",
		  "f.yaml:1:14: url is none; write https://HOST/... or http://HOST/..., no user in it" },
		{ "page: { targets: [{ name: a, rsync: \"-e sh:/\" }] }\n",
		  "f.yaml:1:37: rsync is '-e sh:/'; write user@host:/path, of letters, digits, '.', '_' and '-'" },
		{ "page: { targets: [{ name: a, rsync: \"h:relative\" }] }\n",
		  "f.yaml:1:37: rsync is 'h:relative'; write user@host:/path, of letters, digits, '.', '_' and '-'" },
		{ "page: { targets: [{ name: a, rsync: \"u@-h:/x\" }] }\n",
		  "f.yaml:1:37: rsync is 'u@-h:/x'; write user@host:/path, of letters, digits, '.', '_' and '-'" },
		{ "page: { targets: [{ name: a, rsync: \"h:/x;reboot\" }] }\n",
		  "f.yaml:1:37: rsync is 'h:/x;reboot'; write user@host:/path, of letters, digits, '.', '_' and '-'" },
		{ "page: { targets: [{ name: a }] }\n", "f.yaml:1:19: a target has no rsync; add it" },
		{ "page: { url: \"https://h.example/\" }\nmail: { smtp: \"smtp://m.example:587\", from: a@h.example }\n", NULL },
		{ "page: { url: \"https://h.example/\" }\nmail: { smtp: \"smtps://[2001:db8::1]\", from: a@h.example }\n", NULL },
		{ "mail: { smtp: \"smtp://m.example\", from: a@h.example }\n",
		  "f.yaml:1:1: mail has no page to lead to; say in page.url where the status page stands" },
		{ "mail: { from: a@h.example }\n", "f.yaml:1:7: mail has no smtp; add it" },
		{ SMTP("http://m.example"), SMTP_WRONG("http://m.example") },
		{ SMTP("smtp://"), SMTP_WRONG("smtp://") },
		{ SMTP("smtp://u:p@m.example"), SMTP_WRONG("smtp://u:p@m.example") },
		{ SMTP("smtp://m.example/x"), SMTP_WRONG("smtp://m.example/x") },
		{ SMTP("smtp://-m"), SMTP_WRONG("smtp://-m") },
		{ SMTP("smtp://[]"), SMTP_WRONG("smtp://[]") },
		{ SMTP("smtp://[::1"), SMTP_WRONG("smtp://[::1") },
		{ SMTP("smtp://m.example:"), SMTP_WRONG("smtp://m.example:") },
		{ SMTP("smtp://m.example:0"), SMTP_WRONG("smtp://m.example:0") },
		{ SMTP("smtp://m.example:65536"), SMTP_WRONG("smtp://m.example:65536") },
		{ SMTP("smtp://m.example:4294967883"), SMTP_WRONG("smtp://m.example:4294967883") },
		{ "page: { url: \"https://h.example/\" }\nmail: { smtp: \"smtp://m.example\", from: \"a b\" }\n",
		  "f.yaml:2:41: from is 'a b'; write an address, such as status@example.org" },
		{ "page: { url: \"https://h.example/\" }\nmail: { smtp: \"smtp://m.example\", from: a@h.example, user: a }\n",
		  "f.yaml:1:1: mail has a user and no password_file; name both, or neither where the server asks nobody who he is" },
		{ "page: { url: \"https://h.example/\" }\nmail: { smtp: \"smtp://m.example\", from: a@h.example, password_file: /p }\n",
		  "f.yaml:1:1: mail has a password_file and no user; name both, or neither where the server asks nobody who he is" },
		{ "page: { url: \"https://h.example/\" }\nmail: { smtp: \"smtp://m.example\", from: a@h.example, tls: none }\n",
		  "f.yaml:1:1: mail would go over the network in the open; tls: none is for a server on this host" },
		{ "page: { url: \"https://h.example/\" }\nmail: { smtp: \"smtp://localhost.example\", from: a@h.example, tls: none }\n",
		  "f.yaml:1:1: mail would go over the network in the open; tls: none is for a server on this host" },
		{ "webhooks: [{ name: a, url: \"https://w.example/\", secret_file: /k, components: [web, api] }]\n", NULL },
		{ "webhooks: [{ name: a, url: \"https://w.example/\" }]\n", "f.yaml:1:12: a webhook has no secret_file; add it" },
		{ "webhooks: [{ name: a, url: \"https://w.example/\", secret_file: /k, components: [Web] }]\n",
		  "f.yaml:1:80: 'Web' is no component's ID; 'holdfast page component list' lists them" },
		{ "webhooks: [{ name: a, url: \"https://w.example/\", secret_file: /k, components: [[web]] }]\n",
		  "f.yaml:1:80: a component is a list; it wants one value" },
		{ "webhooks: [{ name: a, url: \"https://w.example/\", secret_file: /k, components: web }]\n",
		  "f.yaml:1:79: components is one value; it wants a list: [...]" },
		{ "webhooks: { name: a }\n", "f.yaml:1:11: webhooks is a mapping; it wants a list: [...]" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config;
		int result = parse(cases[i].text, &config);

		if (result == 0)
			config_fini(&config);
		if (result != (cases[i].error ? -EINVAL : 0) ||
		    (result != 0 && (errors.count != 1 || strcmp(errors.lines[0], cases[i].error) != 0)))
			fail_msg("'%s': %d, %u errors, the first '%s'", cases[i].text, result, errors.count,
			         errors.lines[0]);
	}
}

/* Where nobody says what the page is about its host is. */
static void what_the_page_is_called(void **state)
{
	static const struct {
		const char *page, *title;
	} rows[] = {
		{ "title: Example, url: \"https://status.example.org/\"", "Example" },
		{ "url: \"https://status.example.org/\"", "status.example.org" },
		{ "url: \"https://status.example.org:8443/x\"", "status.example.org" },
		{ "url: \"https://[2001:db8::1]:8443/\"", "[2001:db8::1]" },
		{ "stale_after: 1h", "Holdfast" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page_settings_kept kept;
		struct config config;
		char text[160];

		(void)snprintf(text, sizeof(text), "page: { %s }\n", rows[i].page);
		config = good(text);
		assert_string_equal(page_settings_of(&config, "", &kept)->title[LANGUAGE_EN], rows[i].title);
		config_fini(&config);
	}
}

static void several_at_once(void **state)
{
	static const char text[] = "mode: maybe\n"
				   "colour: blue\n"
				   "shield:\n"
				   "  interfaces: [eth0]\n"
				   "  sample_budget: lots\n"
				   "services:\n"
				   "  - { name: web, addresses: [192.0.2.10, nonsense], tcp: [http] }\n";
	static const char *const places[] = { "f.yaml:1:7: mode", "f.yaml:2:1: there is no key 'colour'",
		                              "f.yaml:5:18: sample_budget", "f.yaml:7:42: 'nonsense' is no address",
		                              "f.yaml:7:59: 'http' is no port" };
	struct config config;

	(void)state;
	assert_int_equal(parse(text, &config), -EINVAL);
	assert_int_equal(errors.count, sizeof(places) / sizeof(places[0]));
	for (unsigned i = 0; i < errors.count; i++)
		if (strncmp(errors.lines[i], places[i], strlen(places[i])) != 0)
			fail_msg("'%s' does not begin with '%s'", errors.lines[i], places[i]);
}

/* More mistakes than there is room for are counted. */
static void many_mistakes(void **state)
{
	char text[64 * 16];
	size_t length = 0;
	struct config config;

	(void)state;
	for (unsigned i = 0; i < 50; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "key%u: 1\n", i);
	assert_int_equal(parse(text, &config), -EINVAL);
	assert_int_equal(errors.count, CONFIG_ERRORS_MAX);
	assert_int_equal(errors.more, 50 - CONFIG_ERRORS_MAX);
}

static void bounds_together(void **state)
{
	char *text = malloc(1 << 20);
	size_t length = (size_t)sprintf(text, "services:\n");
	struct config config;

	(void)state;
	for (unsigned i = 0; i < CONFIG_SERVICES_MAX; i++)
		length += (size_t)sprintf(text + length, " - { name: s%u, addresses: [192.0.2.%u] }\n", i, i);
	assert_int_equal(parse(text, &config), 0);
	assert_int_equal(config.service_count, CONFIG_SERVICES_MAX);
	config_fini(&config);
	(void)sprintf(text + length, " - { name: one_more, addresses: [192.0.2.200] }\n");
	assert_int_equal(parse(text, &config), -EINVAL);
	assert_string_equal(errors.lines[0], "f.yaml:2:2: services has 64 items; at most 63");

	(void)sprintf(text, "services:\n - { name: a, addresses: [192.0.2.0/24, 198.51.100.0/24] }\n");
	length = strlen(text);
	for (unsigned i = 0; i < 62; i++)
		length += (size_t)sprintf(text + length,
		                          " - { name: s%u, addresses: [203.0.113.%u, \"2001:db8::%x\"] }\n", i, i, i);
	assert_int_equal(parse(text, &config), -EINVAL);
	assert_string_equal(errors.lines[0],
	                    "f.yaml:2:2: services have 126 addresses together; at most 64, so name networks instead");

	/* Neighbouring ports are one range, however many they are. */
	length = (size_t)sprintf(text, "services: [{ name: a, addresses: [192.0.2.1], tcp: [");
	for (unsigned i = 0; i < SHIELD_SERVICE_PORTS_MAX; i++)
		length += (size_t)sprintf(text + length, "%u,", i + 1000);
	(void)sprintf(text + length, "], udp: [1, 3, 5] }]\n");
	assert_int_equal(parse(text, &config), 0);
	config_fini(&config);
	free(text);
}

/* What can be made of an alias is bounded as if it had been written out. */
static void aliases(void **state)
{
	struct config config = good("allow: &a [192.0.2.1]\ntrusted_proxies: *a\n");

	(void)state;
	assert_int_equal(config.trusted_proxies.count, 1);
	config_fini(&config);
	assert_int_equal(parse("allow: &a [*a, *a]\n", &config), -EINVAL);
	assert_string_equal(errors.lines[0], "f.yaml:1:8: allow is a list; it wants one value");
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

static void files(void **state)
{
	char folder[] = "/tmp/holdfast-config-XXXXXX", path[64], list[64], text[256], line[256];
	struct config config;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/f.yaml", folder);
	(void)snprintf(list, sizeof(list), "%s/list", folder);
	(void)snprintf(text, sizeof(text), "block_files: [%s]\nallow_files: [%s, /nonexistent/x]\n", list, list);

	assert_int_equal(config_load(path, &config, &errors), -EINVAL);
	(void)snprintf(line, sizeof(line), "%s: No such file or directory; --config names the file", path);
	assert_string_equal(errors.lines[0], line);

	write_file(path, text);
	write_file(list, "192.0.2.1\nnonsense\n");
	assert_int_equal(config_load(path, &config, &errors), 0);
	assert_int_equal(config_check_files(&config, &errors), -EINVAL);
	assert_int_equal(errors.count, 3);
	(void)snprintf(line, sizeof(line), "%s:2: 'nonsense' is no address", list);
	assert_int_equal(strncmp(errors.lines[0], line, strlen(line)), 0);
	assert_string_equal(errors.lines[1], "/nonexistent/x: No such file or directory");
	config_fini(&config);

	(void)snprintf(text, sizeof(text), "prices: %s\n", list);
	write_file(path, text);
	write_file(list, "{ \"schema\": \"holdfast.prices/1\",\n\"prices\": [7] }\n");
	assert_int_equal(config_load(path, &config, &errors), 0);
	assert_int_equal(config_check_files(&config, &errors), -EINVAL);
	(void)snprintf(line, sizeof(line), "%s: price 1: it is no object", list);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.lines[0], line);
	config_fini(&config);
	write_file(path, "prices: /nonexistent/x\n");
	assert_int_equal(config_load(path, &config, &errors), 0);
	assert_int_equal(config_check_files(&config, &errors), -EINVAL);
	assert_string_equal(errors.lines[0], "/nonexistent/x: No such file or directory");
	config_fini(&config);

	/* What the environment names is read, and must be there; the default file need not be. */
	(void)snprintf(text, sizeof(text), "block_files: [%s]\n", list);
	write_file(path, text);
	assert_int_equal(setenv(CONFIG_VARIABLE, path, 1), 0);
	assert_int_equal(config_load(NULL, &config, &errors), 0);
	assert_int_equal(config.block_file_count, 1);
	config_fini(&config);
	assert_int_equal(setenv(CONFIG_VARIABLE, "/nonexistent/y", 1), 0);
	assert_int_equal(config_load(NULL, &config, &errors), -EINVAL);
	assert_int_equal(unsetenv(CONFIG_VARIABLE), 0);
	if (access(CONFIG_DEFAULT_PATH, F_OK) != 0) {
		assert_int_equal(config_load(NULL, &config, &errors), 0);
		assert_defaults(&config);
		config_fini(&config);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(list), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void large_files(void **state)
{
	char path[] = "/tmp/holdfast-config-XXXXXX";
	int fd = mkstemp(path);
	struct config config;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, CONFIG_FILE_MAX + 1), 0);
	assert_int_equal(config_load(path, &config, &errors), -EINVAL);
	assert_non_null(strstr(errors.lines[0], "larger than 1048576 octets"));
	close(fd);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key),
		cmocka_unit_test(what_strangers_may_ask),
		cmocka_unit_test(geo_can_be_off),
		cmocka_unit_test(mistakes_to_the_letter),
		cmocka_unit_test(what_is_published),
		cmocka_unit_test(what_the_page_is_called),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(many_mistakes),
		cmocka_unit_test(bounds_together),
		cmocka_unit_test(aliases),
		cmocka_unit_test(files),
		cmocka_unit_test(large_files),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
