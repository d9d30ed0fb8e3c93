"""Autograd: graphs kept, cut or built in vain."""
