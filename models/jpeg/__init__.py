"""``jpeg``: quantised DCT coefficients by a small network and a mixing stage; see :mod:`arcomp.models.jpeg.net`."""
