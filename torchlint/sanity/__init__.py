'''Proof by execution: every fix is applied to a runnable scenario, and both programs are run and compared.

This page is for the author of a scenario. `prove` takes them through linter and fixer, `trials` runs them, `compare` finds
the differences, `verdict` judges, `child` is what runs in a process of its own.

A scenario is `fixtures/<family>/<stem>/scenario.py`: an ordinary script that holds the mistake of its rule and nothing else to report.

    """What is shown here, in a sentence or two."""

    import torch
    from torch import nn

    MEASURE = ("kept",)

    def batches(device, steps): ...

    def train(model, loader): ...       # the mistake, as in real code: the linter reads all of this file

    def program(device, steps=4):
        model = nn.Linear(4, 1).to(device)
        return {"model": model, "total": train(model, batches(device, steps))}

`program(device)` gets a `torch.device` and returns what can be observed, nested as it likes: tensors, modules, optimizers, numbers,
text, dtypes, None, and lists, tuples, sets and dicts of these. What it prints is observed too. The harness lints the text, applies the
rule's real fix, and runs `program` of both texts, each in a process of its own, from the same seeds and with deterministic algorithms.
It compares values, dtypes, shapes, strides, devices, requires_grad, is_leaf, gradients, types, state_dict keys and values, modes of
modules, which of the returned tensors share memory, what was printed, and the state of every random generator afterwards.

`reference(device)`: the same program without the mistake, written by hand, for a rule whose fix repairs. The fixed program must equal it,
and the program with the mistake must not. Where a rule's fix is only shown, the program must equal its reference.

`example(device)`: one input, or a tuple of them. Every module that `program` returns directly or as a value of its dict is then called
on it in train mode and in eval mode, and the outcomes are compared as well.

Constants at the top, all optional, written as literals:

    TOLERANCE = 1e-6     largest difference allowed between floats, relative to the larger one or to 1; the rule's page justifies it
    CHANGES = ()         aspects (`compare.ASPECTS`) that the mistake is known to change. The program with the mistake must differ in
                         each of them, and a fix that keeps the program may change no other
    MEASURE = ()         costs that the fix must lower, counted per step; `program(device, steps=...)` then takes `steps`
                         "kept"    memory that grows: bytes of tensors, and nodes of autograd graphs, alive at the peak
                         "waits"   times that the host asks for a value that a device may still be computing
                         "copies"  tensors sent from the host to a device
                         "time"    reported as a ratio, never judged
    STEPS = (8, 24)      the two lengths at which a cost is counted; their difference is what the further steps add
    DEVICES = (...)      where the scenario can run, out of "cpu", "cuda" and "mps", if not everywhere
    RAISES = "..."       the exception that ends the program with the mistake, where that is the mistake
'''
