"""Values and functions about coverage: no files, no clock, no protocol."""
