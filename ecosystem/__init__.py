"""How torchlint is judged: pinned public repositories, what somebody who read a finding said about it, and the figures that follow.

A tool of the checkout; nothing of it is in the wheel. `README.md` says how to pin, read, label and measure.
"""
