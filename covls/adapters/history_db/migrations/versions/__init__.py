"""One module a schema, which does not change once it is released."""
