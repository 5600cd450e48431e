"""What a model gives and is asked: the interface, weights files and where they lie, how tiles are coded."""
