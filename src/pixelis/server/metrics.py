"""What the server counts, for Prometheus; every value is fed where the thing happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pixelis.agent import Agent
from pixelis.agent.loop import Rollout

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """One registry for each server, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "pixelis_requests", "Requests answered", ("route", "method", "status"),
            registry=registry,
        )  # fmt: skip
        self.request_s = Histogram(
            "pixelis_request_seconds", "Time of a request, body to last byte", ("route",),
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self.refused = Counter(
            "pixelis_refused", "Requests refused, by reason", ("code",), registry=registry
        )
        self.cancelled = Counter(
            "pixelis_cancelled", "Episodes ended because the client left", registry=registry
        )
        self.episodes = Counter(
            "pixelis_episodes", "Episodes played, by why they ended", ("model", "ended"),
            registry=registry,
        )  # fmt: skip
        self.episode_s = Histogram(
            "pixelis_episode_seconds", "Time of an episode", ("model",),
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self.calls = Counter(
            "pixelis_operation_calls", "Operations called", ("op", "outcome"), registry=registry
        )
        self.tokens = Counter(
            "pixelis_tokens", "Tokens read and written", ("model", "kind"), registry=registry
        )
        self.learning = Counter(
            "pixelis_learning", "Answers put to the learner, or left out as too many wait",
            ("outcome",), registry=registry,
        )  # fmt: skip
        self.waiting = Gauge("pixelis_waiting", "Answers waiting for a place", registry=registry)
        self.running = Gauge("pixelis_running", "Answers under way", registry=registry)
        ProcessCollector(registry=registry)

    def watch(self, agents: Mapping[str, Agent]) -> None:
        """Adds what the agents' batchers have done."""
        self.registry.register(Batches(agents))

    def played(self, model: str, rollout: Rollout, known_ops: Iterable[str]) -> None:
        """Counts an episode that came to its end."""
        episode = rollout.episode
        self.episodes.labels(model, episode.ended).inc()
        self.episode_s.labels(model).observe(episode.seconds)
        names = set(known_ops)
        for step in episode.steps:
            if step.call is not None and step.observation is not None:
                op = step.call.op if step.call.op in names else "unknown"
                outcome = "failed" if step.observation.error else "done"
                self.calls.labels(op, outcome).inc()

    def text(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self.registry)


class Batches(Collector):
    """Reads the batchers' counts when asked."""

    def __init__(self, agents: Mapping[str, Agent]) -> None:
        self._agents = agents

    def collect(self) -> Iterator[Metric]:
        batches = CounterMetricFamily("pixelis_batches", "Generate calls", labels=["model"])
        turns = CounterMetricFamily("pixelis_turns", "Turns taken by the model", labels=["model"])
        largest = GaugeMetricFamily("pixelis_batch_largest", "Largest batch", labels=["model"])
        for name, agent in self._agents.items():
            counts = agent.counts
            batches.add_metric([name], counts.batches)
            turns.add_metric([name], counts.turns)
            largest.add_metric([name], counts.largest)
        yield from (batches, turns, largest)
