"""Training loops: what must happen in them, and in which order."""
