"""The `covls` command: what a person, a hook or CI asks for outside an editor."""
