/* people.c - the customers: names, addresses, e-mail addresses. All are invented; e-mail addresses
 * end in example.com, .net or .org. */
#include "generate/draft.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "table.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define RETURNING_CUSTOMERS 40

static const char *const first_names[] = {
    "Jane",  "Robert", "Maria",   "Liam",  "Noah", "Olivia", "Emma",  "Ava",   "José",   "Zoë",
    "Chloe", "Mateo",  "Björn",   "Aiko",  "Wei",  "Priya",  "Amara", "Kofi",  "Ingrid", "Łukasz",
    "Renée", "Søren",  "Siobhán", "Yusuf", "Ana",  "Ivan",   "Nora",  "Pavel", "Grace",  "Tom"};
static const char *const last_names[] = {
    "Doe",      "Smith",  "Johnson", "Williams", "O'Brien",   "García",       "Müller",
    "Nguyen",   "Kim",    "Silva",   "Novák",    "Jensen",    "Rossi",        "Dubois",
    "Kowalski", "Tanaka", "Patel",   "Mensah",   "Lindqvist", "van der Berg", "St. John",
    "Walker",   "Young",  "Hill",    "Green",    "Baker",     "Ortiz"};

struct place {
    const char *street_1, *street_2, *city, *state, *zip, *country, *iso2;
};

static const struct place home_places[] = {
    {"555 East Street", "", "Austin", "Texas", "78108", "United States", "US"},
    {"12 Elm Avenue", "Apt. 4/B", "Portland", "Oregon", "97201", "United States", "US"},
    {"900 Lake Shore Drive", "", "Chicago", "Illinois", "60611", "United States", "US"},
    {"1 Infinite Way", "Suite 200", "San Jose", "California", "95112", "United States", "US"},
    {"77 Peachtree Road", "", "Atlanta", "Georgia", "30303", "United States", "US"},
    {"4 Capitol Hill", "", "Washington", "District of Columbia", "20002", "United States", "US"},
    {"31 Ocean Drive", "Unit 7", "Miami", "Florida", "33139", "United States", "US"},
    {"8 Aloha Lane", "", "Honolulu", "Hawaii", "96815", "United States", "US"},
    {"210 Broadway", "Floor 3", "New York", "New York", "10038", "United States", "US"},
    {"65 Mesa Road", "", "Phoenix", "Arizona", "85004", "United States", "US"},
};

/* The first half has regions of ISO 3166-2, some without their diacritics. The regions of the
 * second half are unknown or empty. */
static const struct place foreign_places[] = {
    {"24 Rue des Érables", "", "Montréal", "Québec", "H2X 1Y4", "Canada", "CA"},
    {"10 King Street", "", "Toronto", "Ontario", "M5H 1A1", "Canada", "CA"},
    {"Leopoldstraße 8", "Hinterhaus", "München", "Bayern", "80802", "Germany", "DE"},
    {"Rua Augusta 1500", "Apto 12", "São Paulo", "Sao Paulo", "01304-001", "Brazil", "BR"},
    {"Calle Ancha 3", "", "Cádiz", "Cádiz", "11001", "Spain", "ES"},
    {"15 George Street", "", "Sydney", "New South Wales", "2000", "Australia", "AU"},
    {"Bahnhofstrasse 1", "", "Zürich", "Zürich", "8001", "Switzerland", "CH"},
    {"ul. Długa 5", "m. 7", "Kraków", "Małopolskie", "31-146", "Poland", "PL"},
    {"1 Nowhere Lane", "", "Somewhere", "Middle of Nowhere", "99999", "United States", "US"},
    {"PSC 1, Box 2", "", "APO", "Armed Forces Somewhere", "09001", "United States", "US"},
    {"221B Baker Street", "", "London", "Greater Londonshire", "NW1 6XE", "United Kingdom", "GB"},
    {"1 Raffles Place", "", "Singapore", "", "048616", "Singapore", "SG"},
};
#define FOREIGN_KNOWN 8

/* Keeps only the ASCII letters and digits of text, in lower case. */
static void append_plain(char *target, size_t size, const char *text)
{
    size_t length = strlen(target);

    for (; *text != '\0' && length + 1 < size; text++)
        if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z'))
            target[length++] = *text;
    target[length] = '\0';
    text_lower(target);
}

static void move_to(struct person *person, const struct place *place)
{
    person->street_1 = place->street_1;
    person->street_2 = place->street_2;
    person->city = place->city;
    person->state = place->state;
    person->zip = place->zip;
    person->country = place->country;
    person->iso2 = place->iso2;
}

static const char *any_of(struct draft *draft, const char *const *list, size_t count)
{
    return list[draft_draw(draft, (int64_t)count)];
}

void person_any(struct draft *draft, struct person *person)
{
    static const char *const companies[] = {"", "", "", "Acme & Sons", "Blue/Green Ltd."};
    static const char *const phones[] = {"1234567890", "555-123-4567", "+1 (555) 010-0199", "",
                                         "+49 89 5550100"};
    static const char *const domains[] = {"example.com", "example.net", "example.org"};
    char name[64] = "";

    memset(person, 0, sizeof *person);
    person->first_name = any_of(draft, first_names, COUNT(first_names));
    person->last_name = any_of(draft, last_names, COUNT(last_names));
    person->company = any_of(draft, companies, COUNT(companies));
    person->phone = any_of(draft, phones, COUNT(phones));
    move_to(person, &home_places[draft_draw(draft, (int64_t)COUNT(home_places))]);
    append_plain(name, sizeof name, person->first_name);
    append_plain(name, sizeof name, person->last_name);
    snprintf(person->email, sizeof person->email, "%s.%lld@%s", name, (long long)draft->id,
             any_of(draft, domains, COUNT(domains)));
}

