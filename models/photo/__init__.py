"""``photo``: least squares, a network, and a stage that learns from the picture; see :mod:`arcomp.models.photo.net`."""
