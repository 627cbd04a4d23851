"""Runs the covls that comes with the extension, with a Python that need not know it.

    python -I serve.py

`-I` keeps out what the environment and the current folder would bring in. What is added here is
seen by this process alone: a PYTHONPATH would reach the tests that covls runs, too.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "libs"))
sys.argv[:] = ["covls", "serve"]

from covls.cli.main import main  # noqa: E402 - not before the path is there

main()
