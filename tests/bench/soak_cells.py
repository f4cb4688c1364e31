"""Minutes of half the load that the server can take, while autovacuum does its work beside it."""

from cells import Bench


class SoakCells:
    def __init__(self, bench: Bench):
        self._bench = bench

    def soak(self, minutes: int, most: float) -> dict[str, float]:
        """`most`: runs a second at full load. The last minute beside the first, which are checked as each between them, and
        the server's memory after a quarter of the time and at the end."""
        rate = max(1, int(most / 2))
        told, memory = [], []
        for _ in range(max(2, minutes)):
            told.append(self._bench.loaded_pickup(rate, 60))
            memory.append(self._bench.server.rss_bytes() / 2**20)
        return {
            "rate_percent": 100 * told[-1]["rate"] / told[0]["rate"],
            "first_p99_ms": told[0]["pickup_p99_ms"],
            "last_p99_ms": told[-1]["pickup_p99_ms"],
            "quarter_rss_mb": memory[(len(memory) - 1) // 4],
            "end_rss_mb": memory[-1],
        }
