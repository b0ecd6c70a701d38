"""One file per shipped recipe; each exports ``CONFIG``."""
