"""Names and arguments that torch does not have, no longer has, or will not have much longer."""
