"""Whether the torch that is installed fits the machine.

`gather` finds facts, `diagnose` judges them, `advice` says what to install, `show` tells all of it.

Facts about torch and about the driver's library come from `asked`, in processes of their own: either may be broken, and end its process.
"""
