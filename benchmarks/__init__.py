"""covls and coverage.py side by side on a large real project: `python -m benchmarks`."""
