/* SPDX-License-Identifier: Apache-2.0 */
/* How the console's pages look: on top of what the report and the status page look like. */
#include "tell/console_html.h"
#include "tell/status_inside.h"
#include "tell/style.h"

/* clang-format off */
static const char *const console_style[] = {
	"body { max-width: 62rem; }\n",
	".masthead { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: center; padding-bottom: .75rem; border-bottom: 1px solid var(--rule); }\n",
	".menu { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; list-style: none; margin: 0; padding: 0; }\n",
	".menu li { margin: 0; } .menu a { display: inline-block; padding: .3rem 0; }\n",
	".me { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem 1rem; font-size: .9rem; color: var(--soft); }\n",
	".me p, .me form { margin: 0; }\n",
	"h1 { font-size: clamp(1.5rem, 1.2rem + 1.5vw, 2.1rem); }\n",
	"main > section { margin-top: 2.25rem; }\n",
	".card { background: var(--card); border: 1px solid var(--rule); border-radius: .8rem; padding: 1.1rem 1.3rem; margin: 0 0 1.25rem; box-shadow: var(--shade); }\n",
	".alarm { margin: 0; flex-basis: 100%; max-width: none; } .alarm a { display: block; padding: .5rem .9rem; border-radius: .5rem; border: 1px solid var(--rule); background: var(--card); color: var(--ink); font-weight: 600; text-decoration: none; }\n",
	".alarm.late a { background: var(--w-down); border-color: var(--w-down); color: var(--page); }\n",
	".due { list-style: none; padding: 0; margin: 0 0 1.25rem; max-width: none; }\n",
	".due > li { display: grid; grid-template-columns: 13rem minmax(0, 1fr) auto; gap: .25rem 1.25rem; align-items: center; margin: 0 0 .6rem; padding: .7rem 1rem; background: var(--card); border: 1px solid var(--rule); border-left: .35rem solid var(--accent); border-radius: .6rem; }\n",
	".due > li.late { border-left-color: var(--w-down); } .due > li.late > strong { color: var(--w-down); } .due > li.over { border-left-color: var(--rule); }\n",
	".due > li > strong { font-size: 1.1rem; } .due p { margin: 0; } .due small { color: var(--soft); }\n",
	".note { padding: .7rem 1rem; border-radius: .6rem; background: var(--wash); border: 1px solid var(--fill); color: var(--ink); max-width: none; }\n",
	".table { position: relative; overflow-x: auto; margin: 0 0 1rem; } table { max-width: none; }\n",
	"td, tbody th { vertical-align: top; } td form { margin: 0; } td code { white-space: nowrap; overflow-wrap: normal; word-break: normal; }\n",
	".field { margin: 0 0 1rem; max-width: 44rem; }\n",
	".field label, legend { display: block; font-weight: 600; margin-bottom: .25rem; }\n",
	".field small { display: block; margin-top: .2rem; }\n",
	"input[type=text], input[type=password], input[type=url], input[type=datetime-local], textarea, select { width: 100%; min-height: 2.75rem; padding: .5rem .7rem; font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--soft); border-radius: .5rem; }\n",
	"textarea { line-height: 1.5; resize: vertical; field-sizing: content; min-height: 4.5rem; }\n",
	"fieldset { border: 1px solid var(--rule); border-radius: .8rem; padding: .8rem 1.1rem; margin: 0 0 1rem; background: var(--card); min-width: 0; }\n",
	".choice { display: inline-flex; align-items: center; gap: .45rem; min-height: 2.75rem; margin-right: 1.4rem; font-weight: 400; }\n",
	".choice input { width: 1.2rem; height: 1.2rem; }\n",
	"button, .button { display: inline-block; min-height: 2.75rem; padding: .5rem 1.2rem; font: inherit; font-weight: 600; cursor: pointer; color: var(--page); background: var(--accent); border: 1px solid var(--accent); border-radius: .5rem; text-decoration: none; }\n",
	"button.grave { background: var(--w-down); border-color: var(--w-down); }\n",
	"button.link { min-height: 2rem; padding: .2rem 0; font-weight: 400; color: var(--accent); background: none; border: 0; text-decoration: underline; text-underline-offset: .15em; }\n",
	".actions .button, .due > li:not(.late):not(:first-child) .button { color: var(--accent); background: none; } .actions .first .button { color: var(--page); background: var(--accent); }\n",
	".more { border: 1px solid var(--rule); border-radius: .8rem; padding: .4rem 1.1rem; } .more summary { font-weight: 600; min-height: 2rem; padding: .4rem 0; }\n",
	".actions { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: flex-start; margin-top: 1rem; }\n",
	".actions form, .actions p { margin: 0; }\n",
	".sentences { list-style: none; padding: 0; max-width: none; }\n",
	".sentences > li { padding: .7rem 0 .7rem; margin: 0; border-bottom: 1px solid var(--rule); display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .2rem 1rem; }\n",
	".badge { justify-self: start; align-self: start; padding: .05rem .6rem; border-radius: 1rem; border: 1px solid var(--fill); background: var(--wash); color: var(--word); font-size: .85rem; font-weight: 600; }\n",
	"h3 { margin-top: 1rem; } .sentences p { margin: 0; } .sentences details { font-size: .9rem; margin-top: .3rem; }\n",
	".links { list-style: none; padding: 0; margin: .3rem 0 0; color: var(--soft); max-width: none; }\n",
	".word { border-left: 4px solid var(--accent); padding: .2rem 0 .2rem 1.2rem; margin: 1rem 0 1.5rem; }\n",
	".meta { color: var(--soft); font-size: .92rem; }\n",
	".sign-in { max-width: 26rem; }\n",
	"@media (max-width: 40rem) { .sentences > li { grid-template-columns: minmax(0, 1fr); } td, th { padding-right: .7rem; } tbody th { min-width: 12rem; } td { min-width: 5.5rem; } .due > li { grid-template-columns: minmax(0, 1fr); } .due .button, .field + p button, form > p button { width: 100%; text-align: center; } }\n",
	NULL,
};
/* clang-format on */

void console_html_style(FILE *out)
{
	static const char *const *const all[] = { style_base, status_style, console_style };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const char *const *line = all[i]; *line; line++)
			(void)fputs(*line, out);
}
