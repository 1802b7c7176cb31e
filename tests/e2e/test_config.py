"""A fault in the configuration is refused at start: exit 100 and one line that names file, line, key, what is allowed."""

import os
import re
import subprocess

import pytest
from processes import binary

PROGRAMS = ("bigfusion-poller", "bigfusion-filter", "bigfusion-mapper", "bigfusion-pusher", "bigfusion-console", "bigfusion")

RIGHT = """[kafka]
brokers = 127.0.0.1:1
[redis]
url = redis://127.0.0.1:1/0
[pusher]
workers = 4
[store main]
hash = abc123
token_file = {folder}/token
account = main
[store other]
code = S1
hash = abc124
token_file = {folder}/token
account = main
[infusionsoft main]
key_file = {folder}/key
"""

# name: (text replaced, by what, line of the fault, what the message must name)
WRONG = {
    "unknown_key": ("workers = 4", "workerz = 4", 6, ["workerz"]),
    "not_a_number": ("workers = 4", "workers = four", 6, ["workers", "four"]),
    "number_with_a_tail": ("workers = 4", "workers = 4x", 6, ["workers"]),
    "out_of_range": ("workers = 4", "workers = 0", 6, ["workers"]),
    "unknown_section": ("[pusher]", "[pushers]", 5, ["pushers"]),
    "hash_twice": ("abc124", "abc123", 13, ["abc123", "main", "other"]),
    "code_twice": ("code = S1", "code = BC", 12, ["BC", "store main", "store other"]),
    "unknown_account": ("account = main\n[store", "account = mian\n[store", 10, ["mian"]),
    "no_hash": ("hash = abc124\n", "", None, ["other", "hash"]),
    "bad_choice": ("code = S1", "existing_contact = maybe", 12, ["existing_contact", "keep", "overwrite"]),
    "bad_date": ("code = S1", "start_from = yesterday", 12, ["start_from"]),
    "no_section": ("[kafka]\n", "", 1, []),
}


def run(folder, text, program, *words, env=None):
    path = f"{folder}/bigfusion.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("{folder}", str(folder)))
    for name in ("token", "key"):
        if not os.path.exists(f"{folder}/{name}"):
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write("very-secret-value\n")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("BIGFUSION_")}
    return subprocess.run([binary(program), *words, "--config", path], env={**clean, **(env or {})},
                          capture_output=True, text=True, timeout=20, check=False)


def assert_refused(answer, names):
    assert answer.returncode == 100
    lines = [line for line in answer.stderr.splitlines() if line]
    assert len(lines) == 1, answer.stderr
    for name in names:
        assert name in lines[0], lines[0]
    assert "very-secret-value" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("name", WRONG)
def test_fault_is_refused_with_file_line_and_key(tmp_path, name):
    old, new, number, names = WRONG[name]
    assert old in RIGHT
    answer = run(tmp_path, RIGHT.replace(old, new, 1), "bigfusion-filter", "--check")
    assert_refused(answer, names + [f"{tmp_path}/bigfusion.conf"])
    if number:
        assert re.search(rf"\b{number}\b", answer.stderr.replace(str(tmp_path), "")), answer.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_settings_without_a_store_are_right_but_start_nothing(tmp_path, program):
    """As a package installs them: nothing is asked of a store before somebody names one."""
    words = ["topics", "create"] if program == "bigfusion" else []
    answer = run(tmp_path, "[kafka]\nbrokers = 127.0.0.1:1\n", program, *words, "--check")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "; no [store NAME] section yet: no program starts before there is one"
    assert_refused(run(tmp_path, "[kafka]\nbrokers = 127.0.0.1:1\n", program, *words),
                   [f"{tmp_path}/bigfusion.conf: no [store NAME] section; at least one is needed"])
    assert "no [store" not in run(tmp_path, RIGHT, program, *words, "--check").stdout


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("section, name", [("store other", "api_url"), ("infusionsoft main", "api_url"),
                                           ("infusionsoft main", "token_url")])
def test_attack_6_plain_http_to_another_machine_is_refused_unless_it_is_allowed(tmp_path, program, section, name):
    words = ["topics", "create"] if program == "bigfusion" else []
    plain = RIGHT.replace(f"[{section}]\n", f"[{section}]\n{name} = http://192.0.2.1/api\n", 1)
    number = plain.splitlines().index(f"{name} = http://192.0.2.1/api") + 1
    answer = run(tmp_path, plain, program, *words)
    assert_refused(answer, [f"bigfusion.conf:{number}: [{section}] {name} = http://192.0.2.1/api: allowed: https://",
                            "allow_plain_http = yes"])
    allowed = plain.replace(f"[{section}]\n", f"[{section}]\nallow_plain_http = yes\n", 1)
    assert run(tmp_path, allowed, program, *words, "--check").returncode == 0
    by_environment = f"BIGFUSION_{section.upper().replace(' ', '_')}_ALLOW_PLAIN_HTTP"
    assert run(tmp_path, plain, program, *words, "--check", env={by_environment: "yes"}).returncode == 0


