"""The network and its loss, on packed sequences, on a device, in a precision."""
