/* command_table.c - every subcommand of `bigfusion`. */
#include <stddef.h>

#include "command.h"

/* The doctor looks at the secrets of all programs. */
enum {
    DOCTOR_PROGRAMS = PROGRAM_POLLER | PROGRAM_FILTER | PROGRAM_MAPPER | PROGRAM_PUSHER |
                      PROGRAM_INSPECTOR | PROGRAM_DOCTOR,
};

enum { RETRY_ORDERS_MAX = 1000 };

enum {
    LIST_OPTIONS = COMMAND_OPTION_STORE | COMMAND_OPTION_REASON | COMMAND_OPTION_SINCE |
                   COMMAND_OPTION_OLDER | COMMAND_OPTION_LIMIT | COMMAND_OPTION_JSON,
};

const struct command commands[] = {
    {.words = "up-front",
     .arguments = "",
     .summary = "everything that must be there before the services start",
     .help =
         "Waits until Kafka and Redis answer, then does `topics create` and `setup`. Where one of "
         "them cannot be done now, it says why and tries again. It ends as soon as all is done, or "
         "with 100 when a person must fix something. Doing it again changes nothing. To be run "
         "once before the services start, for example by docker-compose.yml.",
     .run = up_front_run},
    {.words = "doctor",
     .arguments = "",
     .summary = "look for what is wrong with the configuration and everything around it",
     .help =
         "Checks settings, secret files, Kafka and its topics, Redis and the ledger in it, each "
         "store's token and each account, and the clocks of all of them. It prints one line for "
         "each check: ok, warn, fail or skip, what was found, and what to do. It changes nothing "
         "anywhere. docs/doctor.md explains each check.",
     .examples =
         "bigfusion doctor\n"
         "bigfusion doctor --json | jq -r '.findings[] | select(.level == \"fail\") | .check'\n",
     .exits = "the worst finding: 0 where nothing failed, 100 where a person must fix something, "
              "111 where something could not be reached",
     .options = COMMAND_OPTION_JSON,
     .run = doctor_run,
     .programs = DOCTOR_PROGRAMS,
     .run_refused = doctor_run_refused},
    {.words = "setup",
     .arguments = "",
     .summary = "prepare each Infusionsoft account",
     .help =
         "Creates the TEXT order custom field `BigCommerce Order`, which holds each order's key, "
         "in every configured account that has none yet. Doing it again changes nothing. Where no "
         "account had the field, nothing was ever delivered, and the delivery ledger is started as "
         "a new one. Needs the account's e-commerce module.",
     .run = setup_run},
    {.words = "topics create",
     .arguments = "",
     .summary = "create the topics that are missing",
     .help = "Creates every topic with the partitions and replication of [kafka], its retention or "
             "compaction and its largest record. Topics that exist are left as they are. Doing it "
             "again changes nothing.",
     .run = topics_create_run},
    {.words = "topics acl",
     .arguments = "",
     .summary = "print what each program must be allowed in Kafka",
     .help = "Prints a shell script that calls kafka-acls.sh: for each program, the topics that it "
             "reads and writes, its consumer group, and nothing more. It is made from the settings "
             "alone; nothing is asked or changed. Run it again where an account was added, because "
             "each account has topics of its own.\n\n"
             "Each program has a login of its own; {program} in NAME stands for poller, filter, "
             "mapper, pusher, console, operator (this command line) and setup (`topics create` and "
             "`up-front`). Without {program} all have the same login.",
     .examples = "bigfusion topics acl >acls\n"
                 "bigfusion topics acl --principal 'User:CN={program}.example.com'\n",
     .options = COMMAND_OPTION_PRINCIPAL,
     .run = topics_acl_run},
    {.words = "ledger distrust",
     .arguments = "",
     .summary = "tell that Redis was restored from a backup",
     .help =
         "What the delivery ledger holds is then looked up at Infusionsoft before anything is "
         "made. To be run after an older copy of Redis' data was put in place, before the pushers "
         "go on.",
     .run = ledger_distrust_run},
    {.words = "status",
     .arguments = "",
     .summary = "services, fates, stores and accounts at a glance",
     .help =
         "Of filter, mapper and pusher: how many processes read (members of the consumer group), "
         "how many records are not finished (LAG), how old the oldest of them is, how many come "
         "(IN/S) and are finished (DONE/S) in a second. Of the orders: how many were delivered, "
         "skipped and given up as dead, in the last hour and in all; each order counts once. Of "
         "each store: how far it was read, the last and the next poll, what is left of its quota, "
         "what is wrong. Of each account: whether it is open, since when it is closed and why, and "
         "what waits for it. Then the alarms. Changes nothing.\n\n"
         "The console answers. Where none does, or with --scan, the topics are read: all of "
         "`delivered`, `skipped` and `dead`, and rates are measured for three seconds at least; "
         "polls, "
         "quotas and alarms are not known then. The last line, in JSON the member `source`, says "
         "where the answer comes from. A service commits twice a second, so LAG may be half a "
         "second behind. A position is saved when orders move it, else every ten minutes.",
     .examples = "bigfusion status\n"
                 "bigfusion status --json | jq '.stages[] | {stage, members, lag_s}'\n"
                 "bigfusion status --scan --json | jq '.services[] | {service, members, lag_s}'\n",
     .options = COMMAND_OPTION_SCAN | COMMAND_OPTION_JSON,
     .run = status_run},
    {.words = "why",
     .arguments = "[ORDER]",
     .summary = "where one order is, why, and what happens next",
     .help =
         "Gives the one answer: the order is in Infusionsoft, waits, is tried again, was skipped, "
         "is "
         "dead, or is unknown. A sentence comes first, then what happens next and when, then the "
         "order's history: each record with its time, stage, place and what it says. The console "
         "(bigfusion-console) answers; where its index does not know the order, it asks the store. "
         "Without a console, `bigfusion trace` reads the topics. Changes nothing.\n\n"
         "ORDER is CODE/NUMBER, 'CODE #NUMBER' or HASH/order/NUMBER; with one store, NUMBER is "
         "enough. A number that no store has is looked for as the id of an order in Infusionsoft. "
         "What stands on a command line can be seen by the other users of the machine, so an "
         "e-mail address is better read from standard input.",
     .examples = "bigfusion why BC/1042\n"
                 "bigfusion why 1042\n"
                 "bigfusion why --infusionsoft 977 --account main\n"
                 "bigfusion why --email - --json\n",
     .exits = "0 synced, 10 waiting, 11 retrying, 12 skipped, 13 dead, 14 unknown; of several "
              "orders the highest",
     .arguments_max = 2,
     .options = COMMAND_OPTION_EMAIL | COMMAND_OPTION_INFUSIONSOFT | COMMAND_OPTION_ACCOUNT |
                COMMAND_OPTION_JSON,
     .run = why_run},
    {.words = "stuck",
     .arguments = "",
     .summary = "orders that have no fate yet, and where they wait",
     .help =
         "Lists every order that entered the pipeline and is neither delivered nor skipped nor "
         "dead: the stage in which its newest version waits, why, and for how long; those that "
         "have "
         "waited longest first. The last lines count them by reason and say how fresh the answer "
         "is. The console answers. Changes nothing. An order that a store has and no poll has seen "
         "yet is not listed.\n\n"
         "With --scan, and then without other filters than --older, no console is needed: it reads "
         "the records from each consumer group's committed offset on, the fates that were written "
         "since the oldest of these versions, and the delivery ledger. The last line says how much "
         "was read.\n\n"
         "Reasons: queued, retrying, account_closed, ecommerce_unavailable, in_doubt.",
     .examples = "bigfusion stuck                     # all of them\n"
                 "bigfusion stuck --older 15m         # those that a merchant may ask about\n"
                 "bigfusion stuck --reason in_doubt --store BC\n"
                 "bigfusion stuck --scan --json       # from the topics, for programs\n",
     .options = LIST_OPTIONS | COMMAND_OPTION_SCAN,
     .run = stuck_run},
    {.words = "waiting",
     .arguments = "",
     .summary = "orders without a fate that are not tried again at a set time",
     .help = "Those of `bigfusion stuck` that wait for a service, for their account or for the "
             "look-up of a call whose answer was lost. Reasons: queued, account_closed, "
             "ecommerce_unavailable, in_doubt.",
     .examples = "bigfusion waiting --reason account_closed\n",
     .options = LIST_OPTIONS,
     .run = waiting_run},
    {.words = "retrying",
     .arguments = "",
     .summary = "orders of which an attempt failed and the next one has a time",
     .help = "Those of `bigfusion stuck` that wait for their next try: the step that failed, the "
             "error, and when they are tried again.",
     .examples = "bigfusion retrying --older 1h\n",
     .options = LIST_OPTIONS,
     .run = retrying_run},
    {.words = "skipped",
     .arguments = "",
     .summary = "orders that are not synced, and which rule says so",
     .help = "Lists the orders whose newest version is not to be in Infusionsoft, the oldest such "
             "fate first. "
             "Reasons: archived, status, before_start, unknown_status, no_email, invalid_email.",
     .examples = "bigfusion skipped --reason no_email --since 2026-01-31\n"
                 "bigfusion skipped --limit 20\n",
     .options = LIST_OPTIONS,
     .run = skipped_run},
    {.words = "dead",
     .arguments = "",
     .summary = "orders that could not be delivered, and why: a person has to look",
     .help = "Lists the orders that were given up, the oldest such fate first, with what was "
             "wrong. Reasons: "
             "malformed, too_large, total_mismatch, currency_mismatch, refused, gave_up, poison.",
     .examples = "bigfusion dead --since 1d\n"
                 "bigfusion dead --json | jq -r '.orders[] | [.order, .reason, .detail] | @tsv'\n",
     .options = LIST_OPTIONS,
     .run = dead_run},
    {.words = "preview",
     .arguments = "",
     .summary = "what the settings would do with the newest orders of a store",
     .help =
         "Reads the newest orders of a store and says of each whether it would be synced, skipped "
         "or parked (dead, until a person looks), and why. It runs the very functions of the "
         "filter and the mapper. With --against it does so under another configuration file as "
         "well and says which orders would change, from what to what, and which parts of what is "
         "sent would differ; names of parts only, nothing of a customer. Infusionsoft is not "
         "called, and nothing is changed anywhere. The store is asked at the pace of its quota; "
         "progress stands on standard error.\n\n"
         "Settings in the environment count for both configurations. What only the account can "
         "tell is not known here: docs/preview.md.",
     .examples = "bigfusion preview --store BC\n"
                 "bigfusion preview --store BC --last 200 --json | jq '.now.counts'\n"
                 "bigfusion preview --store BC --against new.conf\n",
     .exits = "0 done; with --against 0 nothing would change, 10 something would",
     .options =
         COMMAND_OPTION_STORE | COMMAND_OPTION_LAST | COMMAND_OPTION_AGAINST | COMMAND_OPTION_JSON,
     .run = preview_run,
     .programs = PROGRAM_POLLER | PROGRAM_INSPECTOR},
    {.words = "trace",
     .arguments = "ORDER",
     .summary = "every record of one order, in the order of their times",
     .help =
         "Shows each record of the order in the topics of the pipeline: when it was written, "
         "stage, topic, partition and offset, and what it says: reason, attempt, next try, the "
         "vendor's answer, ids in the account. Nothing of the customer is shown. Topics whose "
         "records are placed by key are read in one partition, the others whole. No record at all "
         "is an answer too: exit status 0. Changes nothing.\n\n"
         "ORDER is CODE/NUMBER, 'CODE #NUMBER' or HASH/order/NUMBER; with one store, NUMBER is "
         "enough. HASH/contact/NUMBER is a customer of the store, HASH/product/NUMBER a product.",
     .examples = "bigfusion trace BC/1042\n"
                 "bigfusion trace 'BC #1042'\n"
                 "bigfusion trace abc123/order/1042 --json\n",
     .arguments_min = 1,
     .arguments_max = 2,
     .options = COMMAND_OPTION_JSON,
     .run = trace_run},
    {.words = "peek",
     .arguments = "ORDER",
     .summary = "the newest record of one order in each topic, decoded",
     .help =
         "Shows, for each topic that has a record of the order, the newest one: its place and "
         "time, "
         "its headers, and its value as JSON in several lines. *** stands for what may be about a "
         "person: all texts but those that are known to be none, such as ids, SKUs, amounts and "
         "times. Reads the same topics as `bigfusion trace`, and takes the same names of an order. "
         "Changes nothing.",
     .examples = "bigfusion peek BC/1042\n"
                 "bigfusion peek BC/1042 --json | jq '.records[] | {stage, headers}'\n",
     .arguments_min = 1,
     .arguments_max = 2,
     .options = COMMAND_OPTION_SHOW_PERSONAL | COMMAND_OPTION_JSON,
     .run = peek_run},
    {.words = "tail",
     .arguments = "[TOPIC]",
     .summary = "the records that are written from now on, a line each",
     .help =
         "Follows one topic or all of them until TERM or INT (Ctrl-C) comes, which is its usual "
         "end: "
         "exit status 0. A line has time, stage, topic/partition/offset, key, headers and the "
         "begin "
         "of the value, masked as `bigfusion peek` does it; with --json each line is a JSON "
         "document "
         "with the whole value. TOPIC is a stage, such as raw, retry-1m or waiting.main, or the "
         "topic's whole name. It joins no consumer group and changes nothing.",
     .examples =
         "bigfusion tail dead\n"
         "bigfusion tail --json | jq -c 'select(.headers.reason) | [.key, .headers.reason]'\n",
     .choices = "raw eligible payloads retry-1m retry-10m retry-1h skipped delivered dead cursors",
     .arguments_max = 1,
     .options = COMMAND_OPTION_SHOW_PERSONAL | COMMAND_OPTION_JSON,
     .run = tail_run},
    {.words = "retry",
     .arguments = "[ORDER...]",
     .summary = "dead, retrying or waiting orders once more",
     .help =
         "Sends the records of orders again, to the stage that gave them up, as they came. It "
         "reads "
         "the topics, so it needs no console. First it counts. While more than a few hundred "
         "records are in front of the services, it waits, so that live orders do not wait behind "
         "thousands. Ctrl-C ends it; it says what was sent. It may be repeated at any time, also "
         "after it was killed: the delivery ledger sees to it that nothing is made twice. A dead "
         "order that is delivered or skipped then leaves the list of dead orders.\n\n"
         "ORDER is CODE/NUMBER or HASH/order/NUMBER; with one store, NUMBER is enough. "
         "HASH/contact/NUMBER is a customer, HASH/product/NUMBER a product. Without "
         "orders, at least one of --store, --reason and --since chooses. Orders that cannot be "
         "tried again are listed with the reason.",
     .examples = "bigfusion retry BC/1042 --why 'the SKU is right now'\n"
                 "bigfusion retry --store BC --reason refused --since 2h --dry-run\n"
                 "bigfusion retry --edit BC/1042\n",
     .arguments_max = RETRY_ORDERS_MAX,
     .options = COMMAND_OPTION_STORE | COMMAND_OPTION_REASON | COMMAND_OPTION_SINCE |
                COMMAND_OPTION_RETRYING | COMMAND_OPTION_WAITING | COMMAND_OPTION_EDIT |
                COMMAND_OPTION_DRY_RUN | COMMAND_OPTION_WHY | COMMAND_OPTION_JSON,
     .run = retry_run},
    {.words = "backfill",
     .arguments = "",
     .summary = "bring a store's orders of the past into its account",
     .help = "Reads the orders that were placed from --from on and before --to, by their ids, and "
             "publishes "
             "them to the lane of the history. They are delivered only while live orders leave "
             "room. --to is "
             "at most the store's start_from, since what came after it is the poller's. No goal is "
             "achieved "
             "and no tag applied unless --goals or --tags asks for it. What is delivered already "
             "is not made "
             "again. The rules of the filter count, but for start_from.\n\n"
             "It waits while thousands of these orders are not delivered yet, and leaves the last "
             "quarter of "
             "the store's quota to the poller. Its position is saved after each page: the same "
             "command goes "
             "on there, also after it was killed, and repeats at most one page of 100 orders. "
             "Ctrl-C ends it. "
             "--dry-run only counts: docs/backfill.md.",
     .examples = "bigfusion backfill --store BC --from 2023-01-01 --dry-run\n"
                 "bigfusion backfill --store BC --from 2023-01-01 --why 'the shop asked for it'\n",
     .options = COMMAND_OPTION_STORE | COMMAND_OPTION_FROM | COMMAND_OPTION_TO |
                COMMAND_OPTION_GOALS | COMMAND_OPTION_TAGS | COMMAND_OPTION_DRY_RUN |
                COMMAND_OPTION_WHY | COMMAND_OPTION_JSON,
     .run = backfill_run,
     .programs = PROGRAM_POLLER | PROGRAM_INSPECTOR},
    {.words = "drop",
     .arguments = "ORDER",
     .summary = "an order that is not to be synced",
     .help = "The newest version of the order gets the fate skipped, reason dropped. No copy of it "
             "that still waits or is tried again is delivered afterwards. Refused where the order "
             "is delivered already, or where it is not known yet whether it was made. The order's "
             "next change in the store is a newer version, which is delivered. Needs --why.",
     .examples = "bigfusion drop BC/1042 --why 'a test order of the agency'\n",
     .arguments_min = 1,
     .arguments_max = 2,
     .options = COMMAND_OPTION_WHY,
     .run = drop_run},
    {.words = "pause",
     .arguments = "[STORE|ACCOUNT]",
     .summary = "stop polling a store, or delivering into an account",
     .help =
         "In effect within seconds, on every host, until `bigfusion resume`. A paused store is not "
         "polled; what a poll has seen is delivered. For a paused account nothing is made; its "
         "orders wait. Nothing is lost. Without an argument it lists what is paused.\n\n"
         "STORE is a Store Code or a hash, ACCOUNT the name of a section [infusionsoft NAME]. "
         "Where both are meant, write store:HASH or account:NAME.",
     .examples = "bigfusion pause BC --why 'stock is counted'\n"
                 "bigfusion pause account:main\n"
                 "bigfusion pause\n",
     .arguments_max = 1,
     .options = COMMAND_OPTION_WHY,
     .run = pause_run},
    {.words = "resume",
     .arguments = "STORE|ACCOUNT",
     .summary = "end a pause",
     .help = "The next poll of a store reads what changed meanwhile; the orders that wait for an "
             "account are delivered, the oldest first.",
     .examples = "bigfusion resume BC\n",
     .arguments_min = 1,
     .arguments_max = 1,
     .options = COMMAND_OPTION_WHY,
     .run = resume_run},
    {.words = "forget",
     .arguments = "[EMAIL]",
     .summary = "remove what is kept of a person",
     .help =
         "Removes the contact's entry in Redis, the text of the person's records in `dead`, and "
         "the "
         "e-mail's digest in the console's index. Prints a receipt: what was removed, what stays "
         "and until when. Orders of the person are made once all the same. The audit has the "
         "digest of the address, never the address. May be repeated.\n\n"
         "What stands on a command line can be seen by the other users of the machine, and is kept "
         "by the shell, so the address is better read from standard input: --email -.",
     .examples = "bigfusion forget --email - --why 'ticket 17'\n",
     .arguments_max = 1,
     .options = COMMAND_OPTION_EMAIL | COMMAND_OPTION_WHY | COMMAND_OPTION_JSON,
     .run = forget_run},
    {.words = "audit",
     .arguments = "",
     .summary = "what operators did: who, when, what and why",
     .help =
         "Lists the entries of the topic `audit`, which is kept for ever. Each act has an entry "
         "before it and one after it, which tells the outcome.",
     .examples = "bigfusion audit\n"
                 "bigfusion audit --json | jq '.entries[].entry | select(.act == \"retry\")'\n",
     .options = COMMAND_OPTION_JSON,
     .run = audit_run},
    {.words = "audit verify",
     .arguments = "",
     .summary = "whether an entry of the audit was changed or removed",
     .help = "Each entry has the digest of the one before it. Names the first entry that does not "
             "fit. That the newest entries were cut off, it cannot see: note the last digest that "
             "it prints elsewhere.",
     .examples = "bigfusion audit verify\n",
     .exits = "0 whole, 100 broken",
     .options = COMMAND_OPTION_JSON,
     .run = audit_verify_run},
    {.words = "completion",
     .arguments = "bash|zsh",
     .summary = "a script with which a shell completes commands and options",
     .help =
         "Prints the script. Packages install it; otherwise it is to be read at the start of the "
         "shell, as below, or for zsh to be kept as a file _bigfusion in a folder of fpath. Needs "
         "no settings.",
     .examples = "source <(bigfusion completion bash)\n"
                 "bigfusion completion zsh >~/.zsh/_bigfusion\n",
     .choices = "bash zsh",
     .arguments_min = 1,
     .arguments_max = 1,
     .about = COMMAND_ABOUT_COMPLETION},
    {.words = "help",
     .arguments = "[COMMAND]",
     .summary = "what a command does, its arguments and options",
     .help = "Without a command it lists them all. Needs no settings.",
     .examples = "bigfusion help stuck\n"
                 "bigfusion help --man | man -l -\n",
     .arguments_max = 3,
     .options = COMMAND_OPTION_MAN,
     .about = COMMAND_ABOUT_HELP},
};

const int command_count = sizeof(commands) / sizeof(*commands);
