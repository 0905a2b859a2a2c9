# SPDX-License-Identifier: MIT
"""Fails for a file that does not have the shape that CONTRIBUTING.md asks for."""
import pathlib
import re
import sys

import source_tree

LINES_MAX = 500
SPDX = "// SPDX-License-Identifier: MIT"
# Split, so that this file does not contain what it looks for.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
BEAST = re.compile(r"#\s*include\s*<boost/beast")
LIBFUSE = re.compile(r"#\s*include\s*<fuse")
DETACHED = re.compile(r"\basio::detached\b")


def is_product(path):
    return not path.startswith("tests/")


def may_include_beast(path):
    return path.startswith("common/http/") and path.endswith(".cc")


def may_include_libfuse(path):
    return path.startswith("aisfs/mount/") or path.startswith("tests/")


def check_whole(path, lines):
    if not lines or lines[0] != SPDX:
        if not path.endswith(".def"):
            yield f"{path}:1: the first line must be: {SPDX}"
    if path.endswith(".h") and "#pragma once" not in lines:
        yield f"{path}: a header needs #pragma once"
    if len(lines) > LINES_MAX:
        yield f"{path}: {len(lines)} lines, at most {LINES_MAX}: some noun in it wants its own file"


def check_line(path, line):
    if "\t" in line:
        yield "has a tab"
    if line != line.rstrip():
        yield "ends in blanks"
    if UNFINISHED.search(line):
        yield "is unfinished: do it or open an issue"
    if DETACHED.search(line) and is_product(path):
        yield "detaches a coroutine: spawn it in a TaskScope"
    if BEAST.search(line) and not may_include_beast(path):
        yield "includes Beast: only common/http/*.cc does, it costs 10 s a file"
    if LIBFUSE.search(line) and not may_include_libfuse(path):
        yield "includes libfuse: only aisfs/mount does"


def check_file(path, text):
    lines = text.splitlines()
    problems = list(check_whole(path, lines))
    for number, line in enumerate(lines, 1):
        problems += [f"{path}:{number}: {what}" for what in check_line(path, line)]
    return problems


def check_modules(root):
    """A folder that declares a library explains itself."""
    for cmake in sorted(root.rglob("CMakeLists.txt")):
        relative = cmake.relative_to(root)
        if relative.parts[0] not in ("common", "cachefs", "node", "aisfs"):
            continue
        if "aisfs_library(" in cmake.read_text() and not (cmake.parent / "README.md").exists():
            yield f"{relative.parent}: a module needs a README.md"


def main(root):
    root = pathlib.Path(root)
    problems = list(check_modules(root))
    for path in source_tree.code_files(root):
        problems += check_file(str(path), (root / path).read_text())
    return source_tree.report("tidy", problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
