"""What made each schema of a history out of the one before it."""
