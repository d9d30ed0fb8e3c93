"""Abstract interpretation: what every expression yields, and what happens in which order, one pass per function."""
