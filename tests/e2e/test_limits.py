"""Poller and pusher need open files: they raise their soft limit, and where the hard one is too low they say what they need."""

import os
import re

from processes import RUNS, Process, binary, free_port, wait_until

STORES = 20
NEEDED = 64 + 4 * STORES


def start(name, soft, hard, program="bigfusion-poller"):
    """A program of 20 stores under these limits of open files. It has no Kafka and no Redis, and waits for them."""
    run = os.path.join(RUNS, name)
    os.makedirs(run, exist_ok=True)
    sections = [f"[kafka]\nbrokers = 127.0.0.1:{free_port()}\n[redis]\nurl = redis://127.0.0.1:{free_port()}\n",
                f"[infusionsoft main]\nkey_file = {run}/token\n"]
    sections += [f"[store s{i}]\ncode = S{i}\nhash = abc{i}\naccount = main\ntoken_file = {run}/token\n" for i in range(STORES)]
    for path, text in (("bigfusion.conf", "".join(sections)), ("token", "secret\n")):
        with open(os.open(f"{run}/{path}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    env = {k: v for k, v in os.environ.items() if not k.startswith("BIGFUSION_")}
    command = ["prlimit", f"--nofile={soft}:{hard}", binary(program), "--config", f"{run}/bigfusion.conf"]
    process = Process(program, command, run, env=env)
    return process


def allowed(process):
    """The soft limit of open files that the poller has now."""
    with open(f"/proc/{process.pid}/limits", encoding="utf-8") as file:
        return int(re.search(r"^Max open files +(\d+)", file.read(), re.M)[1])


def test_a_hard_limit_that_is_too_low_ends_the_poller_with_100_and_the_figures():
    process = start("poller-limits-hard", 64, NEEDED - 1)
    assert process.wait(20) == 100
    assert f"20 stores need {NEEDED} open files, and this process may have {NEEDED - 1}" in process.text()
    assert "LimitNOFILE=" in process.text()


def test_the_soft_limit_is_raised_as_far_as_the_stores_need_it_and_the_hard_one_allows():
    process = start("poller-limits-soft", 64, NEEDED)
    try:
        wait_until(lambda: allowed(process) == NEEDED, 20, process.tail)
        assert process.alive()
    finally:
        assert process.stop() == 0


def test_a_pusher_says_what_its_workers_and_accounts_need():
    process = start("pusher-limits-hard", 64, 200, "bigfusion-pusher")
    assert process.wait(20) == 100
    assert f"32 workers and 1 accounts need {64 + 5 * 32 + 8} open files, and this process may have 200" in process.text()
