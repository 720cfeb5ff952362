import asyncio
import threading

import pytest

from pixelis.agent.batcher import Batcher
from pixelis.errors import ModelError
from pixelis.models.policy import Profile, Request, Sampling, Turn


class Echo:
    """Answers each request with its question; some questions fail, alone or with others."""

    name = "echo"
    profile = Profile("echo")

    def __init__(self, poison=(), short=False, held=False):
        self.poison, self.short = set(poison), short
        self.gate = threading.Event()
        if not held:
            self.gate.set()
        self.batches = []
        self.at_once = self.most_at_once = 0

    def generate(self, requests, sampling):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.gate.wait(30)
        words = [request.messages[0]["content"] for request in requests]
        self.batches.append(words)
        self.at_once -= 1
        if self.poison & set(words):
            raise ModelError(f"cannot serve {self.poison & set(words)}")
        turns = [Turn(f"{word} at {sampling.temperature:g}") for word in words]
        return turns[:-1] if self.short else turns


def request(word):
    return Request([{"role": "user", "content": word}])


def run(main, policy, **settings):
    async def inside():
        batcher = Batcher(policy, **settings)
        try:
            return await main(batcher)
        finally:
            await batcher.close()

    return asyncio.run(inside())


def test_turns_that_wait_together_are_taken_together():
    async def main(batcher):
        turns = [batcher.turn(request(str(n)), Sampling()) for n in range(10)]
        return [turn.text for turn in await asyncio.gather(*turns)]

    policy = Echo()
    assert run(main, policy, max_batch=4) == [f"{n} at 0" for n in range(10)]
    assert [len(batch) for batch in policy.batches] == [4, 4, 2]
    assert policy.most_at_once == 1


def test_different_sampling_is_not_mixed():
    async def main(batcher):
        turns = [batcher.turn(request(str(n)), Sampling(temperature=n % 2)) for n in range(6)]
        return [turn.text for turn in await asyncio.gather(*turns)]

    policy = Echo()
    assert run(main, policy) == [f"{n} at {n % 2}" for n in range(6)]
    assert sorted(map(len, policy.batches)) == [3, 3]


def test_a_poisoned_request_fails_alone():
    async def main(batcher):
        turns = [batcher.turn(request(str(n)), Sampling()) for n in range(8)]
        return await asyncio.gather(*turns, return_exceptions=True)

    results = run(main, Echo(poison={"3"}))
    assert isinstance(results.pop(3), ModelError)
    assert all(isinstance(result, Turn) for result in results)


def test_a_policy_that_loses_turns_is_found_out():
    async def main(batcher):
        return await batcher.turn(request("x"), Sampling())

    with pytest.raises(ModelError, match="0 turns for 1"):
        run(main, Echo(short=True))


def test_a_cancelled_turn_disturbs_nobody():
    async def main(batcher):
        first = asyncio.create_task(batcher.turn(request("busy"), Sampling()))
        while not policy.at_once:
            await asyncio.sleep(0.001)
        gone = asyncio.create_task(batcher.turn(request("gone"), Sampling()))
        stays = asyncio.create_task(batcher.turn(request("stays"), Sampling()))
        await asyncio.sleep(0)
        gone.cancel()
        policy.gate.set()
        return [(await first).text, (await stays).text, gone.cancelled()]

    policy = Echo(held=True)
    assert run(main, policy)[:2] == ["busy at 0", "stays at 0"]
    assert policy.batches == [["busy"], ["stays"]]


def test_turns_wait_a_little_for_operations_at_work():
    async def main(batcher):
        slow = threading.Event()

        async def episode(gate):
            await batcher.operate(gate.wait, 0 if gate is not slow else 30)
            return await batcher.turn(request("x"), Sampling())

        both = asyncio.gather(episode(threading.Event()), episode(slow))
        while not (batcher.counts.turns or batcher.patience_s > 1):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        slow.set()
        await both

    patient, hasty = Echo(), Echo()
    run(main, patient, patience_s=30.0)
    assert patient.batches == [["x", "x"]]
    run(main, hasty, patience_s=0.001)
    assert hasty.batches == [["x"], ["x"]]