def test_r06_two_stores_with_one_code_into_one_account_are_refused_by_every_service(tmp_path):
    for program in PROGRAMS[:5]:
        answer = run(tmp_path, RIGHT.replace("code = S1", "code = BC"), program)
        assert_refused(answer, ["main", "other", "BC"])


def test_r06_one_code_into_two_accounts_is_fine(tmp_path):
    text = RIGHT.replace("code = S1", "code = BC").replace("account = main\n[infusionsoft", "account = second\n[infusionsoft")
    answer = run(tmp_path, text + "[infusionsoft second]\nkey_file = {folder}/key\n", "bigfusion-filter", "--check")
    assert answer.returncode == 0, answer.stderr


def test_missing_secret_file_is_refused_by_the_program_that_needs_it(tmp_path):
    answer = run(tmp_path, RIGHT.replace("{folder}/token", "{folder}/absent"), "bigfusion-poller", "--check")
    assert_refused(answer, ["absent", "token_file"])
    answer = run(tmp_path, RIGHT.replace("{folder}/key", "{folder}/absent"), "bigfusion-pusher", "--check")
    assert_refused(answer, ["absent", "key_file"])


def test_missing_configuration_is_refused(tmp_path):
    answer = subprocess.run([binary("bigfusion-mapper"), "--config", f"{tmp_path}/nowhere.conf"], capture_output=True,
                            text=True, timeout=20, check=False)
    assert_refused(answer, ["nowhere.conf"])


def test_a_folder_in_place_of_a_file_is_said_so(tmp_path):
    """Docker makes an empty folder where the file to mount is missing."""
    (tmp_path / "folder").mkdir()
    answer = run(tmp_path, RIGHT.replace("{folder}/token", "{folder}/folder"), "bigfusion-poller", "--check")
    assert_refused(answer, ["token_file", f"{tmp_path}/folder: it is a folder", "Docker"])
    answer = subprocess.run([binary("bigfusion-mapper"), "--config", f"{tmp_path}/folder"], capture_output=True, text=True,
                            timeout=20, check=False)
    assert_refused(answer, [f"{tmp_path}/folder: it is a folder", "Docker", "a readable settings file"])


@pytest.mark.parametrize("program", ["bigfusion-pusher", "bigfusion"])
def test_a_token_state_file_that_cannot_be_written_is_refused_at_start(tmp_path, program):
    words = ["setup"] if program == "bigfusion" else []
    text = RIGHT.replace("key_file = {folder}/key", "auth = oauth\nclient_id = id\nclient_secret_file = {folder}/key\n"
                         "refresh_token_file = {folder}/key\ntoken_state_file = {folder}/state/tokens")
    answer = run(tmp_path, text, program, *words)
    shown = f"{tmp_path}/state/tokens"[:80]  # a message has no room for more of a path
    assert_refused(answer, ["token_state_file", f"{shown} cannot be written: No such file"])
    (tmp_path / "state").mkdir()
    assert run(tmp_path, text, program, *words, "--check").returncode == 0
    assert run(tmp_path, text.replace("{folder}/state", "{folder}/absent"), "bigfusion-mapper", "--check").returncode == 0


def test_check_prints_the_settings_and_no_secret(tmp_path):
    for program in PROGRAMS[:4]:
        answer = run(tmp_path, RIGHT, program, "--check")
        assert answer.returncode == 0, answer.stderr
        assert "abc123" in answer.stdout
        assert "very-secret-value" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("url, shown", [
    ("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0"),
    ("redis://:pw-one@127.0.0.1:1/0", "redis://***@127.0.0.1:1/0"),
    ("redis://user:pw-one@pw-two@127.0.0.1:1", "redis://***@127.0.0.1:1"),
    ("redis://pw-user:pw%2Fone@[::1]/3", "redis://***@[::1]/3"),
    ("unix:///run/a@b/redis.sock?db=1", "unix:///run/a@b/redis.sock?db=1"),
    ("unix://:pw-one@pw-two@/run/a@b/redis.sock", "unix://***@/run/a@b/redis.sock"),
])
def test_check_prints_nothing_of_the_login_to_redis(tmp_path, url, shown):
    answer = run(tmp_path, RIGHT.replace("redis://127.0.0.1:1/0", url), "bigfusion-poller", "--check")
    assert answer.returncode == 0, answer.stderr
    assert f"url = {shown}\n" in answer.stdout and "pw-" not in answer.stdout


