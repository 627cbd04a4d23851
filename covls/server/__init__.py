"""The language server: the only part of covls that knows pygls and lsprotocol."""
