"""Runs `jupyter_kernel_test` against the kernel and says which of its tests ran and how."""

import unittest

import jupyter_kernel_test

from answer import give

#: The tests wait 0.1 s for each message after a reply, which a busy machine does not keep.
PATIENCE = 60


class LakeshTests(jupyter_kernel_test.KernelTests):
    kernel_name = "lakesh"
    language_name = "sql"
    file_extension = ".sql"
    code_hello_world = "\\echo hello, world"
    code_stderr = "\\warn oops"
    completion_samples = [
        {"text": "selec", "matches": {"select"}},
        {"text": "\\timin", "matches": {"timing"}},
    ]
    complete_code_samples = ["select 1;", "\\dt", "", "-- only a comment"]
    incomplete_code_samples = ["select (1", "select 'open"]
    # What is not open is complete; what is wrong with it is said when it runs.
    invalid_code_samples = []
    code_page_something = "\\help"
    code_generate_error = "select nothing_of_that_name"
    code_execute_result = [
        {"code": "select 6 * 7 as answer", "mime": "text/html"},
        {"code": "\\x off\nselect 1", "mime": "text/plain"},
    ]
    code_display_data = [{"code": "select 1; select 2", "mime": "text/html"}]
    code_history_pattern = "select 6*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "abs"
    code_clear_output = "\\clear"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.get_at_once = staticmethod(jupyter_kernel_test.ensure_sync(cls.kc.iopub_channel.get_msg))
        cls.kc.iopub_channel.get_msg = lambda timeout: cls.get_at_once(timeout=PATIENCE)

    def flush_channels(self):
        # What is left is waited for as the tests themselves do it.
        patient, self.kc.iopub_channel.get_msg = self.kc.iopub_channel.get_msg, self.get_at_once
        try:
            super().flush_channels()
        finally:
            self.kc.iopub_channel.get_msg = patient


class WelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "lakesh"
    support_iopub_welcome = True


suite = unittest.TestSuite(
    unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in (LakeshTests, WelcomeTests)
)
result = unittest.TestResult()
suite.run(result)
give(
    {
        "run": result.testsRun,
        "skipped": [f"{test}: {reason}" for test, reason in result.skipped],
        "failures": [f"{test}: {trace}" for test, trace in result.failures + result.errors],
    }
)