@pytest.mark.parametrize("program", PROGRAMS[:4])
@pytest.mark.parametrize("url", [
    "redis://:pw@pw-ss/w#o;rd@127.0.0.1:6379/0", "127.0.0.1:6379", "redis://:pw-one/pw-two@127.0.0.1:1",
    "redis://127.0.0.1:pw-port", "redis://127.0.0.1:6379/pw-db", "redis://pw-user:pw%zz@127.0.0.1"])
def test_a_redis_url_that_cannot_be_used_is_refused_at_start(tmp_path, program, url):
    form = "allowed: redis://[user[:password]@]host[:port][/db], rediss:// (TLS) or unix:///path[?db=N]"
    text = RIGHT.replace("redis://127.0.0.1:1/0", url)
    for words in (["--check"], []):
        answer = run(tmp_path, text, program, *words)
        assert_refused(answer, [f"{tmp_path}/bigfusion.conf:4: [redis] url: ", form])
        assert "pw-" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_tls_to_redis_is_refused_at_start_where_this_build_has_none(tmp_path, program):
    text = RIGHT.replace("redis://127.0.0.1:1/0", "rediss://:pw-word@127.0.0.1:1/0")
    words = ["topics", "create"] if program == "bigfusion" else []
    answer = run(tmp_path, text, program, *words, "--check")
    if subprocess.run(["pkg-config", "--exists", "hiredis_ssl"], check=False).returncode == 0:
        assert answer.returncode == 0, answer.stderr
        without_redis = program in ("bigfusion-filter", "bigfusion-mapper")
        assert ("url = rediss://***@127.0.0.1:1/0\n" in answer.stdout) == (not without_redis)
    else:
        assert_refused(answer, [f"{tmp_path}/bigfusion.conf:4: [redis] url: rediss:// is refused",
                                "build with hiredis 1.x (trixie, our image), or use redis://"])
    assert "pw-" not in answer.stdout + answer.stderr


def test_attack_10_check_masks_logins_queries_and_secret_values(tmp_path):
    text = RIGHT.replace("token_file = {folder}/token\n", "token_file = {folder}/token\n"
                         "api_url = https://hid-user:hid-word@127.0.0.1/api?key=hid-key\n", 1)
    text = text.replace("key_file = {folder}/key\n", "key_file = {folder}/key\n"
                        "token_url = https://hid-user@127.0.0.1/token?client=hid-client#hid-end\n")
    text += """[librdkafka]
sasl.username = shown-user
sasl.password = hid-password
sasl.oauthbearer.config = principal=hid-principal
sasl.oauthbearer.client.secret = hid-secret
ssl.key.pem = hid-pem
ssl.key.password = hid-passphrase
sasl.oauthbearer.token.endpoint.url = https://hid-user:hid-word@auth.test/token?key=hid-key
"""
    for program in PROGRAMS:
        words = ["topics", "create"] if program == "bigfusion" else []
        answer = run(tmp_path, text, program, *words, "--check")
        assert answer.returncode == 0, answer.stderr
        assert "hid-" not in answer.stdout + answer.stderr
        assert "sasl.username = shown-user\n" in answer.stdout and "sasl.password = ***\n" in answer.stdout
        assert "token.endpoint.url = https://***@auth.test/token?***\n" in answer.stdout
    assert "token_url = https://***@127.0.0.1/token?***\n" in answer.stdout
    assert "api_url = https://***@127.0.0.1/api?***\n" in run(tmp_path, text, "bigfusion-poller", "--check").stdout


def warnings(answer):
    return [line.split(" warn ", 1)[1] for line in answer.stderr.splitlines() if " warn " in line]


def test_attack_7_a_secret_file_that_everybody_can_read_is_told_once(tmp_path):
    path = f"{tmp_path}/token"
    os.chmod(run_files(tmp_path), 0o600)
    os.chmod(path, 0o644)
    answer = run(tmp_path, RIGHT, "bigfusion-poller", "--check")
    assert answer.returncode == 0, "it is a warning"
    (line,) = warnings(answer)  # although two stores name the file
    assert f'file="{path}"' in line and "mode=0644" in line and "wanted=\"0600" in line
    for mode in (0o600, 0o440, 0o640):
        os.chmod(path, mode)
        assert warnings(run(tmp_path, RIGHT, "bigfusion-poller", "--check")) == []
    os.chmod(f"{tmp_path}/key", 0o604)
    assert warnings(run(tmp_path, RIGHT, "bigfusion-poller", "--check")) == [], "not one of its secrets"
    assert len(warnings(run(tmp_path, RIGHT, "bigfusion-pusher", "--check"))) == 1
    password = "[redis]\npassword_file = {folder}/key\n"
    assert len(warnings(run(tmp_path, RIGHT.replace("[redis]\n", password), "bigfusion-poller", "--check"))) == 1


