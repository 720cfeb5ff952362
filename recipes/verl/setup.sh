#!/bin/sh
# Makes the environment that verl 0.9 needs (transformers below 5.11) beside the usual one, with
# Pixelis in it, whose own wish for a newer transformers is left aside.
# Run from the repository's root: sh recipes/verl/setup.sh [FOLDER]
set -eu
place="${1:-.venv-verl}"
python3 -m venv "$place"
"$place/bin/pip" install --quiet --upgrade pip
"$place/bin/pip" install --quiet 'verl==0.9.0' 'trl>=1.16,<1.17'
"$place/bin/pip" install --quiet --no-deps -e .
"$place/bin/pip" install --quiet av filelock httpx2 matplotlib onnxruntime 'opencv-python-headless>=5,<6' \
  'pydantic>=2.10' 'rapidocr>=3.10,<4' rich scikit-image scipy tenacity
"$place/bin/python" -c 'import numpy, pixelis, verl; print("verl", verl.__version__, "numpy", numpy.__version__)'
