"""The alphabet of the mixing stage and of ``photo``: samples of 8 bits. Kernels compile these as constants."""

LEVELS = 256
HIGHEST = LEVELS - 1
MID_LEVEL = LEVELS // 2
