# SPDX-License-Identifier: MIT
"""Fails for an error, a setting or an option that no man page knows."""
import pathlib
import re
import subprocess
import sys

import source_tree

ERRC_ROW = re.compile(r"^ERRC\((\w+),\s*(\w+),\s*(\d+),\s*(\w+)\)", re.M)
LONG_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")
# Program, its man page, and the subcommands that have a help text of their own.
PROGRAMS = {"aisnode": "aisnode.8", "aisfs": "aisfs.1", "ais": "ais.1"}


def plain(man_text):
    """A man page without the escapes that split words."""
    return re.sub(r"\\f[BIRP]|\\&|\\", "", man_text.replace("\\-", "-"))


def check_errors(definitions, page):
    """Every row of errc.def must stand in the page with its errno, status and retry."""
    rows = {tuple(line.split()[:3]) for line in plain(page).splitlines() if len(line.split()) >= 3}
    for name, errno, status, _retry in ERRC_ROW.findall(definitions):
        if (name, errno, status) not in rows:
            yield f"man/aisfs-errors.7: no row for: {name} {errno} {status}"


def options_of(help_text):
    return sorted(set(LONG_OPTION.findall(help_text)) - {"--help"})


def check_options(program, help_text, page_name, page):
    text = plain(page)
    for option in options_of(help_text):
        if not re.search(re.escape(option) + r"(?![\w-])", text):
            yield f"man/{page_name}: {program} has the option {option}, the page does not"


def help_texts(program):
    """The --help of a program and of its subcommands."""
    arguments = [["--help"]]
    if program.name == "ais":
        arguments = [["--help-all"]]
    for words in arguments:
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=20)
        yield done.stdout + done.stderr


def check_programs(root, programs):
    for name, page_name in PROGRAMS.items():
        program = programs / name
        if not program.exists():
            print(f"note: {name} is not built in {programs}, so its options are not checked")
            continue
        page = root / "man" / page_name
        if not page.exists():
            yield f"man/{page_name}: missing, the program {name} is there"
            continue
        for text in help_texts(program):
            yield from check_options(name, text, page_name, page.read_text())


def check_settings(root, programs):
    """Every setting that `aisnode --print-config-doc` prints stands in aisnode.conf.5."""
    program = programs / "aisnode"
    if not program.exists():
        return
    done = subprocess.run([program, "--print-config-doc"], capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        yield f"aisnode --print-config-doc: exit status {done.returncode}: {done.stderr.strip()}"
        return
    page = root / "man/aisnode.conf.5"
    text = plain(page.read_text()) if page.exists() else ""
    for setting in re.findall(r"^\.B ([\w.]+)$", done.stdout, re.M):
        if not re.search(r"(?m)^\.B " + re.escape(setting) + r"$", text):
            yield f"man/aisnode.conf.5: no setting {setting}"


def main(root, programs):
    root, programs = pathlib.Path(root), pathlib.Path(programs)
    definitions = (root / "common/base/errc.def").read_text()
    problems = list(check_errors(definitions, (root / "man/aisfs-errors.7").read_text()))
    problems += check_programs(root, programs)
    problems += check_settings(root, programs)
    return source_tree.report("docs", problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
