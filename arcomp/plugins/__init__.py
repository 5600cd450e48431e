"""arcomp inside of other libraries: each finds a codec there of the shape that it expects."""
