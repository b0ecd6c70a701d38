"""Training and evaluation of the landmark networks."""
