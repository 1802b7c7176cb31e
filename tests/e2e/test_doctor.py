"""`bigfusion doctor`: all ok on a healthy stack; on a broken one the right line fails, with the right advice."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from patient import Patient
from processes import ROOT, RUNS, Kafka, Redis, binary, free_port, wait_until, write_topic
from test_kafka import kafka_tool, set_topic


@pytest.fixture(scope="module")
def stack(kafka):
    with Patient("e2e-doctor", broker=kafka, prefix="doctor", account={"tenant": "sandbox.infusionsoft.com"}) as patient:
        patient.start_servers()
        patient.sandbox_settings(tenant="sandbox.infusionsoft.com")
        patient.write_config()
        patient.command("topics", "create")
        patient.command("setup")
        yield patient


@pytest.fixture(autouse=True)
def healed(stack):
    yield
    stack.clear_faults()
    stack.sandbox_settings(ecommerce=True, clock_skew_s=0, key_accepted=True)


@pytest.fixture
def other_redis(stack, request):
    """Starts another Redis with these options; its ledger is a new one."""
    started = []

    def start(*options):
        shutil.rmtree(f"{stack.run}/{request.node.name}", ignore_errors=True)
        started.append(Redis(stack.run, request.node.name, options))
        return started[-1]
    yield start
    for redis in started:
        redis.stop()


# -- healthy -------------------------------------------------------------------------------------------------------


def test_all_is_ok_on_a_healthy_stack_and_nothing_is_changed(stack):
    mark, keys = len(stack.journal()), stack.redis.command("DBSIZE")
    report = stack.report()
    assert report.bad() == {} and report.status == 0, report.findings
    assert report.json["fail"] == 0 and report.seconds < 10, "two seconds, and more on a busy machine"
    assert stack.redis.command("DBSIZE") == keys
    assert all(entry["method"] == "GET" for entry in stack.journal()[mark:])


def test_lines_for_people_have_no_colours_in_a_pipe_and_end_with_a_summary(stack):
    answer, _ = stack.doctor()
    lines = answer.stdout.splitlines()
    assert "\x1b" not in answer.stdout
    assert re.fullmatch(r"\d+ checks: \d+ ok, \d+ warn, 0 fail, \d+ skipped", lines[-1])
    assert all(re.match(r"(ok|warn|fail|skip) +[a-z]", line) for line in lines[:-1])
    assert any(line.startswith("ok    store token [main]") for line in lines)


def test_every_check_is_documented_and_every_documented_check_runs(stack):
    with open(f"{ROOT}/docs/doctor.md", encoding="utf-8") as file:
        documented = re.findall(r"^\| `([a-z -]+)` \|", file.read().split("## The checks")[1], re.M)
    config = stack.variant("mapped", more=f"[store mapped]\nhash = abc124\naccount = main\ncode = M\napi_url = {stack.url}\n"
                                          f"token_file = {stack.run}/bc_token\nfield.Nobody has it = status\n")
    report = stack.report(config=config, STORE_MAIN_PAYMENTS="paid", STORE_MAIN_PAYMENT_TYPE="Cash")  # two checks are about these
    checks = {finding["check"] for finding in report.findings}
    assert report.of("account payment types")["level"] == "ok"
    report.says("account mapped fields", "fail", "[store mapped] field.Nobody has it", "make it in the account", "main")
    assert len(documented) == len(set(documented)) and set(documented) == checks


def test_bad_settings_are_reported_and_all_else_is_skipped(stack):
    config = stack.variant("twice", more="[store twin]\nhash = abc123\naccount = main\ncode = T\ntoken_file = /dev/null\n")
    report = stack.report(config=config)
    assert report.status == 100
    report.says("configuration", "fail", "[store main] has the same", "correct")
    assert {f["level"] for f in report.findings if f["check"] != "configuration"} == {"skip"}
    report.says("kafka", "skip", "skipped because the configuration", "")


# -- this machine --------------------------------------------------------------------------------------------------


def test_a_secret_that_is_missing_fails_and_only_its_store_is_skipped(stack):
    report = stack.report(STORE_MAIN_TOKEN_FILE=f"{stack.run}/nowhere")
    assert report.status == 100
    report.says("secret files", "fail", "nowhere: No such file", "put the secret there", "main")
    report.says("store token", "skip", "its token_file cannot be read", "")
    assert report.of("account credential")["level"] == report.of("kafka")["level"] == "ok"


def test_a_secret_that_everybody_can_read_is_a_warning(stack):
    os.chmod(f"{stack.run}/bc_token", 0o644)
    try:
        report = stack.report()
    finally:
        os.chmod(f"{stack.run}/bc_token", 0o600)
    assert report.bad() == {"protection": "warn"} and report.status == 0
    report.says("protection", "warn", f"can be read by every user: file {stack.run}/bc_token (0644)", "set it to 0600")


def test_too_few_descriptors(stack):
    report = stack.report(limit=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))
    assert report.bad() == {"descriptors": "fail"} and report.status == 100
    report.says("descriptors", "fail", "may open 100 files here", "ulimit -Hn")


# -- Kafka ---------------------------------------------------------------------------------------------------------


def test_wrong_kafka_address(stack):
    report = stack.report(KAFKA_BROKERS="127.0.0.1:1")
    assert report.status == 111
    report.says("kafka", "fail", "Connection refused", "check [kafka] brokers")
    for check in ("kafka topic creation", "topics", "partitions", "copies", "topic settings"):
        report.says(check, "skip", "because Kafka cannot be reached", "")
    assert report.of("redis")["level"] == report.of("store token")["level"] == "ok", "the others were looked at"


def test_a_setting_of_librdkafka_that_does_not_exist(stack):
    report = stack.report(config=stack.variant("rdkafka", more="[librdkafka]\nno.such.thing = 1\n"))
    assert report.status == 100
    report.says("kafka", "fail", "no.such.thing", "correct")


def test_missing_topics(stack):
    more = f"[infusionsoft second]\nkey_file = {stack.run}/infusionsoft_key\napi_url = {stack.url}/crm/rest/v2\n"
    report = stack.report(config=stack.variant("second", more=more))
    assert report.bad() == {"topics": "fail"} and report.status == 100
    report.says("topics", "fail", "are missing: doctor.waiting.second, doctor.waiting-orders.second",
                "run `bigfusion topics create`")
    report.says("account credential", "ok", "takes it", "", "second")


def test_no_topics_at_all(stack):
    report = stack.report(KAFKA_TOPIC_PREFIX="nobody")
    assert report.status == 100 and report.of("topics")["level"] == "fail"
    report.says("partitions", "skip", "there is no topic", "")
    report.says("ledger", "warn", "there is none", "bigfusion setup")


def test_too_few_partitions(stack):
    report = stack.report(KAFKA_PARTITIONS="7")
    assert report.bad() == {"partitions": "fail"} and report.status == 100
    report.says("partitions", "fail", "doctor.orders.raw: partitions is 4, expected 7", "add partitions")


def test_too_few_copies(stack):
    report = stack.report(KAFKA_REPLICATION="3", KAFKA_MIN_INSYNC_REPLICAS="1")
    assert report.bad() == {"copies": "fail"} and report.status == 100
    report.says("copies", "fail", "replication factor is 1, expected 3", "kafka-reassign-partitions.sh")


def test_wrong_retention(stack):
    set_topic(stack.broker, "doctor.orders.raw", "retention.ms=3600000")
    try:
        report = stack.report()
    finally:
        set_topic(stack.broker, "doctor.orders.raw", "retention.ms=2592000000")
    assert report.bad() == {"topic settings": "fail"} and report.status == 100
    report.says("topic settings", "fail", "doctor.orders.raw: retention.ms is 3600000, expected 2592000000", "kafka-configs.sh")


def test_records_that_are_too_large_for_the_topics(stack):
    report = stack.report(KAFKA_MAX_RECORD_BYTES="4194304")
    assert report.bad() == {"topic settings": "fail"}
    report.says("topic settings", "fail", "doctor.orders.raw: max.message.bytes is 1048576, expected 4194304", "kafka-configs.sh")


def test_brokers_that_create_topics_by_themselves_and_few_partitions_are_said_once_at_start(tmp_path):
    """Also: the doctor's own questions create no topic on such a broker."""
    folder = f"{RUNS}/e2e-doctor-creates"
    os.makedirs(folder, exist_ok=True)
    broker = Kafka(folder, {"auto.create.topics.enable": "true"})
    try:
        with Patient("e2e-doctor-creates-stack", broker=broker, prefix="creates") as stack:
            stack.start_servers()
            stack.write_config()
            stack.report()
            listed = kafka_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", broker.address, "--list")
            assert "creates." not in listed
            stack.command("topics", "create")
            stack.command("setup")
            report = stack.report()
            assert report.bad() == {"kafka topic creation": "warn"} and report.status == 0
            report.says("kafka topic creation", "warn", "create a topic when somebody asks", "auto.create.topics.enable=false")
            stack.env["BIGFUSION_KAFKA_PARTITIONS"] = "5"
            for name in ("poller", "filter"):
                stack.start_service(name)
            for name in ("poller", "filter"):
                service = stack.services[name]
                wait_until(lambda s=service: "few partitions topic=creates.orders.raw partitions=4 configured=5" in s.text(),
                           30, service.tail)
                wait_until(lambda s=service: "kafka creates topics by itself" in s.text(), 30, service.tail)
                assert service.text().count("kafka creates topics by itself") == 1
                assert service.text().count("few partitions topic=creates.orders.raw ") == 1
            assert set(stack.stop().values()) == {0}
    finally:
        broker.stop()


