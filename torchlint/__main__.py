"""`python -m torchlint`, and the `torchlint` command."""

import os
import sys

if __name__ == "__main__" and __spec__ is not None and sys.path and sys.path[0] in ("", os.getcwd()):
    # Python looks for modules in the current folder first when it is started like this. That folder is what is checked, so no
    # `click.py` in it may run. One that torchlint itself was loaded from comes last: processes started from here need it.
    folder = sys.path.pop(0)
    if os.path.samefile(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), folder or "."):
        sys.path.append(folder)

from torchlint.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
