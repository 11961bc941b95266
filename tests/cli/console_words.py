#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""console_words.py SOURCE: what other rooms say in English and the console shows has its row in French. Speaks TAP.

Sentences are taken from the calls that say them; a conversion of printf's is a hole of the row.
"""
import pathlib
import re
import sys

TABLE = "tell/console_sentences.c"
TEXT = r'((?:"(?:[^"\\]|\\.)*"(?:\s*PRI\w+\s*)?\s*|STATEMENT_SCHEMA\s*)+)'
# File → what a sentence stands behind in it.
SAYS = {
    "record/statement_desk.c": [r'refuse\(\s*error,\s*[^,]+,\s*(?:\w+|"[^"]*"),\s*'],
    "record/statement_draft.c": [r'ledger_refuse\(\s*d->error,\s*[^,]+,\s*',
                                 r'snprintf\(message, sizeof\(message\),\s*'],
    "record/statement_facts.c": [r'ledger_refuse\(\s*error,\s*[^,]+,\s*', r'snprintf\(message, sizeof\(message\),\s*'],
    "record/statements.c": [r'ledger_refuse\(\s*error,\s*[^,]+,\s*'],
    "record/components.c": [r'ledger_refuse\(\s*error,\s*[^,]+,\s*', r'return (?=")', r'\? "" : ',
                            r'ledger_add_once\(ledger, statement, ', r'database_fail\(error, '],
    "record/database.c": [r'snprintf\(error->message, sizeof\(error->message\),\s*', r'database_fail\(error, '],
    "tell/statement_make.c": [r'd->why = '],
    "tell/statement_read.c": [r'(?<!\w)mistake\(c, ', r'(?<!\w)statement_wrong\(error,\s*'],
    "tell/statement_form.c": [r'(?<!\w)statement_wrong\((?:f->)?error,\s*'],
    "tell/statement_table.c": [r'STATEMENT_\w+, (?:I |O )?"[^"]*", ', r'#define OUTAGE '],
    "daemon/console_deeds.c": [r'console_deed_refuse\(deed, ', r'\[STATEMENT_DESK_\w+\] =\s*'],
    "daemon/console_page_deeds.c": [r'console_deed_refuse\(deed, '],
    "daemon/console_site.c": [r'"refused", ', r'snprintf\(a->error.message, sizeof\(a->error.message\),\s*'],
}
# Of these only what adds to the parts of the ledger that the console writes.
PARTS = {"record/ledger.c": ("ledger_open", "ledger_check_text", "ledger_check_json", "ledger_event_wrong",
                             "ledger_begin_to_add", "open_database"),
         "record/ledger_claims.c": ("ledger_claim_find",)}


def hole(text):
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|(STATEMENT_SCHEMA)', re.sub(r'"\s*PRI\w+\s*"', '', text))
    whole = "".join("holdfast.statement/1" if name else words for words, name in parts)
    return re.sub(r"%[-0-9.*]*(?:ll|z|l)?[sudxi]?(?=\W|$)|%\.\*s", "%s", whole.replace("%016", "%s"))


def said(text, patterns):
    for pattern in patterns:
        for found in re.finditer(pattern + TEXT, text):
            words = hole(found.group(1)).strip()
            if re.search(r"\w", words.replace("%s", "")):
                yield words


def rows(source):
    text = (source / TABLE).read_text("utf-8")
    found = re.findall(r'\{ "((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)" \}', text)
    return {english.replace("%d", "%s"): french.replace("%d", "%s") for english, french in found}


def main():
    source = pathlib.Path(sys.argv[1])
    french = rows(source)
    failed = count = 0

    def expect(what, good, why=""):
        nonlocal failed, count
        count += 1
        failed += not good
        print(f"{'' if good else 'not '}ok {count} - {what}{'' if good else f' # {why}'}")

    expect("the table is read", len(french) > 100, len(french))
    for english, told in french.items():
        holes = len(re.findall(r"%s", english))
        expect(f"'{english[:60]}' has its holes", holes == len(re.findall(r"%s|%\d\$", told)), told)
    for file, patterns in SAYS.items():
        sentences = sorted(set(said((source / file).read_text("utf-8"), patterns)))
        expect(f"{file} says something", sentences)
        for words in sentences:
            short = words if words in french else f"{words}: %s"
            expect(f"{file}: {words[:70]}", short in french, "no row")
    for file, functions in PARTS.items():
        text = (source / file).read_text("utf-8")
        for function in functions:
            body = re.search(rf"\n(?:static )?(?:int |const char \*){function}\(.*?\n}}\n", text, re.DOTALL)
            found = sorted(set(said(body.group(0), [r'ledger_refuse\(\s*error,\s*[^,]+,\s*', r'return (?=")', r'\? ',
                                                    r'sizeof\(error->message\),\s*', r'database_fail\(error, '])))
            expect(f"{file}: {function} says something", found)
            for words in found:
                expect(f"{function}: {words[:70]}", words in french or f"{words}: %s" in french, "no row")
    print(f"1..{count}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