def test_the_time_that_a_broker_gave_to_a_record(stack):
    """Only the records of the retry topics have a broker's time."""
    stack.report().says("kafka clock", "skip", "they have none", "")
    write_topic(stack.broker.address, stack.topic("retry-10m"), "abc123/order/1", b"{}")
    stack.report().says("kafka clock", "ok", "not of the future", "")


@pytest.mark.parametrize("after_s", [0.02, 0.04, 0.08])
def test_kafka_freezes_while_it_is_asked(stack, after_s):
    """At whatever moment: nothing is asked without a limit."""
    process = subprocess.Popen([binary("bigfusion"), "doctor", "--config", stack.config], env=stack.environment(),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(after_s)
    stack.broker.process.popen.send_signal(signal.SIGSTOP)
    try:
        output, _ = process.communicate(timeout=40)
    finally:
        process.kill()
        stack.broker.process.popen.send_signal(signal.SIGCONT)
    wait_until(lambda: not stack.report().bad(), 30, lambda: f"the broker to be whole again: {stack.report().bad()}")
    assert process.returncode in (0, 100, 111) and re.search(r"^\d+ checks: ", output, re.M), output


# -- Redis ---------------------------------------------------------------------------------------------------------


def test_redis_cannot_be_reached(stack):
    report = stack.report(REDIS_URL="redis://127.0.0.1:1/0")
    assert report.status == 111, report.bad()
    report.says("redis", "fail", "Connection refused", "check [redis] url")
    for check in ("redis version", "redis role", "redis persistence", "redis eviction", "redis clock", "ledger"):
        report.says(check, "skip", "because Redis cannot be used", "")


def test_redis_refuses_the_login(stack, other_redis):
    redis = other_redis()
    assert redis.command("CONFIG", "SET", "requirepass", "right-one") == b"OK"
    report = stack.report(REDIS_URL=f"redis://:wrong-one@127.0.0.1:{redis.port}/0")
    assert report.status == 100 and "wrong-one" not in report.text
    report.says("redis", "fail", "AUTH is refused", "check user, password")
    report = stack.report(REDIS_URL=redis.url)
    assert report.status == 100
    report.says("redis", "fail", "NOAUTH", "check user, password")


@pytest.mark.parametrize("options, check, level, finding, advice", [
    (("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"), "redis eviction", "fail", "drops entries", "noeviction"),
    (("--appendonly", "no"), "redis persistence", "fail", "appendonly is off", "appendonly yes"),
    (("--appendfsync", "everysec"), "redis persistence", "warn", "appendfsync is not always", "appendfsync always"),
    (("--no-appendfsync-on-rewrite", "yes"), "redis persistence", "warn", "on-rewrite is not no", "on-rewrite no"),
    (("--replicaof", "127.0.0.1", "1"), "redis role", "fail", "is a replica", "to the master"),
    (("--cluster-enabled", "yes", "--cluster-port", str(free_port())), "redis role", "fail", "is a Redis Cluster", "one Redis server"),
])
def test_redis_as_it_must_not_be(stack, other_redis, options, check, level, finding, advice):
    redis = other_redis(*options)
    report = stack.report(REDIS_URL=redis.url)
    report.says(check, level, finding, advice)
    assert report.status == (100 if level == "fail" else 0)
    assert set(report.bad()) - {check} <= {"ledger"}, report.bad()


def test_an_emptied_redis_and_a_distrusted_ledger(stack, other_redis):
    redis = other_redis()
    report = stack.report(REDIS_URL=redis.url)
    assert report.bad() == {"ledger": "warn"} and report.status == 0
    report.says("ledger", "warn", "there is none", "Redis was emptied")
    redis.command("HSET", "doctor:ledger", "was", "1", "writes", "5")
    stack.report(REDIS_URL=redis.url).says("ledger", "warn", "not trusted", "start a pusher")
    redis.command("SET", "doctor:ledger-rebuild", "somebody")
    stack.report(REDIS_URL=redis.url).says("ledger", "warn", "filling it in", "wait")


# -- stores --------------------------------------------------------------------------------------------------------


def test_the_store_refuses_the_token(stack):
    with open(f"{stack.run}/wrong_token", "w", encoding="utf-8") as file:
        file.write("no-such-token\n")
    os.chmod(f"{stack.run}/wrong_token", 0o600)
    report = stack.report(STORE_MAIN_TOKEN_FILE=f"{stack.run}/wrong_token")
    assert report.status == 100 and "no-such-token" not in report.text
    report.says("store token", "fail", "HTTP 401", "API account", "main")
    report.says("store scopes", "skip", "could not be tried", "")


@pytest.mark.parametrize("path, scope, setting, level", [
    ("/v2/time", "store_v2_information_read_only", "Information & Settings", "fail"),
    ("/v2/orders", "store_v2_orders_read_only", "Orders", "fail"),
    ("/v3/customers", "store_v2_customers_read_only (not needed yet)", "Customers", "warn"),
    ("/v3/catalog/products", "store_v2_products_read_only (only for products = on)", "Products", "warn"),
])
def test_the_token_lacks_a_scope(stack, path, scope, setting, level):
    stack.fault(side="bc", path=path, kind="status", status=403)
    report = stack.report()
    assert report.of("store token")["level"] == "ok"
    report.says("store scopes", level, f"lacks {scope}", f"{setting}: set to read-only", "main")
    assert report.status == (100 if level == "fail" else 0)


def test_the_store_cannot_be_reached_or_is_down(stack):
    report = stack.report(STORE_MAIN_API_URL="http://127.0.0.1:1")
    assert report.status == 111
    report.says("store token", "fail", "cannot be reached", "api_url")
    report.says("store clock", "skip", "does not tell its time", "")
    stack.fault(side="bc", kind="status", status=503)
    report = stack.report()
    assert report.status == 111
    report.says("store token", "fail", "HTTP 503", "maintenance")


def serve(request, answer):
    """A server that gives this answer to every request, b"": none. Returns its port and what it was asked."""
    server, asked = socket.create_server(("127.0.0.1", 0), backlog=1000), []

    def talk(line):
        with line, contextlib.suppress(OSError):
            while head := line.recv(65536):
                asked.append(head.decode())
                line.sendall(answer)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    request.addfinalizer(lambda: (server.shutdown(socket.SHUT_RDWR), server.close()))
    return server.getsockname()[1], asked


def http(status, body, *headers):
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def test_what_answers_is_no_store(stack, request):
    """A login page of a network, say, in whose text nothing is to be believed or shown."""
    port, _ = serve(request, http("200 OK", b"<html>\x1b[2J jane@example.org \xff</html>"))
    report = stack.report(STORE_MAIN_API_URL=f"http://127.0.0.1:{port}", INFUSIONSOFT_MAIN_API_URL=f"http://127.0.0.1:{port}")
    assert report.status == 100 and "jane" not in report.text
    report.says("store token", "fail", "no store of BigCommerce (HTTP 200)", "api_url", "main")
    report.says("store scopes", "skip", "could not be tried", "", "main")
    report.says("account credential", "fail", "unreadable answer", "api_url", "main")


def test_no_redirect_is_followed(stack, request):
    elsewhere, asked = serve(request, http("200 OK", b"{}"))
    port, _ = serve(request, http("302 Found", b"", f"Location: http://127.0.0.1:{elsewhere}/"))
    report = stack.report(STORE_MAIN_API_URL=f"http://127.0.0.1:{port}", INFUSIONSOFT_MAIN_API_URL=f"http://127.0.0.1:{port}")
    assert report.status == 100 and asked == []
    report.says("store token", "fail", "leads elsewhere (HTTP 302)", "api_url", "main")
    report.says("account credential", "fail", "HTTP 302", "api_url", "main")


def many_stores(stack, count, port):
    stores = "".join(f"[store silent{i}]\ncode = X{i}\nhash = silent{i}\ntoken_file = {stack.run}/bc_token\naccount = main\n"
                     f"api_url = http://127.0.0.1:{port}\n" for i in range(count))
    return stack.variant("many", more=stores)


def test_stores_that_do_not_answer_are_waited_for_together(stack, request):
    port, _ = serve(request, b"")
    report = stack.report(config=many_stores(stack, 50, port))
    assert report.status == 111 and report.json["fail"] == 50
    assert report.seconds < 30, "five seconds, and more on a busy machine; one after the other 250"


def test_term_ends_it_without_a_report(stack, request):
    port, asked = serve(request, b"")
    process = subprocess.Popen([binary("bigfusion"), "doctor", "--config", many_stores(stack, 300, port)],
                               env=stack.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(asked) > 10, 20, "the first stores to be asked")
    process.terminate()
    output, message = process.communicate(timeout=15)
    assert (process.returncode, output, message) == (111, "", "bigfusion: doctor: asked to stop\n")


@pytest.mark.parametrize("skew_s, level, words", [(60, "warn", " s ahead of"), (-60, "warn", " s behind"),
                                                  (3600, "fail", " s ahead of")])
def test_the_store_has_another_time(stack, skew_s, level, words):
    stack.sandbox_settings(clock_skew_s=skew_s)
    report = stack.report()
    assert report.bad() == {"store clock": level}
    report.says("store clock", level, words, "NTP", "main")


# -- accounts ------------------------------------------------------------------------------------------------------


def test_the_account_refuses_the_key(stack):
    stack.sandbox_settings(key_accepted=False)
    report = stack.report()
    assert report.status == 100
    report.says("account credential", "fail", "HTTP 401", "make a new key", "main")
    report.says("account tenant", "skip", "credential is not taken", "")
    report.says("account custom field", "skip", "credential is not taken", "")


def test_the_key_is_of_another_account(stack):
    report = stack.report(INFUSIONSOFT_MAIN_TENANT="other.infusionsoft.com")
    assert report.bad()["account tenant"] == "fail" and report.status == 100
    report.says("account tenant", "fail", "other.infusionsoft.com", "correct tenant")
    report.says("account custom field", "skip", "it is another account", "")


def test_the_account_has_no_ecommerce_module(stack):
    stack.sandbox_settings(ecommerce=False)
    report = stack.report()
    assert report.status == 100
    report.says("account e-commerce", "fail", "HTTP 403", "switch the e-commerce module on")
    report.says("account custom field", "skip", "orders cannot be read", "")


@pytest.mark.parametrize("fields, finding, advice", [
    ([], "is missing", "run `bigfusion setup`"),
    ([{"id": "7", "label": "BigCommerce Order", "field_type": "NUMBER", "field_name": "_B"}], "of type NUMBER, not TEXT", "rename"),
])
def test_the_account_has_no_custom_field(stack, fields, finding, advice):
    stack.fault(side="is", path="/orders/model", kind="status", status=200, body=json.dumps({"custom_fields": fields}))
    report = stack.report()
    assert report.bad() == {"account custom field": "fail"} and report.status == 100
    report.says("account custom field", "fail", finding, advice, "main")


def test_the_account_has_another_time(stack):
    stack.fault(side="is", path="/oauth/connect/userinfo", kind="status", status=200, body=json.dumps({"sub": "1"}),
                headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT", "x-keap-tenant-id": "sandbox.infusionsoft.com"})
    report = stack.report()
    report.says("account clock", "fail", "behind", "NTP", "main")


def test_the_stored_token_is_tried_and_never_refreshed(stack):
    """OAuth: a refresh token can be used once, and the pushers need it."""
    for name, secret in (("client_secret", "sandbox-secret"), ("refresh_token", "sandbox-refresh-1")):
        with open(os.open(f"{stack.run}/{name}", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(secret + "\n")
    oauth = {f"INFUSIONSOFT_MAIN_{name.upper()}": value for name, value in {
        "auth": "oauth", "client_id": "sandbox-client", "client_secret_file": f"{stack.run}/client_secret",
        "refresh_token_file": f"{stack.run}/refresh_token", "token_state_file": f"{stack.run}/token",
        "token_url": f"{stack.url}/token"}.items()}
    report = stack.report(**oauth)
    assert report.status == 0
    report.says("account credential", "warn", "there is no token_state_file yet", "run `bigfusion setup`")
    stack.env.update({f"BIGFUSION_{name}": value for name, value in oauth.items()})
    try:
        stack.command("setup")
        mark = len(stack.journal())
        assert stack.report().bad() == {}
        stack.sandbox_settings(revoke_access_tokens=True)
        report = stack.report()
        assert report.status == 100
        report.says("account credential", "fail", "HTTP 401", "a pusher refreshes the token")
        with open(f"{stack.run}/token", encoding="utf-8") as file:
            state = json.load(file)
        with open(f"{stack.run}/token", "w", encoding="utf-8") as file:
            json.dump({**state, "expires_at_ms": 1}, file)
        stack.report().says("account credential", "warn", "has expired", "start a pusher")
        with open(f"{stack.run}/token", "w", encoding="utf-8") as file:
            file.write("{")
        stack.report().says("account credential", "fail", "cannot be read", "authorize again")
        assert [e for e in stack.journal()[mark:] if e["path"].endswith("/token")] == []
    finally:
        for name in oauth:
            stack.env.pop(f"BIGFUSION_{name}", None)
