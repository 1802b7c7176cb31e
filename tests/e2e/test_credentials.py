"""OAuth: one refresher at a time, single-use tokens that are on disk before they are used, and a person where code cannot help."""

import glob
import json
import os
import re
import stat
import subprocess

import pytest
from processes import binary, wait_until
from shop import mail, order
from shop_stack import Shop

LIFE_S = 6  # of an access token, where it matters; refreshed after 90 % of it
HOLDER = "return redis.status_reply(redis.call('GET', KEYS[1]) or '')"


class OauthShop(Shop):
    """A shop whose account takes rotating tokens; two pushers share them."""

    def start(self, services=("poller", "filter", "mapper", "pusher", "pusher-2"), setup=True):
        self.start_servers()
        self.write_secret("client_secret", "sandbox-secret")
        self.write_secret("refresh_token", "sandbox-refresh-1")
        self.account.update({
            "auth": "oauth", "client_id": "sandbox-client", "client_secret_file": f"{self.run}/client_secret",
            "refresh_token_file": f"{self.run}/refresh_token", "token_state_file": f"{self.run}/state/token",
            "token_url": f"{self.url}/token"})
        os.mkdir(f"{self.run}/state")
        return self.start_services(services, setup)

    def write_secret(self, name, secret):
        with open(os.open(f"{self.run}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secret + "\n")

    def state(self):
        with open(f"{self.run}/state/token", encoding="utf-8") as file:
            return json.load(file)

    def refreshes(self):
        return sum((e.get("effect") or {}).get("made") == "token" for e in self.journal())

    def token_requests(self):
        return [e["status"] for e in self.journal() if e["path"].endswith("/token")]

    def unauthorized(self, mark=0):
        return [e for e in self.journal()[mark:] if e["side"] == "is" and e["status"] == 401]

    def log(self, word, names=("pusher", "pusher-2")):
        return [line for name in names for line in self.services[name].text().splitlines() if word in line]

    def place_some(self, count=12):
        return [self.place(order(mail("oauth"))) for _ in range(count)]

    def wait_delivered(self, placed, timeout=40):
        for one in placed:
            assert self.wait_fate(one["id"], wanted=("delivered", None), timeout=timeout)
            assert len(self.created(one["id"])) == 1

    def authorize_again(self, secret):
        """What a person does: a new refresh token into its file, start again."""
        self.sandbox_settings(refresh_token=secret)
        self.write_secret("refresh_token", secret)
        for name in ("pusher", "pusher-2"):
            self.restart(name, wait=False)


@pytest.fixture(scope="module")
def shop():
    settings = {"pusher": {"retry_delays_s": "1,1,1", "http_timeout_s": 6, "visibility_delay_s": 6}}
    with OauthShop("e2e-credentials", settings=settings) as stack:
        stack.start()
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses
        assert_no_secret_is_written(stack)


def assert_no_secret_is_written(shop):
    secrets = ["sandbox-secret", "sandbox-refresh", "sandbox-access", "KeapAK-sandbox", "sandbox-bc-token"]
    for path in glob.glob(f"{shop.run}/*.log") + [f"{shop.run}/journal.jsonl"]:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        assert not [secret for secret in secrets if secret in text], path


def test_setup_made_the_first_pair_and_everybody_shares_it(shop):
    assert shop.refreshes() == 1
    state = shop.state()
    assert (state["access_token"], state["refresh_token"]) == ("sandbox-access-2", "sandbox-refresh-2")
    mode = stat.S_IMODE(os.stat(f"{shop.run}/state/token").st_mode)
    assert mode == 0o600 and os.listdir(f"{shop.run}/state") == ["token"]
    shop.wait_delivered(shop.place_some())
    assert shop.refreshes() == 1 and shop.unauthorized() == []


def test_check_shows_no_secret(shop):
    for name in ("pusher", "poller"):
        answer = subprocess.run([binary(f"bigfusion-{name}"), "--check", "--config", shop.config], capture_output=True,
                                env=shop.environment(), check=True, text=True, timeout=20)
        assert "sandbox-secret" not in answer.stdout + answer.stderr
        assert "sandbox-refresh" not in answer.stdout + answer.stderr


def test_revoked_token_is_refreshed_once_by_all_pushers_together(shop):
    before = shop.refreshes()
    placed = shop.place_some()
    shop.sandbox_settings(revoke_access_tokens=True)
    placed += shop.place_some()
    shop.wait_delivered(placed)
    assert shop.refreshes() == before + 1
    assert shop.state()["access_token"] == f"sandbox-access-{before + 2}"
    assert shop.log("account_closed") == [] and shop.log("authorization_lost") == []


def test_token_is_refreshed_before_it_expires(shop):
    shop.sandbox_settings(access_token_expires_s=LIFE_S, revoke_access_tokens=True)
    try:
        shop.wait_delivered(shop.place_some(2))
        before, mark = shop.refreshes(), shop.mark()
        life_ms = shop.state()["expires_at_ms"] - shop.state()["refresh_at_ms"]
        assert LIFE_S * 90 <= life_ms <= LIFE_S * 110, "a tenth of its life"
        placed = []

        def refreshed():
            placed.append(shop.place(order(mail("early"))))
            return shop.refreshes() >= before + 2
        wait_until(refreshed, 4 * LIFE_S, lambda: f"two refreshes; {shop.trouble()}", interval=0.5)
        shop.wait_delivered(placed)
    finally:
        shop.sandbox_settings(access_token_expires_s=86400, revoke_access_tokens=True)
        shop.wait_delivered(shop.place_some(2))
    assert [e for e in shop.unauthorized(mark) if e["path"].endswith("/token")] == []
    assert len(shop.unauthorized(mark)) <= 2 + 16, "only for the token that the test itself revoked at the end"


def test_account_is_closed_while_the_token_cannot_be_refreshed(shop):
    requests, closed = len(shop.token_requests()), len(shop.log("account_closed"))
    shop.fault(side="is", path="/token", kind="status", status=503)
    shop.sandbox_settings(revoke_access_tokens=True)
    placed = shop.place_some(4)
    wait_until(lambda: len(shop.log("account_closed")) > closed, 30, lambda: f"the alarm; {shop.trouble()}")
    assert all(shop.fate(one["id"]) is None for one in placed)
    shop.clear_faults()
    shop.wait_delivered(placed)
    assert shop.log("authorization_lost") == []
    assert len(shop.token_requests()) - requests < 40, "it backs off"


def test_pair_that_cannot_be_kept_is_not_asked_for(shop):
    """The folder of the state file is gone: no refresh token is spent, and nothing is used that is not on disk."""
    before = shop.refreshes()
    os.rename(f"{shop.run}/state", f"{shop.run}/state-away")
    closed = len(shop.log("account_closed"))
    shop.sandbox_settings(revoke_access_tokens=True)
    placed = shop.place_some(3)
    wait_until(lambda: len(shop.log("account_closed")) > closed, 30, lambda: f"the alarm; {shop.trouble()}")
    assert shop.refreshes() == before
    assert shop.log("token_state_file of main cannot be written")
    os.rename(f"{shop.run}/state-away", f"{shop.run}/state")
    shop.wait_delivered(placed)
    assert shop.refreshes() == before + 1


def test_pair_is_written_to_a_file_of_the_process_alone_and_saved_under_the_lock(shop):
    """The folder goes while the pair is asked for: it is kept, under the lock, and saved when the folder is back."""
    before, folder, lock = shop.refreshes(), f"{shop.run}/state", f"{shop.prefix}:token-lock:main"
    shop.services["pusher-2"].stop()
    old, failed = shop.state(), len(shop.log("written: No such file", ("pusher",)))
    assert os.listdir(folder) == ["token"], "no reserved file stays behind a refresh that failed before"
    os.mkdir(f"{folder}/token.new")  # a name that all processes would share is in nobody's way
    shop.fault(side="is", path="/token", kind="delay", delay_ms=9000, count=1)
    shop.sandbox_settings(revoke_access_tokens=True)
    placed = shop.place_some(4)

    def reserved():
        return [name for name in os.listdir(folder) if re.fullmatch(r"token\.[0-9a-f]{16}\.new", name)]
    try:
        assert len(wait_until(reserved, 20, shop.trouble)) == 1
        os.rename(folder, f"{folder}-away")
        wait_until(lambda: len(shop.log("written: No such file", ("pusher",))) > failed, 30, shop.trouble)
        # nobody else asks with the refresh token that is spent
        wait_until(lambda: int(shop.redis.command("PTTL", lock)) > 60_000, 20, shop.trouble)
        shop.redis.command("SET", lock, "somebody-else", "PX", "4000")
        os.rename(f"{folder}-away", folder)
        holder = lambda: shop.redis.command("EVAL", HOLDER, "1", lock)  # noqa: E731
        while holder() == b"somebody-else":
            state = shop.state()
            assert state == old or holder() != b"somebody-else", "saved under another's lock"
        shop.wait_delivered(placed)
    finally:
        if not os.path.exists(folder):
            os.rename(f"{folder}-away", folder)
        os.rmdir(f"{folder}/token.new")
        shop.start_service("pusher-2")
        shop.wait_ready("pusher-2")
    assert shop.refreshes() == before + 1 and shop.log("authorization_lost") == []
    assert os.listdir(folder) == ["token"]


def test_lock_of_a_dead_refresher_runs_out(shop):
    """Somebody died with the lock: the others wait for it, not for ever."""
    before = shop.refreshes()
    shop.redis.command("SET", f"{shop.prefix}:token-lock:main", "somebody-who-died", "PX", "4000")
    shop.sandbox_settings(revoke_access_tokens=True)
    shop.wait_delivered(shop.place_some(4))
    assert shop.refreshes() == before + 1


def test_lost_answer_of_a_refresh_needs_a_person(shop):
    """The pair that came with it is unknown: one alarm of each pusher that asks, orders wait, and a new authorization heals it."""
    shop.fault(side="is", path="/token", kind="drop_after", count=1)
    shop.sandbox_settings(revoke_access_tokens=True)
    placed = shop.place_some(4)
    wait_until(lambda: shop.log("authorization_lost"), 30, lambda: f"the alarm; {shop.trouble()}")
    for name in ("pusher", "pusher-2"):
        assert len(shop.log("authorization_lost", (name,))) <= 1, "alarmed once"
    assert 'a person must authorize again' in shop.log("authorization_lost")[0]
    assert any('kind="authorization_lost",account="main"} 1' in shop.metrics(n) for n in ("pusher", "pusher-2"))
    wait_until(lambda: shop.log("authorize again"), 10, "the reason in the log")
    assert all(shop.fate(one["id"]) is None for one in placed)
    asked = len(shop.token_requests())
    placed += shop.place_some(3)
    shop.authorize_again("sandbox-authorized-2")
    shop.wait_delivered(placed)
    assert len(shop.token_requests()) - asked <= 3, "a refused refresh token is not asked with again and again"
    assert len(shop.state()["begun"].split()) == 2


def test_refused_refresh_token_needs_a_person(shop):
    shop.sandbox_settings(revoke_refresh_token=True, revoke_access_tokens=True)
    placed = shop.place_some(3)
    wait_until(lambda: shop.log("authorization_lost"), 30, lambda: f"the alarm; {shop.trouble()}")
    assert all(shop.fate(one["id"]) is None for one in placed)
    # One pusher is started again with the new token; the other learns of it from the file.
    shop.sandbox_settings(refresh_token="sandbox-authorized-3")
    shop.write_secret("refresh_token", "sandbox-authorized-3")
    shop.restart("pusher", wait=False)
    shop.wait_ready("pusher")
    # The other one tries with a record, and the first may have taken all that waited.
    shop.wait_delivered(placed + shop.place_some(12))
    shop.wait_ready("pusher-2", 60)


def test_wrong_client_secret_is_no_lost_authorization(shop):
    token = shop.state()["refresh_token"]
    shop.write_secret("wrong_secret", "no-such-secret")
    shop.sandbox_settings(revoke_access_tokens=True)
    shop.env["BIGFUSION_INFUSIONSOFT_MAIN_CLIENT_SECRET_FILE"] = f"{shop.run}/wrong_secret"
    try:
        answer = shop.command("setup", check=False)
    finally:
        shop.env.clear()
    assert answer.returncode == 100, "a person must act"
    assert "client_id or client_secret of main are refused" in answer.stdout + answer.stderr
    assert "authorization_lost" not in answer.stdout + answer.stderr
    assert shop.state()["refresh_token"] == token
    shop.wait_delivered(shop.place_some(2))


def test_wrong_tenant_is_refused_at_start(shop):
    process = shop.start_service("pusher-3", {"BIGFUSION_INFUSIONSOFT_MAIN_TENANT": "xy999.infusionsoft.com"})
    assert process.popen.wait(30) == 100
    process.forget()
    del shop.services["pusher-3"]
    assert "configured is xy999.infusionsoft.com" in process.text()
    shop.wait_drained(30)
    shop.assert_right()


def test_a_refusal_of_earlier_work_does_not_close_the_account():
    """A call is refused and sent again with a new token, and that one gets no answer. The next delivery may renew the token too."""
    settings = {"pusher": {"workers": 1, "http_timeout_s": 6, "visibility_delay_s": 6}}
    with OauthShop("e2e-credentials-again", settings=settings) as shop:
        shop.start(services=("poller", "filter", "mapper", "pusher"))
        shop.fault(side="is", method="POST", path="/orders", kind="status", status=401, count=1)
        for method, path in (("POST", "/orders"), ("GET", "/orders"), ("GET", "/oauth/connect/userinfo")):
            shop.fault(side="is", method=method, path=path, kind="drop_before", count=1)
        renewed = shop.fault(side="is", method="GET", path="/orders", kind="status", status=401, count=1)
        shop.wait_delivered(shop.place_some(1))
        assert shop.call("GET", f"/sandbox/faults/{renewed['id']}")["fired"] == 1, "the look-up was refused"
        closed, = shop.log(" account_closed ", ("pusher",))
        assert "HTTP 401" not in closed and shop.refreshes() == 3
        assert set(shop.stop().values()) == {0}
        assert_no_secret_is_written(shop)
