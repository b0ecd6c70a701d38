"""Outputs of results and pictures, one module per format."""
