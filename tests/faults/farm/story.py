"""What happened in a round, line by line, and what is counted over all rounds."""

from collections import Counter


class Counts:
    """Statements, faults and findings of all rounds."""

    def __init__(self):
        self.statements = Counter()
        self.faults = Counter()
        self.outcomes = Counter()
        self.processes = 0

    def add(self, other):
        self.statements += other.statements
        self.faults += other.faults
        self.outcomes += other.outcomes
        self.processes += other.processes


class Story:
    """The lines of one round; threads add to it at the same time."""

    def __init__(self):
        self.lines = []
        self.counts = Counts()

    def tell(self, line):
        self.lines.append(line)

    def statement(self, who, statement, rule, hit, outcome, then=""):
        """Notes a statement that was run."""
        self.counts.statements[statement.kind] += 1
        self.counts.outcomes[outcome.state if not then else then] += 1
        fault = ""
        if rule and hit:
            fault = f"  -- {rule}: {hit.seen} calls looked at, {hit.fired} hit"
            if hit.fired:
                self.counts.faults[rule.fault] += 1
                fault += f", first {hit.where}"
        self.tell(f"{who}: {statement.sql};{fault}\n    {outcome.state} {then}".rstrip())
        if outcome.error:
            self.tell("    " + outcome.error.strip().replace("\n", "\n    "))
