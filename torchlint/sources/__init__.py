"""From paths to texts and back: which files there are, how their bytes become text, and how a changed text is written.

So far a source is one Python file. Notebooks and Markdown will be further kinds of `reading.Source`: text out, edits mapped back.
"""
