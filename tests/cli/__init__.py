"""The command line, beside coverage.py's own."""
