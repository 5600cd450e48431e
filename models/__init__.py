"""The models: one paper, one file each, and a registry by name."""
