# SPDX-License-Identifier: Apache-2.0
"""What tests in Python that play on a stage have in common: cases are counted and told as TAP while they come; and a
stage can be apart from the machine's own networks, mounts and processes."""
import os
import subprocess
import sys

SHOWN = 4000  # characters of what was said, and of a log, where a case failed


class Cases:
    """A stage is one of these. `log`, where there is one, is a file whose words are shown with what fails."""

    def __init__(self, log=None):
        self.count, self.failed, self.shown_log = 0, 0, log

    def expect(self, what, good, said=""):
        """A case; where it is not so, with what was said."""
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {what}", flush=True)
        if good:
            return
        if self.shown_log and self.shown_log.exists():
            said = f"{said}\n{self.shown_log.read_text(encoding='utf-8', errors='replace')}"
        print("\n".join(f"# {line}" for line in str(said)[:SHOWN].splitlines()), flush=True)

    def skip(self, what, why):
        """A case that cannot be had here."""
        self.count += 1
        print(f"ok {self.count} - {what} # SKIP {why}", flush=True)

    def close(self):
        """The plan; the script's exit status."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0


def play_apart(script, program):
    """The script once more, told `--inside PROGRAM`, with networks, mounts and processes of its own; its status."""
    return subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--propagation", "private",
                           sys.executable, os.path.abspath(script), "--inside", os.path.abspath(program)],
                          check=False).returncode
