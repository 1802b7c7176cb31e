"""Many stores into several accounts, each account in a sandbox of its own."""

import json
import os
import shutil

import oracle
import reference
from processes import Process
from shop_stack import Shop


class ManyStores(Shop):
    def __init__(self, run, stores, accounts, **arguments):
        names = ["main"] + [f"a{number}" for number in range(1, accounts)]
        rows = [{"name": f"s{number}", "code": f"S{number}", "hash": f"abc{123 + number}", "account": names[number % accounts]}
                for number in range(stores)]
        super().__init__(run, stores=rows, **arguments)
        self.accounts, self.sandboxes = names, {}

    def start_sandbox(self):
        """A sandbox has every store, and of these only the ones of its account are used."""
        for account in self.accounts:
            os.makedirs(self.folder(account))
            command = self.sandbox_command("127.0.0.1:0")
            command[command.index("--journal") + 1] = f"{self.folder(account)}/journal.jsonl"
            self.sandboxes[account] = Process(f"sandbox-{account}", command, self.run, stdout_line="listening on ")
        self.url = self.sandboxes["main"].address
        self.address = self.url.removeprefix("http://")
        for one in self.stores:
            one["api_url"] = self.sandboxes[one["account"]].address
        for account in self.accounts[1:]:
            self.settings[f"infusionsoft {account}"] = {
                "auth": "key", "key_file": f"{self.run}/infusionsoft_key",
                "api_url": f"{self.sandboxes[account].address}/crm/rest/v2", **self.account}

    def folder(self, account):
        return f"{self.run}/{account}"

    def stores_of(self, account):
        return [one["hash"] for one in self.stores if one["account"] == account]

    def address_of(self, store):
        account = next((one["account"] for one in self.stores if one["hash"] == store), "main")
        return self.sandboxes[account].address.removeprefix("http://")

    def journal(self):
        """What all accounts wrote down, one account after the other."""
        lines = []
        for account in self.accounts:
            with open(f"{self.folder(account)}/journal.jsonl", "rb") as file:
                data = file.read()
            lines += data[:data.rfind(b"\n") + 1].splitlines()
        return [reference.load_json(line) for line in lines]

    def collect(self):
        """Each account is judged for itself, by its own journal and the orders of its own stores."""
        super().collect()
        with open(f"{self.run}/expect.json", encoding="utf-8") as file:
            stores = json.load(file)["stores"]
        with open(f"{self.run}/fates.jsonl", encoding="utf-8") as file:
            fates = [line for line in file if line.strip()]
        for account in self.accounts:
            hashes = self.stores_of(account)
            with open(f"{self.folder(account)}/expect.json", "w", encoding="utf-8") as file:
                json.dump({"stores": {store: stores[store] for store in hashes}}, file)
            with open(f"{self.folder(account)}/fates.jsonl", "w", encoding="utf-8") as file:
                file.writelines(line for line in fates if json.loads(line)["key"].split("/")[0] in hashes)
            for store in hashes:
                for when in ("-start", ""):
                    shutil.copy(f"{self.run}/orders-{store}{when}.json", f"{self.folder(account)}/orders-{store}{when}.json")

    def judges(self):
        """{account: its judge}, who has judged. What an account has of another account's stores is a violation."""
        self.collect()
        found = {}
        for account in self.accounts:
            found[account] = oracle.Judge(self.folder(account))
            found[account].judge()
            print(f"{os.path.basename(self.run)}/{account}: {found[account].line()}")
        return found

    def stop(self):
        statuses = super().stop()
        for process in self.sandboxes.values():
            process.stop()
        return statuses
