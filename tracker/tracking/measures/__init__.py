"""Measures of a face, taken from its landmarks."""
