"""What records tests from inside the interpreter that runs them; imported by run_tests.py.

It is a package of its own, under a name that no project has, because xdist's workers import it too,
in processes whose import path is the project's. Standard library, coverage.py and the project's own
test framework only; Python 3.9 and up.
"""
