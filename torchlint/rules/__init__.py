"""Everything users can be told: one module per rule, in one folder per family. Discovered, never registered."""
