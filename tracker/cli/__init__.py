"""Command line: parsing, usage errors, and the start of runs and reports."""
