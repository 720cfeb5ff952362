"""One update of adapters from groups of episodes: GRPO's policy gradient, with two tiers of safety.

    L = - mean over tokens of A * min(r, clipped r) + beta * KL(policy || promoted)

with A the group-relative advantage times the group's weight, r the ratio to the policy that wrote
the episodes (clipped further up than down: Yu et al. 2025, doi:10.48550/arXiv.2503.14476), and the
KL estimated per token as exp(d) - d - 1, d = promoted - own log probability (Schulman 2020).

Lines and tensors are those of reinforcement fine-tuning (`pixelis.training.lines`), so what is read
and not learned is the same. The loss is written out here and not TRL's (`LineTrainer`), because a
step must know its KL before it is taken (the batch may be skipped), weighs it by a beta that
moves, has a learning rate of its own, and may be pulled back afterwards; TRL's trainer owns its
loop and offers none of these between forward and backward. Tests hold both to one formula, by hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

from pixelis.agent import Rollout
from pixelis.evolve import guardrails
from pixelis.online.settings import EvolveConfig
from pixelis.online.wear import Wearer
from pixelis.training.lines import Weighed, line_of, tensors

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
        self.processor = policy.processor
        self.processor.set_budget(policy.profile.budget)
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

    def retreat(self, share: float = 0.5) -> None:
        """Goes that share of the way back to the anchor; weights too far from it would have every
        batch skipped."""
        state = self.wearer.state()
        self.wearer.load({n: state[n] + share * (old - state[n]) for n, old in self.anchor.items()})

    def step(self, groups: Sequence[Group], rate: float) -> Figures:
        """One step at this learning rate; the weights are as before when it is not used."""
        rows = self._rows(groups)
        if not rows:
            return Figures(False, 0.0, 0.0, 0.0, self.change(), self.behaviour.beta, 0)
        chunks = [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]
        batches = [tensors(chunk, self.processor, self.model.device) for chunk in chunks]
        with torch.no_grad():
            own = [self._logprobs(one) for one in batches]
            with self._anchored():
                promoted = [self._logprobs(one) for one in batches]
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
        for one, ref in zip(batches, promoted, strict=True):
            (self._losses(one, ref, beta).sum() / tokens).backward()
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

    def _rows(self, groups: Sequence[Group]) -> list[Weighed]:
        """Lines of the episodes with something to teach, and their advantages."""
        rows = []
        for group in groups:
            advantages = guardrails.advantages(group.rewards) * abs(group.weight)
            for rollout, advantage in zip(group.rollouts, advantages, strict=True):
                if not rollout.messages or abs(advantage) <= 1e-9:
                    continue
                line = line_of(rollout, self.processor)
                if line.logprobs:
                    rows.append(Weighed(line, float(advantage)))
        return rows

    def _losses(
        self, batch: Mapping[str, Any], promoted: torch.Tensor, beta: float
    ) -> torch.Tensor:
        """The loss of every learned token (n,); see the module."""
        learned = _learned(batch)
        new, old = self._logprobs(batch), batch["chosen_logprobs"][learned]
        gain = batch["advantages"].to(new.dtype)[learned.nonzero()[:, 0]]
        ratio = (new - old).exp()
        clipped = ratio.clamp(1 - CLIP_LOW, 1 + CLIP_HIGH)
        return -torch.minimum(gain * ratio, gain * clipped) + beta * _kl(new, promoted)

    def _logprobs(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Log probabilities of the learned tokens (n,), row by row."""
        parts = ("ids", "mask")
        ids, mask = (torch.cat([batch[f"prompt_{p}"], batch[f"completion_{p}"]], 1) for p in parts)
        seen = {name: batch[name] for name in ("pixel_values", "image_grid_thw")}
        logits = self.model(
            input_ids=ids, attention_mask=mask, mm_token_type_ids=batch["mm_token_type_ids"],
            use_cache=False, **seen,
        ).logits[:, -1 - batch["completion_ids"].shape[1] : -1]  # fmt: skip
        learned = _learned(batch)
        chosen = (logits[learned].float() / self.config.temperature).log_softmax(-1)
        return chosen.gather(1, batch["completion_ids"][learned][:, None])[:, 0]

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


def _learned(batch: Mapping[str, Any]) -> torch.Tensor:
    """True on the tokens behind the prompt that the model chose."""
    return (batch["tool_mask"] * batch["completion_mask"]).bool()


def _kl(own: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    gap = reference - own
    return gap.exp() - gap - 1
