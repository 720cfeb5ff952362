"""One update of adapters from groups of episodes: GRPO's policy gradient, behind an interface.

    L = - mean over tokens of A * min(r, clipped r) + beta * KL(policy || promoted)

with A the group-relative advantage times the group's weight, r the ratio to the policy that wrote
the episodes (clipped further up than down: Yu et al. 2025, doi:10.48550/arXiv.2503.14476), and the
KL estimated per token as exp(d) - d - 1, d = promoted - own log probability (Schulman 2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import torch

from pixelis.agent import Rollout
from pixelis.evolve import guardrails
from pixelis.online.settings import EvolveConfig
from pixelis.online.wear import Wearer
from pixelis.training.collator import Collator

CLIP_LOW, CLIP_HIGH = 0.2, 0.28
ROWS = 8  # episodes in one pass


class Group(NamedTuple):
    """Episodes of one question with their rewards; `weight` is how much the question counts."""

    rollouts: Sequence[Rollout]
    rewards: Sequence[float]
    weight: float = 1.0


class Figures(NamedTuple):
    """What an update did.

    Attributes:
        used: whether weights changed; not when the batch was skipped or had nothing to teach.
        kl: to the promoted version, mean nats per token, before the update.
        gradient: norm before clipping.
        entropy: mean surprise of the written tokens, in nats.
        change: norm of all that changed since the promoted version, after capping.
    """

    used: bool
    kl: float
    gradient: float
    entropy: float
    change: float
    beta: float
    tokens: int


class Update(Protocol):
    """Anything that changes the worn adapters by groups of episodes."""

    def step(self, groups: Sequence[Group], rate: float) -> Figures: ...


class PolicyGradient:
    """The update, with tiers 1 and 2 of safety inside (see `pixelis.evolve.guardrails`).

    Args:
        wearer: its adapters are trained.
        config: which tiers are on, and their sizes.
    """

    def __init__(self, wearer: Wearer, config: EvolveConfig) -> None:
        self.wearer, self.config = wearer, config
        policy = wearer.policy
        self.model = policy.model
        context = int(self.model.config.get_text_config().max_position_embeddings)
        self.collator = Collator(policy.processor, policy.profile, context)
        self.parameters = [p for n, p in self.model.named_parameters() if "lora_" in n]
        self.behaviour = guardrails.Behaviour(target=config.kl_target)
        self.anchor: Mapping[str, Any] = wearer.state()
        self.renew()

    def renew(self) -> None:
        """From now on the worn adapters are what may not be left far behind."""
        self.anchor = self.wearer.state()
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-4, weight_decay=0.0)

    def step(self, groups: Sequence[Group], rate: float) -> Figures:
        """One step at this learning rate; the weights are as before when it is not used."""
        rows = self._rows(groups)
        if not rows:
            return Figures(False, 0.0, 0.0, 0.0, self.change(), self.behaviour.beta, 0)
        chunks = [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]
        inputs = [self.collator.padded([row for row, _ in chunk]) for chunk in chunks]
        with torch.no_grad():
            own = [self._logprobs(one)[0] for one in inputs]
            with self._anchored():
                promoted = [self._logprobs(one)[0] for one in inputs]
        tokens = sum(int(one.numel()) for one in own)
        kl = sum(float(_kl(a, b).sum()) for a, b in zip(own, promoted, strict=True)) / tokens
        entropy = -sum(float(one.sum()) for one in own) / tokens
        use, beta = True, 0.0
        if self.config.behaviour:
            use, self.behaviour = self.behaviour.observe(kl)
            beta = self.behaviour.beta
        if not use:
            return Figures(False, kl, 0.0, entropy, self.change(), beta, tokens)
        self.optimizer.zero_grad(set_to_none=True)
        for chunk, one, old, ref in zip(chunks, inputs, own, promoted, strict=True):
            new, places = self._logprobs(one)
            weights = torch.tensor([advantage for _, advantage in chunk])[places.cpu()]
            ratio = (new - old).exp()
            gain = weights.to(new.device)
            clipped = ratio.clamp(1 - CLIP_LOW, 1 + CLIP_HIGH)
            loss = -torch.minimum(gain * ratio, gain * clipped) + beta * _kl(new, ref)
            (loss.sum() / tokens).backward()
        norm = self._apply(rate)
        done = math.isfinite(norm)
        return Figures(done, kl, norm, entropy, self.change(), beta, tokens)

    def change(self) -> float:
        """Norm of the difference between the worn adapters and the anchor."""
        state = self.wearer.state()
        total = sum(
            float((state[n] - old).float().square().sum()) for n, old in self.anchor.items()
        )
        return math.sqrt(total)

    def _rows(self, groups: Sequence[Group]) -> list[tuple[Rollout, float]]:
        """Episodes with something to teach, and their advantages."""
        rows = []
        for group in groups:
            advantages = guardrails.advantages(group.rewards) * abs(group.weight)
            for rollout, advantage in zip(group.rollouts, advantages, strict=True):
                if rollout.messages and abs(advantage) > 1e-9:
                    rows.append((rollout, float(advantage)))
        return rows

    def _logprobs(self, inputs: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Log probabilities of the written tokens, and the row each stands in."""
        given = {n: v.to(self.model.device) for n, v in inputs.items() if n != "labels"}
        labels = inputs["labels"].to(self.model.device)[:, 1:]
        logits = self.model(**given, use_cache=False).logits[:, :-1].float()
        written = labels != -100
        chosen = (logits[written] / self.config.temperature).log_softmax(-1)
        found = chosen.gather(1, labels[written][:, None])[:, 0]
        return found, written.nonzero()[:, 0]

    @contextmanager
    def _anchored(self) -> Iterator[None]:
        """The promoted adapters, for the time of the block."""
        mine = self.wearer.state()
        self.wearer.load(self.anchor)
        try:
            yield
        finally:
            self.wearer.load(mine)

    def _apply(self, rate: float) -> float:
        """Clips, steps, caps; gives the gradient's norm before clipping."""
        grads = [p.grad for p in self.parameters if p.grad is not None]
        norm = float(torch.stack([g.norm() for g in grads]).norm()) if grads else 0.0
        if not math.isfinite(norm):
            return norm
        if self.config.magnitude:
            factor = guardrails.clip(norm, self.config.clip)
            for grad in grads:
                grad.mul_(factor)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        if self.config.magnitude:
            keep = guardrails.cap(self.change(), self.config.cap)
            if keep < 1.0:
                state = self.wearer.state()
                self.wearer.load(
                    {n: old + keep * (state[n] - old) for n, old in self.anchor.items()}
                )
        return norm


def _kl(own: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    gap = reference - own
    return gap.exp() - gap - 1
