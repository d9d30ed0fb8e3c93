'''Proof by execution: every fix is applied to a runnable scenario, and both programs are run and compared.

This page is for the author of a scenario. `prove` takes them through linter and fixer, `trials` runs them, `compare` finds the
differences, `verdict` judges, `child` is what runs in a process of its own.

A scenario is `fixtures/<family>/<stem>/scenario.py`: an ordinary script that holds the mistake of its rule and nothing else to report.

    """What is shown here, in a sentence or two."""

    import torch
    from torch import nn

    CHANGES = {"result[total]": ("requires_grad", "is_leaf")}
    COSTS = {"bytes": 0, "nodes": 0}

    def batches(device, steps): ...

    def train(model, loader): ...       # the mistake, as in real code: the linter reads all of this file

    def program(device, steps=4):
        model = nn.Linear(4, 1).to(device)
        return {"model": model, "total": train(model, batches(device, steps))}

`program(device)` gets a `torch.device` and returns what can be observed, nested as it likes: tensors, modules, optimizers, numbers, text,
dtypes, exceptions, None, and lists, tuples, sets and dicts of these. What it prints is observed too. The harness lints the text, applies
the rule's real fixes, and runs `program` of both texts, each in a process of its own, from the same seeds and with deterministic
algorithms. It compares values, dtypes, shapes, strides, offsets, devices, requires_grad, is_leaf, gradients, classes by their qualified
names, state_dict keys and values, modes of modules, which of the returned tensors share memory, what was printed or raised, and the state
of every random generator afterwards.

It does so twice where the rule has fixes of two grades: with the safe fixes alone, then with the unsafe ones as well. A fix that is only
shown is written in and run too, unless the scenario has a `reference`; then the two programs of its author are compared, and the verdict
is no more than "reference only".

`reference(device)`: the same program without the mistake, written by hand and not in the fixer's words, for a rule whose fix repairs. The
fixed program must equal it, and the program with the mistake must differ from it just where `CHANGES` say.

`example(device)`: one input, or a tuple of them. Every module that `program` returns directly or as a value of its dict is then called on
it in train mode and in eval mode, and the outcomes are compared as well.

Constants at the top, all optional, written as literals. A path is a place as a verdict prints it (`result[model].parameters[weight]`,
`the output`, `the torch generator`, `the program` for an exception); `*` in it stands for anything:

    CHANGES = {}         from paths to the aspects (`compare.ASPECTS`) in which the mistake, or a fix that keeps the program, makes a
                         difference there. Each must show, and there may be no other
    UNSAFE_CHANGES = {}  the same, of what only unsafe fixes change
    TOLERANCE = {}       from paths to the largest difference allowed between floats there, relative to the larger one or to 1; the rule's
                         page justifies it
    COSTS = {}           what the fixed program may cost per further step, at most; a pair where the safe fixes alone leave more than all
                         of them, with None in it where they promise nothing. The program with the mistake must exceed one of them.
                         `program(device, steps=...)` then takes `steps`
                         "bytes"   memory that grows: tensors alive at the peak
                         "nodes"   nodes of autograd graphs alive at the peak
                         "waits"   times that the host asks for a value that a device may still be computing
                         "copies"  tensors sent from the host to a device
                         "kernels" operations that compute something
                         "written" bytes that these write
    STEPS = (4, 12)      the two lengths at which a cost is counted; their difference is what the further steps add
    DEVICES = (...)      where the scenario can run, out of "cpu", "cuda" and "mps", if not everywhere
    RAISES = "..."       the exception that ends the program with the mistake, where that is the mistake
    STANDS_FOR = {}      from classes of the reference to those of the program that they are there for: {"scenario.Good":
                         "scenario.Network"}

Beside it lies `mutants.py`: plausible fixes that are wrong. Each is a pair of texts, or several, replaced wherever they stand in what the
fixer wrote, or in what only the safe fixes made of the scenario, for a fix that is called safe and is not. Every one of them must be
refuted, by what a program does and not by a name that is not there:

    MUTANTS = {
        "copies instead of detaching": (".detach()", ".clone()"),
        "freezes the model as well": ("    model.eval()\\n", "    model.eval()\\n    model.requires_grad_(False)\\n"),
    }

A mutant that survives says what the scenario does not show: widen it.
'''