def test_attack_7_a_folder_of_the_token_state_file_that_everybody_can_write_is_told(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    text = RIGHT.replace("key_file = {folder}/key", "auth = oauth\nclient_id = me\nclient_secret_file = {folder}/key\n"
                         f"refresh_token_file = {{folder}}/key\ntoken_state_file = {state}/token")
    os.chmod(run_files(tmp_path), 0o600)
    state.chmod(0o770)
    assert warnings(run(tmp_path, text, "bigfusion-pusher", "--check")) == []
    for mode in (0o777, 0o1777):
        state.chmod(mode)
        (line,) = warnings(run(tmp_path, text, "bigfusion-pusher", "--check"))
        assert f'folder="{state}"' in line and f"mode={mode:04o}" in line and 'wanted="0700"' in line


def run_files(folder):
    """Makes the secret files, as run() does. Returns the path of the key."""
    run(folder, RIGHT, "bigfusion-pusher", "--check")
    os.chmod(f"{folder}/token", 0o600)
    return f"{folder}/key"


@pytest.mark.parametrize("setting, wanted", [
    ("enable.ssl.certificate.verification = false", "certificates of brokers are not verified"),
    ("enable.ssl.certificate.verification = 0", "certificates of brokers are not verified"),
    ("enable.ssl.certificate.verification = true", None),
    ("ssl.endpoint.identification.algorithm = none", "names of brokers are not verified"),
    ("ssl.endpoint.identification.algorithm = https", None),
])
def test_attack_10_brokers_that_are_not_verified_are_told(tmp_path, setting, wanted):
    os.chmod(run_files(tmp_path), 0o600)
    told = warnings(run(tmp_path, f"{RIGHT}[librdkafka]\n{setting}\n", "bigfusion-mapper", "--check"))
    assert [wanted in line for line in told] == ([True] if wanted else []), told


def test_a_redis_url_of_the_environment_is_checked_too(tmp_path):
    text = RIGHT.replace("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0 ; the ledger")
    assert run(tmp_path, text, "bigfusion-pusher", "--check").returncode == 0  # in the file it begins a comment
    answer = run(tmp_path, RIGHT, "bigfusion-pusher", "--check",
                 env={"BIGFUSION_REDIS_URL": "redis://127.0.0.1:1/0 ; the ledger"})
    assert_refused(answer, ["environment BIGFUSION_REDIS_URL: ", "allowed: redis://"])


def test_check_of_the_poller_shows_the_schedule_of_failing_orders(tmp_path):
    answer = run(tmp_path, RIGHT.replace("workers = 4", "max_attempts = 9"), "bigfusion-poller", "--check")
    assert "max_attempts = 9\n" in answer.stdout and "retry_delays_s = 60,600,3600\n" in answer.stdout


def test_environment_overrides_the_file(tmp_path):
    answer = run(tmp_path, RIGHT, "bigfusion-filter", "--check", env={"BIGFUSION_STORE_OTHER_CODE": "FROM-ENV"})
    assert answer.returncode == 0, answer.stderr
    assert "FROM-ENV" in answer.stdout
    assert_refused(run(tmp_path, RIGHT, "bigfusion-filter", "--check", env={"BIGFUSION_PUSHER_WORKERS": "many"}),
                   ["BIGFUSION_PUSHER_WORKERS"])
    text = RIGHT + "[librdkafka]\nsasl.username = of-the-file\n"
    answer = run(tmp_path, text, "bigfusion-filter", "--check", env={
        "BIGFUSION_LIBRDKAFKA_SASL_USERNAME": "of-the-environment", "BIGFUSION_LIBRDKAFKA_SASL_MECHANISM": "PLAIN",
        "BIGFUSION_LIBRDKAFKA_SECURITY_PROTOCOL": ""})
    assert answer.returncode == 0, answer.stderr
    shown = [line for line in answer.stdout.splitlines() if line.startswith(("sasl.", "security."))]
    assert shown == ["sasl.username = of-the-environment", "sasl.mechanism = PLAIN"]


@pytest.mark.parametrize("program", PROGRAMS + ("bigfusion-sandbox", "bigfusion-devbroker"))
def test_help_and_version(program):
    for word, wanted in (("--help", "--version"), ("--version", "0.")):
        answer = subprocess.run([binary(program), word], capture_output=True, text=True, timeout=20, check=False)
        assert answer.returncode == 0
        assert wanted in answer.stdout
