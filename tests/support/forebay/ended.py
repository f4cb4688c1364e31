"""A run that has ended, with what a test asks of it."""

from . import protocol

USED = ("cpu_user_micros", "cpu_system_micros", "max_rss_bytes", "cpu_micros")
STREAMS = {number: name for name, number in protocol.enum("LogStream").items()}


class Ended:
    def __init__(self, api, run_id: str):
        self.id = run_id
        run = api.run(run_id, full=True)
        self.state = protocol.STATES[run.state.type]
        self.reason, self.message = run.state.reason, run.state.message
        self.exit_code = run.exit_code if run.HasField("exit_code") else None
        self.attempts = run.attempt_count
        self.usage = run.attempts[-1].usage
        self.entries = [line.entry for line in api.log(run_id)]
        # What user code wrote, and what was said about it.
        self.lines = [entry.text for entry in self.entries if STREAMS[entry.stream] != "SYSTEM"]
        self.told = [entry.text for entry in self.entries if STREAMS[entry.stream] == "SYSTEM"]

    @property
    def measured(self) -> list[str]:
        """The figures of its use that are known."""
        return [name for name in USED if self.usage.HasField(name)]

    @property
    def infrastructure(self) -> str:
        """The name of its first attempt's container or Job."""
        return f"forebay-{self.id}-1"


def reasons(api, run_id: str) -> list[str]:
    """Of the attempts that are over."""
    attempts = api.run(run_id, full=True).attempts
    return [attempt.outcome.reason for attempt in attempts if attempt.outcome.reason]
