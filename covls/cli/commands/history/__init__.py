"""`covls history`: what past runs measured, by commit. Its commands are imported when run."""

from covls.cli.lazy_group import lazy_group

COMMANDS = {
    "record": ("covls.cli.commands.history.record:record", "Record what the tests covered."),
    "list": ("covls.cli.commands.history.list:list_runs", "List the runs that were recorded."),
    "show": ("covls.cli.commands.history.show:show", "Show one run, file by file."),
    "html": ("covls.cli.commands.history.html:html", "Write the history as one page."),
    "compare": ("covls.cli.commands.history.compare:compare", "Compare two recorded runs."),
    "trend": ("covls.cli.commands.history.trend:show_trend", "Show how coverage went."),
    "blame": (
        "covls.cli.commands.history.blame:blame",
        "Show since which commit lines are covered, or missed.",
    ),
    "prune": ("covls.cli.commands.history.prune:prune", "Let go of runs."),
    "export": ("covls.cli.commands.history.export:export", "Write runs out for other programs."),
    "import": (
        "covls.cli.commands.history.import_runs:import_runs",
        "Take in what other tools and other histories recorded.",
    ),
}
"""Where each command lives, as `module:attribute`, and what it does, in one line."""

history = lazy_group(
    "history",
    COMMANDS,
    """What past runs measured, by commit, in a database of your own.

    The database is .covls/history.sqlite in the project's folder, which git is told to ignore, or
    the one that `history.url` of the settings names, or COVLS_HISTORY_URL.
    """,
)
