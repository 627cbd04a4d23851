"""Reports of other tools, read into what a history keeps, one module a format."""
