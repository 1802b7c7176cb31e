"""The part of the judge that looks at customers and at the catalogue, for the stores whose `contacts` or `products` is on."""

import collections
import hashlib

import reference
import reference_lanes
from evidence import final_fate


def digest(identity):
    """Names a customer without naming them."""
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def same(got, wanted):
    return (got.rstrip() or None if isinstance(got, str) else got) == wanted


class Lanes:
    """A part of oracle.Judge."""

    # -- customers -------------------------------------------------------------------------------------------------

    def read_customers(self):
        """self.customer_wishes: identity -> contacts that any version of a customer asked for; self.asking: identity -> what
        existing_contact says in the stores that ask for the contact; self.last_wishes: (record, identity) -> what the last version
        asks for, where it must have arrived."""
        self.customer_wishes, self.asking = collections.defaultdict(list), collections.defaultdict(set)
        self.last_wishes, self.customer_answers = {}, {}
        for (store_hash, number), versions in self.things["customers"].items():
            store = self.stores.get(store_hash)
            if store is None or store["contacts"] != "on":
                continue
            answers = [reference_lanes.fate_of_customer(one, store) for one in versions if one is not None]
            for _, _, contact in answers:
                if contact:
                    self.customer_wishes[contact["identity"]].append(contact)
                    self.asking[contact["identity"]].add(store["existing_contact"])
            if versions[-1] is None or (answers[-1][1] != "malformed" and reference_lanes.is_early(versions[-1], store)):
                continue
            name = f"{store_hash}/contact/{number}"
            self.customer_answers[name] = answers
            if answers[-1][0] == "delivered":
                self.last_wishes[name, answers[-1][2]["identity"]] = answers[-1][2]

    def judge_customers(self):
        """Each customer is one contact, with the fields that it has or had; its record has the fate that the rules ask for."""
        found = collections.defaultdict(set)
        for number, mails in self.contact_mails.items():
            for mail in mails:
                found[mail].add(number)
        known = set(self.expect.get("existing_contacts", []))
        for (name, identity), wish in self.last_wishes.items():
            if not found[identity] and identity not in known:
                self.blame(f"{name}: no contact {digest(identity)}")
            if len(found[identity]) > 1:
                self.blame(f"{name}: {len(found[identity])} contacts {digest(identity)}")
            if identity in self.contact_posts and identity not in known:
                self.judge_customer_end(name, identity, wish)
        for name, answers in self.customer_answers.items():
            self.judge_lane_fate(name, answers)

    def judge_customer_end(self, name, identity, wish):
        """Each field at the end against the settings of the stores: kept, overwritten, or filled by any of those who asked."""
        number, body = self.contact_posts[identity][0]
        asked = self.customer_wishes[identity] + self.order_wishes[identity]
        is_kept = self.asking[identity] == {"keep"}
        is_written = self.asking[identity] == {"overwrite"} and not self.order_wishes[identity] and \
            sum(other == identity for _, other in self.last_wishes) == 1
        end, made = self.fields_of(self.contacts[number]), self.fields_of(body)
        for field in ("given_name", "family_name", "phone", "BILLING", "SHIPPING"):
            wanted = [self.field_of(one, field) for one in asked]
            if is_written and self.field_of(wish, field):
                wanted = [self.field_of(wish, field)]
            elif is_kept and made[field]:
                wanted = [made[field]]
            elif self.field_of(wish, field) and not self.was_refused:
                wanted = [one for one in wanted if one]
            if not any(self.field_is(field, end[field], one) for one in wanted):
                self.blame(f"{name}: {field} of contact {digest(identity)} at the end is not the expected one")

    @staticmethod
    def fields_of(state):
        """The fields of a contact as the account shows them."""
        phones = [one.get("number") for one in state.get("phone_numbers") or [] if one.get("field") == "PHONE1"]
        places = {one.get("field"): {k: v for k, v in one.items() if k != "field" and v} for one in state.get("addresses") or []}
        return {"given_name": state.get("given_name"), "family_name": state.get("family_name"), "phone": (phones + [None])[0],
                "BILLING": places.get("BILLING"), "SHIPPING": places.get("SHIPPING")}

    @staticmethod
    def field_of(wish, field):
        return wish["addresses"].get(field) if field.isupper() else wish[field]

    def field_is(self, field, got, wanted):
        if not field.isupper() or not isinstance(wanted, dict) or not isinstance(wanted.get("region_code"), set):
            return same(got, wanted)
        if self.was_refused:
            wanted = {**wanted, "region_code": wanted["region_code"] | {None}}
        return not self.compare_place(field, got, wanted, "region_code")

    def judge_lane_fate(self, name, answers):
        """The last fate of a customer or product. An earlier version that was delivered may stand for it: fates of versions that
        came too fast one after the other are never given."""
        if self.fates is None:
            return
        final, (stage, reason, _) = final_fate(self.fates.get(name, [])), answers[-1]
        if final is None:
            self.blame(f"{name}: no fate, expected {stage} {reason or ''}".rstrip())
        elif final != (stage, reason) and not (final[0] == "delivered" and any(one[0] == "delivered" for one in answers)):
            self.blame(f"{name}: {final[0]} {final[1] or ''}, expected {stage} {reason or ''}".replace(" ,", ","))

    # -- tags of customer groups -----------------------------------------------------------------------------------

    def group_tags(self):
        """(contact id, names that it may have, names that it must have) for each customer with a contact."""
        number_of = {mail: number for number, mails in reversed(self.contact_mails.items()) for mail in mails}
        for (store_hash, number), versions in self.things["customers"].items():
            store = self.stores.get(store_hash)
            if store is None or store["contacts"] != "on" or store["group_tag"] == "off":
                continue
            name = f"{store_hash}/contact/{number}"
            for version in versions:
                if version is None or reference_lanes.fate_of_customer(version, store)[0] != "delivered":
                    continue
                identity = version["email"].strip().encode().lower().decode()
                group = self.things["customer_groups"].get((store_hash, version.get("customer_group_id") or 0), [])
                names = {reference.tag_name(store["group_tag"], {"group": one["name"].strip(), "code": store["code"]})
                         for one in group if one is not None}
                names = {reference.lower(one) for one in names if one}
                is_sure = version is versions[-1] and (name, identity) in self.last_wishes and len(names) == 1 and group[-1] is not None
                if identity in number_of:
                    yield number_of[identity], names, (names if is_sure else set()) - self.spared_tags(name)

    # -- the catalogue ---------------------------------------------------------------------------------------------

    def read_catalogue(self):
        """self.catalogue_wishes: identity -> products that any version of the catalogue asked for; self.last_products: identity ->
        {record: what its last version asks for}."""
        self.catalogue_wishes, self.last_products = collections.defaultdict(list), collections.defaultdict(dict)
        self.catalogue_answers = {}
        for (store_hash, number), versions in self.things["products"].items():
            store = self.stores.get(store_hash)
            if store is None or store["products"] != "on":
                continue
            answers = [reference_lanes.fate_of_product(one, store_hash, store) for one in versions if one is not None]
            for one in (one for answer in answers for one in answer[2]):
                self.catalogue_wishes[one["identity"]].append(one)
            if versions[-1] is not None:
                name = f"{store_hash}/product/{number}"
                self.catalogue_answers[name] = answers
                for one in answers[-1][2]:
                    self.last_products[one["identity"]][name] = one

    def judge_catalogue(self):
        """Each product or variant is one product of the account, and at the end as the store has it."""
        for identity, wishes in self.last_products.items():
            refused = [name for name in wishes if f"product:{identity}"[:len("product:") + 64] in self.refused_products(name)]
            made = self.products.get(identity, [])
            if refused:
                continue
            if not made:
                self.blame(f"{', '.join(wishes)}: no product {identity}")
                continue
            wrong = [self.product_faults(self.product_states[made[0][0]], one) for one in wishes.values()]
            if all(wrong):
                self.blame(f"{', '.join(wishes)}: product {identity}: {wrong[0][0]}")
        for name, answers in self.catalogue_answers.items():
            self.judge_lane_fate(name, answers)

    @staticmethod
    def product_faults(state, wish):
        wrong = [f"{member} {state.get(member)!r}, expected {wish['name']!r}" for member in ("name", "short_description")
                 if not same(state.get(member), wish["name"])]
        price = state.get("price")
        price = price.get("amount") if isinstance(price, dict) else price
        if price != wish["price"]:
            wrong.append(f"price {price}, expected {wish['price']}")
        if wish["description"] and not same(state.get("description"), wish["description"]):
            wrong.append(f"description {state.get('description')!r}, expected {wish['description']!r}")
        return wrong

    def refused_products(self, name):
        """Steps that the record's fate says the account refused, in lower case."""
        return {one["step"].lower() for fate in (self.fates or {}).get(name, []) if fate["topic"] == "delivered"
                and isinstance(fate["value"], dict) for one in fate["value"].get("incomplete") or []}

    def is_of_catalogue(self, identity, body):
        """Whether some version of the catalogue asked for the product that was made."""
        return any(not self.product_faults(body, one) and (body.get("sku") or "").strip() == one["sku"]
                   for one in self.catalogue_wishes.get(identity, []))
