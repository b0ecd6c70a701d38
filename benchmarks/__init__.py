"""Slow measurements: each module is a command that prints a table and draws a plot."""
