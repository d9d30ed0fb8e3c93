"""Torch's interface as it changes: names and arguments that were removed, deprecated or moved."""
