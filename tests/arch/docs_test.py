# SPDX-License-Identifier: MIT
"""Fails for an error, a setting or an option that no man page knows."""
import pathlib
import re
import subprocess
import sys

import source_tree

ERRC_ROW = re.compile(r"^ERRC\((\w+),\s*(\w+),\s*(\d+),\s*(\w+)\)", re.M)
LONG_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")
# Programs with options of their own; those of aisnode are its settings, see check_settings.
PROGRAMS = {"aisfs": "aisfs.1", "ais": "ais.1"}
SETTING = re.compile(r"^\.BR ([\w.]+) ", re.M)


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


def help_text(program):
    """The help of a program with that of its subcommands."""
    words = ["--help-all"] if program.name == "ais" else ["--help"]
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=20)
    return done.stdout + done.stderr


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
        yield from check_options(name, help_text(program), page_name, page.read_text())


def check_setting_names(printed, page):
    """Every setting of `aisnode --print-config-doc` must stand in the page."""
    settings = SETTING.findall(printed)
    if not settings:
        yield "aisnode --print-config-doc prints no settings"
    documented = set(SETTING.findall(page))
    for setting in settings:
        if setting not in documented:
            yield f"man/aisnode.conf.5: no setting {setting}"


def check_settings(root, programs):
    program = programs / "aisnode"
    if not program.exists():
        print(f"note: aisnode is not built in {programs}, so its settings are not checked")
        return
    done = subprocess.run([program, "--print-config-doc"], capture_output=True, text=True, timeout=20)
    page = root / "man/aisnode.conf.5"
    yield from check_setting_names(done.stdout, page.read_text() if page.exists() else "")
    if not (root / "man/aisnode.8").exists():
        yield "man/aisnode.8: missing"


def main(root, programs):
    root, programs = pathlib.Path(root), pathlib.Path(programs)
    definitions = (root / "common/base/errc.def").read_text()
    problems = list(check_errors(definitions, (root / "man/aisfs-errors.7").read_text()))
    problems += check_programs(root, programs)
    problems += check_settings(root, programs)
    return source_tree.report("docs", problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
