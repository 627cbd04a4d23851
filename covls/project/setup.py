"""What a root is looked at with: its settings, its configuration, and what analyses by these."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from covls.adapters.analysis_cache import AnalysisCache
from covls.adapters.analyst import AnalystError, Analysts, Rules
from covls.adapters.configuration import CoverageConfiguration, after_plugins, read_configuration
from covls.adapters.interpreter import find_interpreter
from covls.core.settings import Problem, Settings


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A root's settings and configuration as they were read, and the workers that go by them."""

    settings: Settings
    configuration: CoverageConfiguration
    analysts: Analysts


def set_up(root: Path, settings: Settings, *, trusted: bool | None) -> Setup:
    """Read the configuration of a root. Nothing of the workspace runs unless it is `trusted`."""
    configuration = read_configuration(root)
    analysts = _analysts(root, configuration, settings, trusted=trusted)
    if trusted and (analysts.plugins or not analysts.own):
        configuration, analysts = _in_their_words(root, configuration, settings, analysts)
    if settings.data_file:
        configuration = replace(configuration, data_file=root / settings.data_file)
    return Setup(settings, configuration, analysts)


def _analysts(
    root: Path,
    configuration: CoverageConfiguration,
    settings: Settings,
    *,
    trusted: bool | None,
    own: bool = False,
) -> Analysts:
    """Workers in the project's interpreter, if it may be used and has coverage.py, else (and
    with `own`) in covls's own.
    """
    python = None
    if trusted and not own:
        found = find_interpreter(root, settings.python)
        if found is not None and found.coverage_version and not _is_ours(found.python):
            python = str(found.python)
    return Analysts(
        root,
        Rules(exclude=configuration.exclude, partial=configuration.partial),
        python=python,
        plugins=bool(trusted) and (python is not None or bool(configuration.plugins)),
        cache=AnalysisCache(max_mb=settings.cache.max_mb),
    )


def _in_their_words(
    root: Path, configuration: CoverageConfiguration, settings: Settings, analysts: Analysts
) -> tuple[CoverageConfiguration, Analysts]:
    """The configuration as a trusted project's own coverage.py and plugins have it.

    Its version has other defaults than ours, and plugins may add exclusions.
    """
    try:
        configuration = after_plugins(configuration, analysts.settings())
    except AnalystError as error:
        problem = Problem(
            str(configuration.file or root),
            f"{error}; without its plugins, coverage is shown by covls's own coverage.py. "
            "Install what is missing in the project's environment (`covls doctor` names it)",
        )
        configuration = replace(configuration, problems=(*configuration.problems, problem))
        analysts.close()
        return configuration, _analysts(root, configuration, settings, trusted=True, own=True)
    if analysts.rules != Rules(exclude=configuration.exclude, partial=configuration.partial):
        analysts.close()
        analysts = _analysts(root, configuration, settings, trusted=True)
    return configuration, analysts


def _is_ours(python: Path) -> bool:
    """Whether an interpreter is the one that runs here, its environment included."""
    return os.path.abspath(python) == os.path.abspath(sys.executable)  # noqa: PTH100  # no links
