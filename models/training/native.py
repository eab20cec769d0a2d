# SPDX-License-Identifier: Apache-2.0
"""Compiles a C file beside its library when needed, and loads it."""
import ctypes
import os
import platform
import subprocess
from pathlib import Path


def load(source, mode=ctypes.DEFAULT_MODE):
    """The library of a C source file."""
    source = Path(source)
    target = source.with_name(f"lib{source.stem}.so")
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        # Two processes may build at once: each writes its own file and renames it.
        temporary = source.with_name(f"{source.stem}.{os.getpid()}.tmp")
        subprocess.run(["cc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-o", str(temporary), str(source), "-lm"], check=True)
        temporary.replace(target)
    return ctypes.CDLL(str(target), mode)


def wake_mkl():
    """Lets MKL use all of an AMD processor (m2fp/mkl.c). Call before torch is imported."""
    if platform.machine() in ("x86_64", "AMD64"):
        load(Path(__file__).with_name("m2fp") / "mkl.c", ctypes.RTLD_GLOBAL)


def pointer(array):
    """Address of a numpy array's data."""
    return array.ctypes.data_as(ctypes.c_void_p)
