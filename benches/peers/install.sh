#!/usr/bin/env bash
# The libraries that `just bench-gemm` compares with, for Debian or Ubuntu on x86-64: some 3 GB in a folder of
# their own (PEERS, /opt/peers without it) and four system packages. Needs root for the packages.
set -euo pipefail
peers=${PEERS:-/opt/peers}

apt-get install -y libopenblas0-pthread libblis4-pthread libdnnl2 libxsmm-dev gcc python3-venv
python3 -m venv "$peers"
"$peers/bin/pip" install onednn mkl scipy-openblas32
ln -sf "$("$peers/bin/python" -c 'import scipy_openblas32 as s; print(s.get_lib_dir())')/libscipy_openblas.so" "$peers/lib/"

# Debian has libxsmm as archives only.
gcc -shared -o "$peers/lib/libxsmm-1.17.so" -Wl,--whole-archive /usr/lib/libxsmm.a \
    -Wl,--no-whole-archive /usr/lib/libxsmmnoblas.a -lpthread -ldl -lm
