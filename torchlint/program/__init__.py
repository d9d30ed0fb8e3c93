"""The files of one run together: classes, callers, imports from file to file."""
