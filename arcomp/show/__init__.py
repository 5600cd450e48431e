"""Pictures of models: what they see, in what order, what they cost, how they learn (``arcomp show``).

One file a picture. Each has a function ``draw`` that gives a :class:`arcomp.show.drawing.Picture`: a figure of
matplotlib, and lines that say in numbers what it shows.
"""
