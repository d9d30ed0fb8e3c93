"""Findings kept from run to run: what was found in a file holds as long as everything does that the findings rest on.

A warm run says what a cold one would. What is kept is plain data, and whatever is wrong with it makes a run slower, never wrong.
"""

FOLDER = ".torchlint_cache"
