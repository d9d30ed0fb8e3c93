"""How programs at Acme are written."""
