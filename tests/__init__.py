"""Laws, exact files, units, the command line and training; specimens.py has what the laws run over."""
