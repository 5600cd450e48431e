"""That other machines compute the same, as far as one machine can tell: slow tests, each file a part.

``pytest -m slow tests/everywhere`` runs all; name a file to run that part alone:

* test_machine_code.py: kernels emitted for other processors contain no fused multiply-add
* test_old_processor.py: files by an emulated Nehalem (where qemu-x86_64 is installed)
* test_wheels.py: every dependency has a wheel where it is required (where a package index can be reached)
* test_lowest.py: the lowest versions of the dependencies that are allowed (as above)

Python for ARM, emulated, takes an hour and is run by hand: see :mod:`tests.everywhere.files`.
"""
