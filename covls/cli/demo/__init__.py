"""The demo: a small project, its tests, and an editor's view of both without an editor."""
