"""Modules: what a model knows of its own parts."""
