#include "settings/option.h"

#include "settings/config.h"

#define KAFKA(member) offsetof(struct config, kafka.member)
#define REDIS(member) offsetof(struct config, redis.member)
#define HTTP(member) offsetof(struct config, http.member)
#define CONSOLE(member) offsetof(struct config, console.member)
#define POLLER(member) offsetof(struct config, poller.member)
#define PUSHER(member) offsetof(struct config, pusher.member)
#define STORE(member) offsetof(struct config_store, member)
#define ACCOUNT(member) offsetof(struct config_account, member)

enum {
    ALL = PROGRAM_POLLER | PROGRAM_FILTER | PROGRAM_MAPPER | PROGRAM_PUSHER | PROGRAM_INSPECTOR |
          PROGRAM_CONSOLE,
    REDIS_USERS = PROGRAM_POLLER | PROGRAM_PUSHER | PROGRAM_INSPECTOR | PROGRAM_CONSOLE,
    ACCOUNT_USERS = PROGRAM_PUSHER | PROGRAM_INSPECTOR,
    HTTP_USERS = PROGRAM_POLLER | PROGRAM_PUSHER | PROGRAM_INSPECTOR | PROGRAM_CONSOLE,
    RETRIERS = PROGRAM_POLLER | PROGRAM_PUSHER | PROGRAM_CONSOLE,
    STORE_USERS = PROGRAM_POLLER | PROGRAM_CONSOLE,
};