def test_operations_run_beside_the_model_and_beside_each_other():
    async def main(batcher):
        together = threading.Barrier(2)
        waits = [batcher.operate(together.wait, 5) for _ in range(2)]
        turn, *passed = await asyncio.gather(batcher.turn(request("x"), Sampling()), *waits)
        return turn.text, sorted(passed)

    assert run(main, Echo(), workers=2) == ("x at 0", [0, 1])


class Served(Echo):
    """Like a server: several calls at once; those asked to be held wait for the gate."""

    abreast = 3

    def __init__(self, held=(), **settings):
        super().__init__(held=True, **settings)
        self.held = set(held)

    def generate(self, requests, sampling):
        (word,) = [request.messages[0]["content"] for request in requests]
        if word in self.held:
            return super().generate(requests, sampling)
        self.batches.append([word])
        if word in self.poison:
            raise ModelError(f"cannot serve {word}")
        return [Turn(f"{word} at {sampling.temperature:g}")]


def test_no_episode_of_a_server_waits_for_anothers_answer():
    async def main(batcher):
        slow = asyncio.create_task(batcher.turn(request("slow"), Sampling()))
        quick = [await batcher.turn(request(str(n)), Sampling()) for n in range(4)]
        assert not slow.done()
        policy.gate.set()
        return [turn.text for turn in [*quick, await slow]]

    policy = Served(held={"slow"})
    assert run(main, policy) == [*(f"{n} at 0" for n in range(4)), "slow at 0"]


def test_no_more_calls_than_a_server_takes():
    async def main(batcher):
        turns = [asyncio.create_task(batcher.turn(request(w), Sampling())) for w in "abcde"]
        while policy.at_once < 3:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        policy.gate.set()
        return [(await turn).text for turn in turns]

    policy = Served(held=set("abcde"))
    assert run(main, policy) == [f"{word} at 0" for word in "abcde"]
    assert policy.most_at_once == 3


def test_a_request_that_a_server_refuses_fails_alone():
    async def main(batcher):
        turns = [batcher.turn(request(str(n)), Sampling()) for n in range(5)]
        return await asyncio.gather(*turns, return_exceptions=True)

    results = run(main, Served(poison={"3"}))
    assert isinstance(results.pop(3), ModelError)
    assert all(isinstance(result, Turn) for result in results)


def test_a_cancelled_turn_of_a_server_frees_its_episode():
    async def main(batcher):
        gone = asyncio.create_task(batcher.turn(request("slow"), Sampling()))
        while not policy.at_once:
            await asyncio.sleep(0.001)
        gone.cancel()
        await asyncio.wait([gone])
        other = await batcher.turn(request("x"), Sampling())
        policy.gate.set()
        return gone.cancelled(), other.text

    policy = Served(held={"slow"})
    assert run(main, policy) == (True, "x at 0")


def test_an_operation_that_raises_raises_here():
    async def main(batcher):
        await batcher.operate(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run(main, Echo())


def test_a_cancelled_operation_is_waited_for():
    started, release, done = threading.Event(), threading.Event(), threading.Event()

    def operation():
        started.set()
        release.wait(30)
        done.set()

    async def main(batcher):
        work = asyncio.create_task(batcher.operate(operation))
        while not started.is_set():
            await asyncio.sleep(0.001)
        work.cancel()
        await asyncio.sleep(0.01)
        assert not work.done()
        release.set()
        await asyncio.wait([work])
        return work.cancelled() and done.is_set()

    assert run(main, Echo())


def test_closing_cancels_those_who_wait():
    async def main():
        policy = Echo(held=True)
        batcher = Batcher(policy)
        turns = [asyncio.create_task(batcher.turn(request("x"), Sampling())) for _ in range(3)]
        while not policy.at_once:
            await asyncio.sleep(0.001)
        late = asyncio.create_task(batcher.turn(request("y"), Sampling()))
        await asyncio.sleep(0)
        await batcher.close()
        policy.gate.set()
        for turn in turns:
            turn.cancel()
        return await asyncio.gather(late, *turns, return_exceptions=True)

    assert all(isinstance(end, asyncio.CancelledError) for end in asyncio.run(main()))
