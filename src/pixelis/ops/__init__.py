"""The visual operations and their registry."""
