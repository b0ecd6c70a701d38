"""Data sets: label readers, splits, leak detection and augmented samples."""
