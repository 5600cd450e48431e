"""``context``: a small network over neighbours and their errors; see :mod:`arcomp.models.context.net`."""
