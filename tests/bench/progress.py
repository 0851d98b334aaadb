"""Progress: how far a measurement is, and how much longer it will take. Pure: the caller has the clock."""


class Progress:
    """Steps known beforehand, done in order or given up. A step is of a kind; those of one kind take about as long.

    steps: the kind of each; expected: the seconds of each kind, to go by until one of it has been measured.
    """

    def __init__(self, steps, expected):
        self.left = list(steps)
        self.total = len(self.left)
        self.expected = expected
        self.measured = {}

    def number(self):
        """Which step is under way, counted from 1."""
        return self.total - len(self.left) + 1

    def took(self, kind, seconds):
        """The next step of this kind is done."""
        self.left.remove(kind)
        self.measured.setdefault(kind, []).append(seconds)

    def give_up(self, kind):
        """None of the steps of this kind that are left will be done."""
        self.total -= self.left.count(kind)
        self.left = [step for step in self.left if step != kind]

    def seconds_left(self):
        return sum(self._seconds(kind) for kind in self.left)

    def _seconds(self, kind):
        known = self.measured.get(kind)
        return sum(known) / len(known) if known else self.expected[kind]


def duration(seconds):
    """A duration for people: seconds below two minutes, else minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
