# SPDX-License-Identifier: MIT
"""The checks of this folder find what they are there to find."""
import unittest

import docs_test
import layers_test
import tidy_test

LAYERS = layers_test.read_layers("common/base:\ncommon/http: common/base\nnode: common  # role\n")
GOOD = tidy_test.SPDX + "\n#pragma once\n"


class Layers(unittest.TestCase):
    def test_lower_layers_and_own_folder_are_allowed(self):
        text = '#include "common/base/x.h"\n#include "common/http/y.h"\n#include <vector>\n'
        self.assertEqual(layers_test.check_file("common/http/a.cc", text, LAYERS), [])
        self.assertEqual(layers_test.check_file("node/a/b.cc", text, LAYERS), [])

    def test_a_higher_layer_is_refused_with_its_line(self):
        problems = layers_test.check_file("common/base/a.h", '\n#include "node/x.h"\n', LAYERS)
        self.assertEqual(len(problems), 1)
        self.assertIn("common/base/a.h:2", problems[0])

    def test_names_that_only_begin_alike_are_other_modules(self):
        problems = layers_test.check_file("node/a.cc", '#include "commonplace/x.h"\n', LAYERS)
        self.assertEqual(len(problems), 1)

    def test_a_file_outside_of_every_module_is_refused(self):
        self.assertEqual(len(layers_test.check_file("common/new/a.h", "", LAYERS)), 1)


class Tidy(unittest.TestCase):
    def problems(self, path, text):
        return tidy_test.check_file(path, text)

    def test_a_good_header_passes(self):
        self.assertEqual(self.problems("common/base/a.h", GOOD), [])

    def test_each_rule_bites(self):
        bad = {
            "common/a.h": tidy_test.SPDX + "\n",
            "common/b.cc": "int x;\n",
            "common/c.cc": GOOD + "\tint x;\n",
            "common/d.cc": GOOD + "int x; \n",
            "common/e.cc": GOOD + "// TO" + "DO: later\n",
            "common/f.cc": GOOD + "co_spawn(ex, f(), asio::detached);\n",
            "common/http/g.h": GOOD + "#include <boost/beast/http.hpp>\n",
            "aisfs/ops/h.cc": GOOD + "#include <fuse3/fuse_lowlevel.h>\n",
            "common/i.cc": GOOD + "int x;\n" * 500,
        }
        for path, text in bad.items():
            self.assertEqual(len(self.problems(path, text)), 1, path)

    def test_what_is_allowed_in_its_place(self):
        self.assertEqual(self.problems("tests/a.cc", GOOD + "asio::detached\n"), [])
        self.assertEqual(self.problems("common/http/a.cc", GOOD + "#include <boost/beast.hpp>\n"), [])
        self.assertEqual(self.problems("aisfs/mount/a.cc", GOOD + "#include <fuse_lowlevel.h>\n"), [])


class Docs(unittest.TestCase):
    ROW = "ERRC(not_found,           ENOENT,       404, kNever)\n"

    def test_a_row_with_the_right_numbers_passes(self):
        page = "not_found\tENOENT\t404\tnever\n"
        self.assertEqual(list(docs_test.check_errors(self.ROW, page)), [])

    def test_a_missing_row_and_a_wrong_number_are_found(self):
        for page in ("", "not_found ENOENT 500 never\n"):
            self.assertEqual(len(list(docs_test.check_errors(self.ROW, page))), 1)

    def test_an_option_without_a_word_in_the_page_is_found(self):
        text = "  --json  as JSON\n  -h,--help\n  --endpoint URL\n"
        self.assertEqual(docs_test.options_of(text), ["--endpoint", "--json"])
        found = list(docs_test.check_options("ais", text, "ais.1", r"\fB\-\-json\fR"))
        self.assertEqual(len(found), 1)
        self.assertIn("--endpoint", found[0])

    def test_a_setting_without_an_entry_and_an_empty_list_are_found(self):
        printed = '.TP\n.BR net.host " = \\fItext\\fR"\nAddress.\n.TP\n.BR role " = x"\n'
        self.assertEqual(list(docs_test.check_setting_names(printed, printed)), [])
        self.assertEqual(len(list(docs_test.check_setting_names(printed, '.BR role " = x"\n'))), 1)
        self.assertEqual(len(list(docs_test.check_setting_names("", ""))), 1)


if __name__ == "__main__":
    unittest.main()
