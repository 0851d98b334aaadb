"""Known defects of release handling, end to end."""

from defects import DefectCase, demo, given, main, not_mended


class ReasonsAndRecords(DefectCase):
    @not_mended
    def test_D1_a_rollback_whose_record_is_too_long_is_refused_before_anything_moves(self):
        # The record of a rollback was written after the processes had moved: one that did not fit left the old modules
        # running under a journal that said the new ones do.
        with given("1.1.0 in probation"):
            self.host.deploy(demo("1.0.0"))
            self.in_probation(demo("1.1.0"))
        done = self.run_baton("rollback", "--reason", "x" * 17_000)
        what_runs = (self.versions_of("web"), self.host.cli("status")["release"]["version"])
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(what_runs, ({"1.1.0"}, "1.1.0"), done.stderr)
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent", "1.1.0": "current"})


if __name__ == "__main__":
    main()
