"""Text, tree, names and places of one file: everything that can be said without knowing what a name stands for in torch."""
