"""Reports about a run, a computer or a smoothing, made after the work is done."""