void person_returning(struct draft *draft, struct person *person)
{
    int64_t i = draft_draw(draft, RETURNING_CUSTOMERS);

    person_any(draft, person);
    person->first_name = first_names[i % (int64_t)COUNT(first_names)];
    person->last_name = last_names[i % (int64_t)COUNT(last_names)];
    move_to(person, &home_places[i % (int64_t)COUNT(home_places)]);
    switch (draft_draw(draft, 4)) {
    case 0:
        snprintf(person->email, sizeof person->email, "Customer.%lld@Example.COM", (long long)i);
        break;
    case 1:
        snprintf(person->email, sizeof person->email, "CUSTOMER.%lld@EXAMPLE.COM", (long long)i);
        break;
    case 2:
        snprintf(person->email, sizeof person->email, " customer.%lld@example.com ", (long long)i);
        break;
    default:
        snprintf(person->email, sizeof person->email, "customer.%lld@example.com", (long long)i);
    }
}

void person_abroad(struct draft *draft, struct person *person)
{
    move_to(person, &foreign_places[draft_draw(draft, FOREIGN_KNOWN)]);
}

void person_nowhere(struct draft *draft, struct person *person)
{
    move_to(person,
            &foreign_places[FOREIGN_KNOWN +
                            draft_draw(draft, (int64_t)COUNT(foreign_places) - FOREIGN_KNOWN)]);
}

void person_rename(struct person *person, int kind)
{
    static const struct {
        const char *first_name, *last_name;
    } names[] = {
        {"Zo\xC3\xAB \xF0\x9F\x98\x80", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB Coder"},
        {"\xD9\x85\xD8\xAD\xD9\x85\xD8\xAF", "\xD7\x9B\xD7\x94\xD7\x9F"},
        {"Jose\xCC\x81", "Nu\xCC\x81n\xCC\x83"
                         "ez"},
        {"Ja\tne\x07", "\x01"
                       "Doe\n"},
        {"Maximiliana Wilhelmina Friederike Annegret-Rosé",
         "Wolfeschlegelsteinhausenbergerdorff-Éclairé"},
    };

    person->first_name = names[kind].first_name;
    person->last_name = names[kind].last_name;
}

static json_t *address(const struct person *person)
{
    return mem_check(json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "first_name",
                               person->first_name, "last_name", person->last_name, "company",
                               person->company, "street_1", person->street_1, "street_2",
                               person->street_2, "city", person->city, "state", person->state,
                               "zip", person->zip, "country", person->country, "country_iso2",
                               person->iso2, "phone", person->phone));
}

json_t *person_billing(const struct person *person, const json_t *email)
{
    json_t *billing = address(person);

    if (email != NULL)
        json_object_set(billing, "email", (json_t *)email);
    json_object_set_new(
        billing, "form_fields",
        json_pack("[{s:s,s:s}]", "name", "Delivery Instructions", "value", "Leave in backyard"));
    return billing;
}

json_t *draft_consignment(struct draft *draft, const struct person *person, int64_t cost)
{
    json_t *consignment = mem_check(json_object());
    int64_t id = draft->id * 10 + (int64_t)json_array_size(draft->shipping), ex, tax;
    json_t *where = address(person);

    draft_split_tax(draft, cost, &ex, &tax);
    draft->shipping_ex += ex;
    draft->shipping_tax += tax;
    json_object_set_new(consignment, "id", json_integer(id));
    json_object_update(consignment, where);
    json_decref(where);
    json_object_set_new(consignment, "email", json_string(person->email));
    json_object_set_new(consignment, "form_fields", json_array());
    json_object_set_new(consignment, "shipping_method", json_string("Flat Rate"));
    json_object_set_new(consignment, "line_items", json_array());
    json_object_set_new(consignment, "base_cost", draft_number(draft, cost));
    json_object_set_new(consignment, "cost_ex_tax", draft_number(draft, ex));
    json_object_set_new(consignment, "cost_inc_tax", draft_number(draft, ex + tax));
    json_object_set_new(consignment, "cost_tax", draft_number(draft, tax));
    json_object_set_new(consignment, "cost_tax_class_id", json_integer(0));
    json_object_set_new(consignment, "base_handling_cost", draft_number(draft, 0));
    json_object_set_new(consignment, "handling_cost_ex_tax", draft_number(draft, 0));
    json_object_set_new(consignment, "handling_cost_inc_tax", draft_number(draft, 0));
    json_object_set_new(consignment, "handling_cost_tax", draft_number(draft, 0));
    json_object_set_new(consignment, "handling_cost_tax_class_id", json_integer(0));
    json_object_set_new(consignment, "shipping_zone_id", json_integer(1));
    json_object_set_new(consignment, "shipping_zone_name", json_string(person->country));
    json_array_append_new(draft->shipping, consignment);
    return consignment;
}
