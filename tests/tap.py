#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tap.py PROGRAM...: runs a cmocka program and prints the TAP that meson understands.

cmocka 1.1.5 calls a skipped test "not ok N # SKIP", which the protocol reads as a failure, lets what the test itself
prints stand between its lines, and says why a case failed behind it, over several lines, the place last, or to standard
error. Here the first becomes "ok", the second a comment, and the third one comment before the case: "# FILE:LINE: what
was expected".
"""
import os
import re
import selectors
import signal
import subprocess
import sys

RESULT = re.compile(r"(not )?ok \d+\b")
SKIP = re.compile(r"not (ok \d+ # SKIP)")
UNTESTED = re.compile(r"(not ok \d+ - .+?) Could not run test: (.*)")  # what is set up before a case, or cleared away
PLACE = re.compile(r"(\S+:\d+): error: (?:Failure!)?(.*)")
FAIL_MSG = re.compile(r"ERROR: (.*)")  # to standard error
REASON_LINES = 24  # a case that says no place, and what the next one prints, are kept apart by that alone


class Printer:
    """Lines as they come; a case that failed waits for its reason."""

    def __init__(self):
        self.failed, self.reason, self.messages = None, [], []

    def say(self, text):
        print(text, flush=True)

    def release(self, place=""):
        """The case that waits, with what is known of why."""
        if not self.failed:
            return
        said = " ".join(" ".join(self.reason).split())
        if place and not said and self.messages:
            said = self.messages.pop(0)
        if place or said:
            self.say("# " + ": ".join(part for part in (place, said) if part))
        self.say(self.failed)
        self.failed, self.reason = None, []

    def overhear(self, text):
        """A line of standard error: of the next case that says a place and nothing else."""
        message = FAIL_MSG.match(text)
        self.messages += [message[1]] if message else []

    def take(self, text):
        untested = UNTESTED.match(text)
        if SKIP.match(text):
            self.release()
            self.say(SKIP.sub(r"\1", text))
        elif RESULT.match(text):
            self.release()
            if not text.startswith("not "):
                self.say(text)
                return
            self.failed = untested[1] if untested else text
            self.reason = [untested[2]] if untested and not untested[2].isdigit() else []
            if self.reason:
                self.release()
        elif re.match(r"1\.\.\d+$", text):
            self.release()
            self.say(text)
        elif self.failed:
            self.explain(text.removeprefix("# "))
        else:
            self.say(text if text.startswith("#") else "# " + text)

    def explain(self, text):
        place = PLACE.match(text)
        if place:
            self.reason += [place[2]]
            self.release(place[1])
            return
        self.reason += [text]
        if len(self.reason) == REASON_LINES:
            self.release()


class Lines:
    """Of a pipe, as they come: each goes to `take`, and all octets to `copy`; once they are read and before they are
    taken, `before` is called."""

    def __init__(self, pipe, take, copy=None, before=None):
        os.set_blocking(pipe.fileno(), False)
        self.pipe, self.take, self.copy, self.before, self.rest = pipe, take, copy, before, b""

    def drain(self):
        """All there is by now; whether more may come."""
        while True:
            octets = self.pipe.read(65536)
            if octets is None:
                return True
            if self.before:
                self.before()
            if self.copy:
                self.copy.write(octets)
                self.copy.flush()
            *whole, self.rest = (self.rest + octets).split(b"\n")
            if not octets and self.rest:
                whole, self.rest = [self.rest], b""
            for line in whole:
                self.take(line.decode(errors="replace"))
            if not octets:
                return False


def relay(process, printer):
    error = Lines(process.stderr, printer.overhear, sys.stderr.buffer)
    # What is said of a case to standard error is written before the case's line, so it is there once that is read.
    out = Lines(process.stdout, printer.take, before=error.drain)
    with selectors.DefaultSelector() as selector:
        for lines in (error, out):
            selector.register(lines.pipe, selectors.EVENT_READ, lines)
        while selector.get_map():
            for key, _ in selector.select():
                if not key.data.drain():
                    selector.unregister(key.fileobj)


def main():
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    printer = Printer()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                          env=environment) as process:
        relay(process, printer)
    printer.release()
    if process.returncode < 0:
        name = signal.strsignal(-process.returncode) or "?"
        printer.say(f"Bail out! killed by signal {-process.returncode} ({name})")
    return process.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
