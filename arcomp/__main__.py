"""``python -m arcomp`` is ``arcomp``."""

from __future__ import annotations

import sys

from arcomp.cli import main

if __name__ == "__main__":
    sys.exit(main())
