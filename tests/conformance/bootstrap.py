"""Looks at executables that were built for Lambda: bootstrap.py ARCHITECTURE FILE…"""

import os
import re
import sys

# e_machine of the ELF header.
MACHINES = {"x86_64": 62, "arm64": 183}
# What Amazon Linux 2023 has; a program that asks for a later one does not start there.
GLIBC_MAX = (2, 34)


def faults(architecture, path):
    """What is wrong with a file."""
    if not os.access(path, os.X_OK):
        yield "it is not there, or not executable"
        return
    with open(path, "rb") as file:
        image = file.read()
    if image[:4] != b"\x7fELF" or int.from_bytes(image[18:20], "little") != MACHINES[architecture]:
        yield f"it is no program for {architecture}"
    wanted = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", image)}
    latest = max(wanted, default=(0, 0))
    if latest == (0, 0):
        yield "it names no version of glibc: the check reads nothing"
    if latest > GLIBC_MAX:
        yield f"it needs glibc {latest[0]}.{latest[1]}"
    # Cannot unwind: a panic in a dependency ends the process instead of becoming a response, which is
    # how cargo-lambda builds unless the manifest says otherwise. Recognized by the library that ends it,
    # and by the mark of Rust's exceptions, which arm64 spreads over several instructions.
    marked = architecture != "x86_64" or b"MOZ\0RUST" in image
    if b"library/panic_abort/" in image or not marked:
        yield "it cannot unwind: it was built with panic = \"abort\""
    print(f"{path}: {len(image)} bytes, glibc {latest[0]}.{latest[1]}")


def main():
    architecture, *paths = sys.argv[1:]
    found = [f"{path}: {fault}" for path in paths for fault in faults(architecture, path)]
    sys.exit("\n".join(f"error: {fault}" for fault in found) or (0 if paths else "error: no file"))


main()
