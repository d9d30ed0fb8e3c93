"""Reads what PyTorch's wheels declare of themselves and writes the tables of `torchlint/facts/`: `python -m declarations`.

Nothing of a wheel is imported or run: its sources, stubs and operator declarations are parsed. See CONTRIBUTING.md, "Facts about torch".
"""
