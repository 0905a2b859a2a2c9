# SPDX-License-Identifier: MIT
"""The files that the checks of this folder look at."""
import pathlib

CODE_FOLDERS = ("common", "cachefs", "node", "aisfs", "tests")


def code_files(root):
    """Paths of all C++ files below the code folders, relative to root, sorted."""
    root = pathlib.Path(root)
    found = []
    for folder in CODE_FOLDERS:
        for suffix in ("*.h", "*.cc", "*.def"):
            found += (root / folder).rglob(suffix)
    return sorted(path.relative_to(root) for path in found)


def report(name, problems):
    """Prints the problems and returns the exit status."""
    for problem in problems:
        print(problem)
    print(f"{name}: {len(problems)} problems" if problems else f"{name}: ok")
    return 1 if problems else 0
