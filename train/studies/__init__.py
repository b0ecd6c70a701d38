"""Experiments beyond training and evaluating one model."""
