"""Numerics: values, copies and names."""
