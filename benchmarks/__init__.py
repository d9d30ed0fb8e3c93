"""Speed and memory as ratios taken in one run, so that they mean the same on every machine. Nothing here is part of the package."""
