#!/bin/sh
# Makes the environment that verl needs (numpy below 2) beside the usual one, with Pixelis in it.
# Run from the repository's root: sh recipes/verl/setup.sh [FOLDER]
set -eu
place="${1:-.venv-verl}"
python3 -m venv "$place"
"$place/bin/pip" install --quiet --upgrade pip
"$place/bin/pip" install --quiet 'verl==0.9.0' 'numpy<2' 'pyarrow'
"$place/bin/pip" install --quiet --no-deps -e .
"$place/bin/pip" install --quiet 'pydantic>=2' 'opencv-python-headless<4.12' av scikit-image rich
"$place/bin/python" -c 'import numpy, pixelis, verl; print("verl", verl.__version__, "numpy", numpy.__version__)'
