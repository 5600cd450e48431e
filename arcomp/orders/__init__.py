"""Orders: which positions are decoded together, and in what sequence."""

from arcomp.orders.groups import GROUP, InGroups, split
from arcomp.orders.hilbert import Hilbert
from arcomp.orders.order import Batch, Front, Independent, Order, Raster, coarser, grouped
from arcomp.orders.passes import Lattice, Multiscale, Once, Pass, Passes, Subscale
from arcomp.orders.path import Path
from arcomp.orders.sequence import Sequences, sequences
from arcomp.orders.shuffled import Shuffled
from arcomp.orders.wavefront import Wavefront
from arcomp.orders.zigzag import Zigzag

__all__ = [
    "GROUP",
    "Batch",
    "Front",
    "Hilbert",
    "InGroups",
    "Independent",
    "Lattice",
    "Multiscale",
    "Once",
    "Order",
    "Pass",
    "Passes",
    "Path",
    "Raster",
    "Sequences",
    "Shuffled",
    "Subscale",
    "Wavefront",
    "Zigzag",
    "coarser",
    "grouped",
    "sequences",
    "split",
]
