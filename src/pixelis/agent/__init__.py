"""The agent: one loop, one batcher."""

from pixelis.agent.agent import Agent
from pixelis.agent.budget import Budget
from pixelis.agent.loop import Rollout, Task
from pixelis.agent.replay import Replay, replay, restore

__all__ = ["Agent", "Budget", "Replay", "Rollout", "Task", "replay", "restore"]
