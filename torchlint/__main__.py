"""`python -m torchlint`, and the `torchlint` command."""

from torchlint.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
