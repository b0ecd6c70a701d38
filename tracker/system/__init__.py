"""Operating system: files, signals, standard output, terminal, machine."""
