"""`covls demo`: a small project, tested, and shown as an editor would see it."""

import click

from covls.cli.invocation import FAILED, PASSED


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--keep", is_flag=True, help="Keep the project's folder, and say where it is.")
def demo(keep: bool) -> int:
    """Show on a small project what covls does.

    Writes a project into a temporary folder, runs its tests under coverage, starts `covls serve`
    and asks it what an editor would ask; then runs one more test and shows the marks change.
    Needs pytest beside covls.
    """
    from rich.console import Console

    from covls.cli.demo.project import DemoError
    from covls.cli.demo.stage import play

    try:
        play(Console(highlight=False), keep=keep)
    except DemoError as error:
        click.echo(f"covls demo: {error}", err=True)
        return FAILED
    return PASSED
