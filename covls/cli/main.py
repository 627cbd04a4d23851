"""The `covls` command: finds the subcommand, and turns what goes wrong into an exit code."""

import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from covls import __version__
from covls.cli.invocation import BROKEN_PIPE, INTERRUPTED, root_option, trusted_option
from covls.cli.lazy_group import LazyGroup

# The help texts stand here and not with the commands, so that `covls --help` imports none of them:
# the server's libraries alone take longer to import than a help text may take to appear.
COMMANDS = {
    "serve": ("covls.cli.commands.serve:serve", "Run the language server, as editors do."),
    "run": ("covls.cli.commands.run:run", "Run tests, all or some, and keep what they cover."),
    "report": ("covls.cli.commands.report:report", "Show how much of each file the tests reach."),
    "diff": ("covls.cli.commands.diff:diff", "Show how much of the patch the tests reach."),
    "check": ("covls.cli.commands.check:check", "Judge coverage by the project's gates."),
    "priorities": ("covls.cli.commands.priorities:priorities", "Say what to test next, and why."),
    "explain": ("covls.cli.commands.explain:explain", "Say all that is known of a line."),
    "html": ("covls.cli.commands.html:html", "Write coverage.py's HTML report, and open it."),
    "comment": ("covls.cli.commands.comment:comment", "Comment a pull request on GitHub."),
    "history": ("covls.cli.commands.history:history", "Keep what past runs measured, by commit."),
    "record-sources": (
        "covls.cli.commands.record_sources:record_sources",
        "Put the measured sources into a file that travels with the data.",
    ),
    "push": ("covls.cli.commands.push:push", "Leave what was measured where others find it."),
    "pull": ("covls.cli.commands.pull:pull", "Fetch what CI measured, and show it."),
    "doctor": ("covls.cli.commands.doctor:doctor", "Show what covls sees here, and what is wrong."),
    "init": ("covls.cli.commands.init:init", "Set a project up for coverage, on a yes."),
    "demo": ("covls.cli.commands.demo:demo", "Show on a small project what covls does."),
}
"""Where each command lives, as `module:attribute`, and what it does, in one line."""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="covls", message="%(prog)s %(version)s")
@root_option
@trusted_option
def cli() -> None:
    """Show in any editor which lines and branches of Python code no test reaches.

    covls reads what coverage.py recorded. Only `covls run`, and `covls init` on a yes, write
    to a project.
    """


cli.commands_there = COMMANDS


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 passed, 1 a gate or a test failed, 2 wrong usage or settings, 3 no usable data,
    130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter of a file's name is no reason to stop.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        # Not `cli.main`: it ends the process itself where the reader of a pipe has gone, and
        # writes a line where it is interrupted.
        with cli.make_context("covls", given) as context:
            outcome: Any = cli.invoke(context)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough. What is still in the buffer goes nowhere, so
        # that the interpreter does not complain about it on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def main() -> NoReturn:
    """The entry point of the `covls` script and of `python -m covls`."""
    # Until the command is imported nothing is garbage: to look for it is a tenth of the start.
    gc.disable()
    if "_COVLS_COMPLETE" in os.environ:
        cli.main(prog_name="covls")  # A shell asks what could be typed next.
    sys.exit(run())
