"""A program of the user's own, run before and after its fixes, with a recorder laid around torch from outside.

`launch` starts a process in which `child` runs the program as `python` would. `loading` serves the user's files from memory and notes
which findings' statements are reached; `recorder` sees what each step did, by the names that `naming` gives to parameters, and `writing`
writes it down, one line of JSON per event. None of these changes a file.

What was written is read by `record`. `align` finds where two runs part, `signals` are mistakes that a run shows by itself, `repairs` says
what a fix that repairs may change, `texts` are the user's files before and after their fixes. `decide` runs what has to be run and judges,
and `report` tells it.

Only `child`, `loading`, `recorder`, `naming` and `writing` run beside the program, and only `child`, `recorder` and `naming` know torch.
"""
