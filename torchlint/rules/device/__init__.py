"""Devices: where tensors are made, and when the host waits for them."""
