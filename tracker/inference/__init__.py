"""Inference: landmark models and face detectors on the installed runtimes."""
