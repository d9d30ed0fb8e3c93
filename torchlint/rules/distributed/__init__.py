"""More than one device or process."""
