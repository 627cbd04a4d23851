"""The page of a history: what it looks like, and how it is filled."""
