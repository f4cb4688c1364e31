"""Everything at once: two servers, three workers, random faults between and in them and their database."""

import os
import secrets

import pytest
from forebay.mix import LIMITS, Client, Installation, settle
from forebay.mix_faults import Mix, plan
from forebay.waiting import wait_until

# How long faults go on; scripts/test sets it.
SECONDS = float(os.environ.get("FOREBAY_MIX_SECONDS", "60"))


def check(env, keys: list[str]):
    """Each key has one run; each run came to the end that its work has, or was cancelled; nothing is left over."""
    assert env.checker.value("SELECT count(*) FROM flow_runs") == len(keys)
    ends = env.checker.rows(
        """SELECT f.id::text, d.name, f.state, f.state_reason FROM flow_runs f JOIN deployments d ON d.id = f.deployment_id"""
    )
    astray = [end for end in ends if end[2] not in ("CANCELLED", "FAILED" if end[1] == "fails" else "COMPLETED")]
    assert not astray, f"{len(astray)} of {len(ends)} runs: {astray[:10]}"
    for run_id, _, state, _ in ends:
        starts = len(env.marks.starts(run_id))
        assert starts == 1 or (state == "CANCELLED" and starts == 0), f"{run_id} is {state}, began {starts} times"
    env.checker.check(env.api, env.marks, pool_limits={"alpha": max(LIMITS)})
    env.checker.check_no_leaks([end[0] for end in ends])


@pytest.mark.minutes
def test_a_mix_of_faults_loses_nothing_and_doubles_nothing(env):
    """FOREBAY_MIX_SEED repeats a list of faults, FOREBAY_MIX_SECONDS says for how long they go on."""
    seed = int(os.environ.get("FOREBAY_MIX_SEED") or secrets.randbelow(1 << 31))
    print(f"FOREBAY_MIX_SEED={seed} FOREBAY_MIX_SECONDS={SECONDS:.0f}")
    installation = Installation(env)
    clients = [Client(installation, seed + number) for number in range(4)]
    mix = Mix(installation, clients)
    for client in clients:
        client.start()
    mix.run(plan(seed, SECONDS))
    settle(installation)
    for client in clients:
        client.finish()
        env.api.submitted += client.accepted
    left = "SELECT count(*) FROM flow_runs WHERE state IS NULL"
    wait_until(lambda: env.checker.value(left) == 0, deadline=240, what="every run has ended")
    assert mix.count > SECONDS / 5
    check(env, [key for client in clients for key in client.keys])
    print(f"{mix.count} faults, {len(env.api.submitted)} submissions")
