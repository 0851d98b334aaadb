"""What connections hold is limited, whatever clients do."""

from host import HostCase, demo, main

MEMORY_MAX = 128 << 20


class Memory(HostCase):
    configuration = f"net: {{memory_max: {MEMORY_MAX >> 20}MiB}}\n"

    def test_200_unfinished_commands_of_31_mib_take_what_the_limit_allows(self):
        self.host.deploy(demo("1.0.0"))
        most = self.host.growth_by_unfinished_commands(200, seconds=20)
        kv = next(each for each in self.host.cli("status")["listeners"] if each["name"] == "kv")
        self.assertGreater(kv["memory_refused"], 0)
        self.assertLess(most, 2 * MEMORY_MAX, f"{most >> 20} MiB more than before")


if __name__ == "__main__":
    main()
