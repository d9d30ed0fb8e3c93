"""Inputs that nobody wrote, and what torchlint promises of them: `python -m fuzz` tries many, `tests/test_properties.py` a few each time.

A tool of the checkout; nothing of it is in the wheel. Every input follows from a number, so that each can be made again.
"""
