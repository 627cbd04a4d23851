"""covls: a language server for Python test coverage."""

__version__ = "0.1.0"
