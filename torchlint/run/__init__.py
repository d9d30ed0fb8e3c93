"""Many files in one run: what is skipped unread, what happens to one file, how the work is shared among processes."""