const struct config_option options[] = {
    {"kafka", "brokers", OPTION_TEXT, KAFKA(brokers), "localhost:9092", "line", ALL,
     "bootstrap servers, comma-separated host:port"},
    {"kafka", "topic_prefix", OPTION_TEXT, KAFKA(topic_prefix), "bigfusion", "name", ALL,
     "first part of every topic, consumer group and Redis key"},
    {"kafka", "partitions", OPTION_INT, KAFKA(partitions), "12", "1..1000", ALL,
     "partitions of each topic that `bigfusion topics create` makes; fewer are warned of"},
    {"kafka", "replication", OPTION_INT, KAFKA(replication), "1", "1..10", PROGRAM_INSPECTOR,
     "copies of each partition that `bigfusion topics create` asks for"},
    {"kafka", "min_insync_replicas", OPTION_INT, KAFKA(min_insync_replicas), "0", "0..10",
     PROGRAM_INSPECTOR,
     "copies that must have a record before it counts; 0: 2 where replication is 3 or more, else "
     "1"},
    {"kafka", "max_record_bytes", OPTION_INT, KAFKA(max_record_bytes), "1048576", "16384..67108864",
     ALL, "largest order as the store sends it; larger ones become dead too_large"},
    {"kafka", "session_timeout_ms", OPTION_INT, KAFKA(session_timeout_ms), "10000", "1000..300000",
     ALL, "how long the partitions of a killed program wait before another one gets them"},
    {"kafka", "poison_after", OPTION_INT, KAFKA(poison_after), "3", "0..100",
     PROGRAM_FILTER | PROGRAM_MAPPER | PROGRAM_PUSHER,
     "after so many starts in a row that end while they work on one record, it is dead poison; 0: "
     "never"},
    {"kafka", "sasl_password_file", OPTION_SECRET, KAFKA(sasl_password_file), "", "file", ALL,
     "file that holds the password of a login to Kafka, instead of [librdkafka] sasl.password"},

    {"redis", "url", OPTION_TEXT, REDIS(server.url), "redis://localhost:6379/0", "redis-url",
     REDIS_USERS,
     "redis://[user[:password]@]host[:port][/db], rediss://... for TLS, or unix:///path?db=N"},
    {"redis", "password_file", OPTION_SECRET, REDIS(server.password_file), "", "file", REDIS_USERS,
     "file that holds the password of the login to Redis, instead of one in url"},
    {"redis", "tls_ca_file", OPTION_TEXT, REDIS(server.tls_ca_file), "", "readable", REDIS_USERS,
     "rediss://: certificates of the authorities that may sign the server's; empty: the system's"},
    {"redis", "tls_cert_file", OPTION_TEXT, REDIS(server.tls_cert_file), "", "readable",
     REDIS_USERS, "rediss://: our own certificate, where the server asks for one"},
    {"redis", "tls_key_file", OPTION_TEXT, REDIS(server.tls_key_file), "", "readable", REDIS_USERS,
     "rediss://: the key of tls_cert_file"},
    {"redis", "tls_server_name", OPTION_TEXT, REDIS(server.tls_server_name), "", "line",
     REDIS_USERS,
     "rediss://: the name or address that the server's certificate must have; empty: url's host"},
    {"redis", "ledger_keep_days", OPTION_INT, REDIS(ledger_keep_days), "400", "1..3650",
     REDIS_USERS, "how long a delivered order is remembered"},

    {"http", "ca_file", OPTION_TEXT, HTTP(ca_file), "", "readable", HTTP_USERS,
     "certificates of the authorities that may sign those of stores and accounts; empty: the "
     "system's"},
    {"http", "proxy", OPTION_TEXT, HTTP(proxy), "", "proxy", HTTP_USERS,
     "http://host:port of a proxy for all calls to stores and accounts; empty: none, whatever the "
     "environment says"},

    {"health", "listen", OPTION_TEXT, offsetof(struct config, health.listen), "off", "line",
     PROGRAM_POLLER | PROGRAM_FILTER | PROGRAM_MAPPER | PROGRAM_PUSHER | PROGRAM_CONSOLE,
     "host:port of /healthz, /readyz and /metrics, or off"},

    {"console", "allow_plain_http", OPTION_ENUM, CONSOLE(allow_plain_http), "no", "no|yes",
     PROGRAM_INSPECTOR, "yes: url may be http:// to another machine, where others can read it"},
    {"console", "url", OPTION_TEXT, CONSOLE(url), "http://127.0.0.1:9180", "url", PROGRAM_INSPECTOR,
     "where the command `bigfusion` asks for answers"},
    {"console", "token_file", OPTION_SECRET, CONSOLE(token_file), "", "file",
     PROGRAM_INSPECTOR | PROGRAM_CONSOLE, "file that holds the token of the console; empty: none"},
    {"console", "listen", OPTION_TEXT, CONSOLE(listen), "127.0.0.1:9180", "line", PROGRAM_CONSOLE,
     "host:port of the page and of /api/v1"},
    {"console", "index_file", OPTION_TEXT, CONSOLE(index_file), "/var/lib/bigfusion/index.sqlite",
     "line", PROGRAM_CONSOLE,
     "where the console keeps its index of the topics, in a folder that only it can write; it is "
     "rebuilt when it is missing"},
    {"console", "history_keep_days", OPTION_INT, CONSOLE(history_keep_days), "400", "1..3650",
     PROGRAM_CONSOLE,
     "how long the index keeps an order after its last record; orders without a fate stay"},

    {"poller", "settle_s", OPTION_INT, POLLER(settle_s), "5", "0..3600", PROGRAM_POLLER,
     "orders changed less than this ago are left to the next poll, so that a window does not "
     "change while it is read"},
    {"poller", "overlap_s", OPTION_INT, POLLER(overlap_s), "180", "0..86400", PROGRAM_POLLER,
     "how far before the cursor each poll begins"},
    {"poller", "page_size", OPTION_INT, POLLER(page_size), "50", "1..250", PROGRAM_POLLER,
     "orders in one list call"},
    {"poller", "lease_s", OPTION_INT, POLLER(lease_s), "30", "1..600", PROGRAM_POLLER,
     "how long the stores of a poller that has died wait before another one gets them"},

    {"pusher", "workers", OPTION_INT, PUSHER(workers), "32", "1..512", PROGRAM_PUSHER,
     "deliveries under way at once, one thread each"},
    {"pusher", "lease_s", OPTION_INT, PUSHER(lease_s), "60", "1..3600", ACCOUNT_USERS,
     "how long the orders of a pusher that has died wait before another one gets them; longer than "
     "http_timeout_s"},
    {"pusher", "http_timeout_s", OPTION_INT, PUSHER(http_timeout_s), "20", "1..300", ACCOUNT_USERS,
     "how long one call to Infusionsoft may take"},
    {"pusher", "visibility_delay_s", OPTION_INT, PUSHER(visibility_delay_s), "30", "0..3600",
     ACCOUNT_USERS, "how long after its call a new object may be missing in Infusionsoft's lists"},
    {"pusher", "max_attempts", OPTION_INT, PUSHER(max_attempts), "26", "1..1000", RETRIERS,
     "failures of one order by itself after which it is dead gave_up"},
    {"pusher", "retry_delays_s", OPTION_INTS, PUSHER(retry_delays_s), "60,600,3600", "0..86400",
     RETRIERS, "delays after an order's failures 1-3, 4-6 and later, in seconds"},
    {"pusher", "send_traceparent", OPTION_ENUM, PUSHER(send_traceparent), "off", "off|on",
     PROGRAM_PUSHER,
     "whether calls to Infusionsoft carry the header traceparent; its interface does not say that "
     "it takes headers it does not know"},

    {"store", "code", OPTION_TEXT, STORE(code), "BC", "name", ALL,
     "the Store Code: begins each order title, names the order goal"},
    {"store", "hash", OPTION_TEXT, STORE(hash), NULL, "hash", ALL,
     "the store hash, from the store's API path"},
    {"store", "token_file", OPTION_SECRET, STORE(token_file), NULL, "file", STORE_USERS,
     "file that holds the store's API token"},
    {"store", "account", OPTION_TEXT, STORE(account), NULL, "name", ALL,
     "name of the [infusionsoft NAME] that its orders go to"},
    {"store", "allow_plain_http", OPTION_ENUM, STORE(allow_plain_http), "no", "no|yes", STORE_USERS,
     "yes: api_url may be http:// to another machine, where others can read it"},
    {"store", "api_url", OPTION_TEXT, STORE(api_url), "https://api.bigcommerce.com", "url",
     STORE_USERS, "where the store's API is, up to but without /stores"},
    {"store", "poll_interval_s", OPTION_INT, STORE(poll_interval_s), "30", "1..3600", STORE_USERS,
     "seconds between two polls"},
    {"store", "contacts", OPTION_ENUM, STORE(contacts), "on", "off|on", PROGRAM_POLLER,
     "whether the store's customers are synced: each becomes a contact"},
    {"store", "products", OPTION_ENUM, STORE(products), "on", "off|on", PROGRAM_POLLER,
     "whether the store's catalogue is synced: each product with its variants"},
    {"store", "products_interval_s", OPTION_INT, STORE(products_interval_s), "600", "1..86400",
     PROGRAM_POLLER, "seconds between two readings of the whole catalogue"},
    {"store", "start_from", OPTION_START, STORE(start_from), "now", "now, all or a date",
     PROGRAM_POLLER, "what a first start takes from the past: now, all, or 2026-01-31[T10:00:00Z]"},
    {"store", "statuses", OPTION_STATUSES, STORE(statuses), "2,3,8,9,10,11,14",
     "0, 1, 2, 3, 7, 8, 9, 10, 11, 14", PROGRAM_FILTER,
     "ids of the order statuses that are synced"},
    {"store", "after_sync", OPTION_ENUM, STORE(after_sync), "ignore", "ignore|note|tag",
     PROGRAM_PUSHER,
     "what a refund or cancellation after the sync leaves on the contact; note and tag: not "
     "available yet"},
    {"store", "existing_contact", OPTION_ENUM, STORE(existing_contact), "keep", "keep|overwrite",
     PROGRAM_PUSHER, "keep: fill only the empty fields of a contact that exists"},
    {"store", "opt_in", OPTION_ENUM, STORE(opt_in), "opted_in", "opted_in|never|always",
     PROGRAM_MAPPER, "when a new contact's address is given a marketing permission"},
    {"store", "payments", OPTION_ENUM, STORE(payments), "off", "off|paid|all",
     PROGRAM_MAPPER | ACCOUNT_USERS,
     "which orders get a payment in Infusionsoft: none, those that the store says are paid, or "
     "all"},
    {"store", "payment_type", OPTION_TEXT, STORE(payment_type), "", "line",
     PROGRAM_MAPPER | ACCOUNT_USERS,
     "with payments = paid or all: one of the account's Manual Payment Types, as it is written "
     "there, such as Credit Card (Manual)"},

    {"infusionsoft", "allow_plain_http", OPTION_ENUM, ACCOUNT(allow_plain_http), "no", "no|yes",
     ACCOUNT_USERS,
     "yes: api_url and token_url may be http:// to another machine, where others can read it"},
    {"infusionsoft", "api_url", OPTION_TEXT, ACCOUNT(api_url),
     "https://api.infusionsoft.com/crm/rest/v2", "url", ACCOUNT_USERS, "base of the REST API v2"},
    {"infusionsoft", "auth", OPTION_ENUM, ACCOUNT(auth), "key", "key|oauth", ACCOUNT_USERS,
     "key: a personal access token or service account key; oauth: rotating tokens"},
    {"infusionsoft", "key_file", OPTION_SECRET, ACCOUNT(key_file), "", "file", ACCOUNT_USERS,
     "with auth = key: file that holds the key"},
    {"infusionsoft", "key_header", OPTION_ENUM, ACCOUNT(key_header), "keap", "keap|bearer",
     ACCOUNT_USERS, "send the key as X-Keap-API-Key, or as Authorization: Bearer"},
    {"infusionsoft", "client_id", OPTION_TEXT, ACCOUNT(client_id), "", "line", ACCOUNT_USERS,
     "with auth = oauth: the application's id"},
    {"infusionsoft", "client_secret_file", OPTION_SECRET, ACCOUNT(client_secret_file), "", "file",
     ACCOUNT_USERS, "with auth = oauth: file that holds the application's secret"},
    {"infusionsoft", "refresh_token_file", OPTION_SECRET, ACCOUNT(refresh_token_file), "", "file",
     ACCOUNT_USERS, "with auth = oauth: file that holds the first refresh token"},
    {"infusionsoft", "token_state_file", OPTION_TEXT, ACCOUNT(token_state_file), "", "state-file",
     ACCOUNT_USERS,
     "with auth = oauth: where the current token pair is kept, on a volume all pushers share"},
    {"infusionsoft", "token_url", OPTION_TEXT, ACCOUNT(token_url),
     "https://api.infusionsoft.com/token", "url", ACCOUNT_USERS,
     "with auth = oauth: the token endpoint"},
    {"infusionsoft", "rate_per_s", OPTION_INT, ACCOUNT(rate_per_s), "4", "0..10000", ACCOUNT_USERS,
     "calls per second that all pushers make together; 0: no limit of our own"},
    {"infusionsoft", "rate_per_min", OPTION_INT, ACCOUNT(rate_per_min), "0", "0..1000000",
     ACCOUNT_USERS, "the same per minute"},
    {"infusionsoft", "rate_per_day", OPTION_INT, ACCOUNT(rate_per_day), "0", "0..1000000000",
     ACCOUNT_USERS, "the same per day"},
    {"infusionsoft", "currency", OPTION_TEXT, ACCOUNT(currency), "", "currency",
     PROGRAM_MAPPER | ACCOUNT_USERS,
     "the account's currency, e.g. USD; empty: the account is asked"},
    {"infusionsoft", "orders", OPTION_ENUM, ACCOUNT(orders), "on", "on|off",
     PROGRAM_MAPPER | ACCOUNT_USERS,
     "off: for an account that never has the e-commerce module: contacts, tags and goals arrive, "
     "and no orders and products are made"},
    {"infusionsoft", "discount_sign", OPTION_ENUM, ACCOUNT(discount_sign), "negative",
     "negative|positive", PROGRAM_MAPPER, "sign of a DISCOUNT line's price"},
    {"infusionsoft", "shipping_region", OPTION_ENUM, ACCOUNT(shipping_region), "name",
     "name|code|off", PROGRAM_MAPPER, "how an order's shipping address spells its region"},
    {"infusionsoft", "opt_in_reason", OPTION_TEXT, ACCOUNT(opt_in_reason),
     "Opted in at checkout in the online store", "line", PROGRAM_MAPPER,
     "what is recorded as the reason of a marketing permission"},
    {"infusionsoft", "tenant", OPTION_TEXT, ACCOUNT(tenant), "", "line", ACCOUNT_USERS,
     "the account that must answer, e.g. ab123.infusionsoft.com; empty: not checked"},
};

const size_t option_count = sizeof(options) / sizeof(*options);
