# SPDX-License-Identifier: MIT
"""Fails for an include that layers.txt does not allow."""
import pathlib
import re
import sys

import source_tree

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def read_layers(text):
    """{module: modules it may include}, the module itself among them."""
    layers = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        module, _, allowed = line.partition(":")
        layers[module.strip()] = {module.strip(), *allowed.split()}
    return layers


def is_below(path, folder):
    return path == folder or path.startswith(folder + "/")


def module_of(path, layers):
    """The longest module that the path lies in; None if there is none."""
    inside = [module for module in layers if is_below(path, module)]
    return max(inside, key=len, default=None)


def check_file(path, text, layers):
    """Complaints about one file; its path is relative to the root."""
    module = module_of(path, layers)
    if module is None:
        return [f"{path}: lies in no module of tests/arch/layers.txt"]
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(1)
        if "/" not in included:
            problems.append(f'{path}:{number}: include "{included}" by its path from the root')
        elif not any(is_below(included, allowed) for allowed in layers[module]):
            allowed = " ".join(sorted(layers[module]))
            problems.append(f"{path}:{number}: {module} must not include {included} (only: {allowed})")
    return problems


def main(root):
    root = pathlib.Path(root)
    layers = read_layers((root / "tests/arch/layers.txt").read_text())
    problems = []
    for path in source_tree.code_files(root):
        problems += check_file(str(path), (root / path).read_text(), layers)
    return source_tree.report("layers", problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
