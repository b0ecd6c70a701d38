"""Export of trained networks to the files that the tracker ships."""
