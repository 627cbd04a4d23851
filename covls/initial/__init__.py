"""What `covls init` proposes: looks at a project, and edits its files in their own format."""
