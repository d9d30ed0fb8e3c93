"""The language server: what a check finds, while somebody types. `server.py` speaks the protocol, the others answer without it.

documents.py    what an editor holds open, as the programs that are checked: files, Markdown, notebooks with their cells
checking.py     what is found in a document, and the settings that hold for it
conversion.py   places and edits of ours in the protocol's terms, whatever unit of columns the editor counts in
actions.py      the fixes, alternatives and suppressions that an editor offers
protocol.py     how changes of notebooks are told to pygls
"""
