"""The language server: what a check finds, while somebody types. `server.py` speaks the protocol, the others answer without it.

conversion.py   places and edits of ours in the protocol's terms, whatever unit of columns the editor counts in
documents.py    what was found in the newest text of each open document, and the settings that hold for it
actions.py      the fixes, alternatives and suppressions that an editor offers
"""
