"""``photo``: least squares, a network and a mixing stage that learns from the picture; see
:mod:`arcomp.models.photo.net`."""
