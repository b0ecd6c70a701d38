"""Landmark networks, their heatmap codec, losses and weight files."""
