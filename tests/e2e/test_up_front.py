"""`bigfusion up-front` before the services, and `--health` beside them: what docker-compose.yml relies on."""

import itertools
import os
import subprocess
import time

import pytest
from processes import Process, binary, free_port, wait_until
from shop_stack import Shop

_prefixes = itertools.count(1)


@pytest.fixture
def bare(kafka, request):
    """The servers and the settings, no topic, nothing set up."""
    with Shop(f"e2e-{request.node.name}", broker=kafka, prefix=f"upfront{next(_prefixes)}") as stack:
        stack.start_servers()
        stack.write_config()
        yield stack


@pytest.fixture
def alone(tmp_path):
    """The settings of a stack in which nothing runs yet: a function that starts a program with them."""
    for name in ("token", "key"):
        (tmp_path / name).write_text("value\n")
    port = free_port()
    (tmp_path / "bigfusion.conf").write_text(
        f"[kafka]\nbrokers = 127.0.0.1:{free_port()}\n[redis]\nurl = redis://127.0.0.1:{free_port()}/0\n"
        f"[health]\nlisten = 0.0.0.0:{port}\n"
        f"[console]\nlisten = 127.0.0.1:0\nindex_file = {tmp_path}/index.sqlite\n"
        f"[store main]\nhash = abc123\ntoken_file = {tmp_path}/token\naccount = main\n"
        f"[infusionsoft main]\nkey_file = {tmp_path}/key\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith("BIGFUSION_")}
    started = []

    def start(*command):
        words = [binary(command[0]), *command[1:], "--config", f"{tmp_path}/bigfusion.conf"]
        started.append(Process(command[0], words, str(tmp_path), env=env))
        return started[-1]
    yield start
    for process in started:
        if process.alive():
            process.kill()


def up_front(stack):
    return Process("up-front", [binary("bigfusion"), "up-front", "--config", stack.config], stack.run,
                   env=stack.environment())


def errors(process):
    return [line for line in process.text().splitlines() if " error " in line]


def assert_ends_at_once(process):
    begun = time.monotonic()
    process.terminate()
    status = process.wait()
    assert time.monotonic() - begun < 10, process.tail()  # it is killed after 15 s
    return status


def test_up_front_waits_for_redis_then_does_everything_and_may_be_repeated(bare):
    bare.redis.stop()
    process = up_front(bare)
    wait_until(lambda: "waiting for=redis" in process.text(), 30, process.tail)
    bare.redis.start()
    assert process.wait(60) == 0, process.tail()
    said = process.text()
    assert "topics: 23 created, 0 were there already" in said
    assert "delivery ledger: started" in said and "custom field" in said
    assert said.splitlines()[-1] == "up-front: everything is there"
    assert errors(process) == []
    again = bare.command("up-front")
    assert "topics: 0 created, 23 were there already" in again.stdout


def test_up_front_stops_where_a_person_must_act(bare):
    bare.sandbox_settings(key_accepted=False)
    answer = bare.command("up-front", check=False)
    assert answer.returncode == 100
    assert "account main" in answer.stderr and "the credential is refused" in answer.stderr


def test_up_front_goes_on_when_the_account_answers_again(bare):
    fault = bare.fault(side="is", kind="status", status=503)
    process = up_front(bare)
    wait_until(lambda: "waiting for=infusionsoft" in process.text(), 60, process.tail)
    assert bare.call("GET", f"/sandbox/faults/{fault['id']}")["fired"] > 0
    bare.clear_faults()
    assert process.wait(60) == 0, process.tail()


def test_up_front_minds_term_while_there_is_no_broker(alone):
    process = alone("bigfusion", "up-front")
    wait_until(lambda: "waiting for=kafka" in process.text(), 30, process.tail)
    assert errors(process) == []
    assert assert_ends_at_once(process) == 111


def test_up_front_minds_term_while_there_is_no_redis(bare):
    bare.redis.stop()
    process = up_front(bare)
    wait_until(lambda: "waiting for=redis" in process.text(), 30, process.tail)
    assert assert_ends_at_once(process) == 111


@pytest.mark.parametrize("service", ["poller", "filter", "mapper", "pusher", "console"])
def test_a_service_that_waits_for_its_servers_logs_no_error_and_is_alive(alone, service):
    """An error means that a person must act. A broker that is not there yet is waited for."""
    process = alone(f"bigfusion-{service}")
    wait_until(lambda: "listening for=health" in process.text(), 30, process.tail)
    wait_until(lambda: "warn" in process.text(), 30, process.tail)
    if service in ("filter", "mapper"):  # these look for their topics first
        wait_until(lambda: "orders." in process.text(), 30, process.tail)
    assert errors(process) == []
    ask = lambda: subprocess.run([*process.command[:1], "--health", *process.command[1:]], env=process.env,  # noqa: E731
                                 capture_output=True, text=True, timeout=20, check=False)
    wait_until(lambda: (asked := ask()).returncode == 0 and asked.stdout == "alive\n", 20, process.tail)  # it waits 3 s for an answer
    process.kill()
    asked = ask()
    assert asked.returncode == 1 and "Connection refused" in asked.stdout


def test_health_says_when_nothing_can_be_asked(alone):
    process = alone("bigfusion-filter", "--health")
    process.env["BIGFUSION_HEALTH_LISTEN"] = "off"
    process.wait()
    asked = subprocess.run(process.command, env=process.env, capture_output=True, text=True, timeout=20, check=False)
    assert asked.returncode == 1 and "[health] listen is off" in asked.stdout
    asked = subprocess.run([binary("bigfusion"), "topics", "create", "--health"], env=process.env, capture_output=True,
                           text=True, timeout=20, check=False)
    assert asked.returncode == 100 and "--health" in asked.stderr
