"""Files that are loaded and saved, and results that can be had again."""
