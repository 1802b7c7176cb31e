/* NAME
 *   bigfusion-devbroker - a Kafka broker that lives in memory, for the demo and the fast tests
 * SYNOPSIS
 *   bigfusion-devbroker [--partitions N] [--topics NAME,NAME,...]
 *   bigfusion-devbroker --help | --version
 * DOES
 *   Serves librdkafka's mock cluster (one broker) on a free port of 127.0.0.1 and prints one line
 *   "listening on 127.0.0.1:PORT". Any Kafka client may use it: producers (also idempotent ones),
 * consumer groups with commits, kcat. --topics are made at once with N partitions (default 4). A
 * topic that is not named is made with four partitions when a client first asks for it, where that
 * client allows it; ours do not. DOES NOT Keep anything when it ends, compact a topic, answer admin
 * calls, or hold more than 5 MiB per partition: older records vanish silently. So it is wrong for
 * production and for every test of durability; tests/kafka is for those. SIGNALS TERM and INT end
 * it; USR1: the next batch that a producer sends is answered OUT_OF_ORDER_SEQUENCE_NUMBER, after
 * which an idempotent producer cannot go on; USR2: the next OffsetFetch is answered
 * NOT_COORDINATOR. EXIT STATUS 0 asked to stop; 100 bad arguments or no mock cluster. */
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"

enum {
    PARTITIONS_DEFAULT = 4,
    PARTITIONS_MAX = 256,
    PRODUCE_REQUEST = 0,
    OFFSET_FETCH_REQUEST = 9,
    TURN_MS = 50
};

static atomic_int produce_refused, offset_fetch_refused; /* by the next request */

struct devbroker_options {
    int partitions;
    const char *topics; /* borrowed from argv; NULL: none */
};

static const char help[] =
    "usage: bigfusion-devbroker [--partitions N] [--topics NAME,NAME,...]\n"
    "An in-memory Kafka broker for the demo and fast tests: prints its address, runs until TERM.\n"
    "It keeps 5 MiB per partition and nothing on disk.\n"
    "  --partitions N   partitions of the topics named in --topics, 1..256 (default 4)\n"
    "  --topics LIST    topics to make at start, separated by commas\n"
    "  --help           this text\n"
    "  --version        version of this program and of librdkafka\n";

static void on_refusal_signal(int signal_number)
{
    atomic_store(signal_number == SIGUSR1 ? &produce_refused : &offset_fetch_refused, 1);
}

static void refuse_once(rd_kafka_mock_cluster_t *cluster, atomic_int *wanted, int16_t request,
                        rd_kafka_resp_err_t code, const char *what)
{
    if (!atomic_exchange(wanted, 0))
        return;
    rd_kafka_mock_push_request_errors(cluster, request, 1, code);
    printf("the next %s is refused\n", what);
    fflush(stdout);
}

/* Until a stop is asked for. */
static void serve(rd_kafka_mock_cluster_t *cluster)
{
    struct sigaction action = {.sa_handler = on_refusal_signal};

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    while (!stop_wait_ms(TURN_MS)) {
        refuse_once(cluster, &produce_refused, PRODUCE_REQUEST,
                    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "batch");
        refuse_once(cluster, &offset_fetch_refused, OFFSET_FETCH_REQUEST,
                    RD_KAFKA_RESP_ERR_NOT_COORDINATOR, "offset fetch");
    }
}

static int parse_partitions(const char *text, int *partitions, struct error *err)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < 1 || value > PARTITIONS_MAX)
        return error_set(err, ERROR_PERMANENT, "--partitions takes a number from 1 to %d",
                         PARTITIONS_MAX);
    *partitions = (int)value;
    return 0;
}

/* Returns 1 when the program has said what was asked and is to end, 0 to go on, -1 on error. */
static int parse_options(struct devbroker_options *options, int argc, char **argv,
                         struct error *err)
{
    static const struct option known[] = {
        {"partitions", required_argument, NULL, 'p'},
        {"topics", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            if (parse_partitions(optarg, &options->partitions, err) != 0)
                return -1;
            break;
        case 't':
            options->topics = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return 1;
        case 'v':
            printf("bigfusion-devbroker %s (librdkafka %s)\n", BIGFUSION_VERSION,
                   rd_kafka_version_str());
            return 1;
        default:
            return error_set(err, ERROR_PERMANENT, "unknown or incomplete argument %s; see --help",
                             argv[optind - 1]);
        }
    }
    if (optind < argc)
        return error_set(err, ERROR_PERMANENT, "unexpected argument %s; see --help", argv[optind]);
    return 0;
}

static int make_topics(rd_kafka_mock_cluster_t *cluster, const struct devbroker_options *options,
                       struct error *err)
{
    char *topics = mem_strdup(options->topics != NULL ? options->topics : "");
    char *rest = NULL;
    int result = 0;

    for (char *name = strtok_r(topics, ",", &rest); name != NULL && result == 0;
         name = strtok_r(NULL, ",", &rest)) {
        rd_kafka_resp_err_t code =
            rd_kafka_mock_topic_create(cluster, name, options->partitions, 1);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            result = error_set(err, ERROR_PERMANENT, "topic %s: %s", name, rd_kafka_err2str(code));
    }
    free(topics);
    return result;
}

int main(int argc, char **argv)
{
    struct devbroker_options options = {.partitions = PARTITIONS_DEFAULT};
    struct error err = {0};
    char reason[256] = "";
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *rk = NULL;
    rd_kafka_mock_cluster_t *cluster = NULL;

    log_open("devbroker");
    if (parse_options(&options, argc, argv, &err) != 0)
        goto out;
    stop_install();
    /* The cluster needs a client instance to live in; without bootstrap.servers it connects to
     * nothing. */
    conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0); /* without its warning about that */
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(&err, ERROR_PERMANENT, "librdkafka: %s", reason);
        goto out;
    }
    cluster = rd_kafka_mock_cluster_new(rk, 1);
    if (cluster == NULL) {
        error_set(&err, ERROR_PERMANENT, "librdkafka made no mock cluster");
        goto out;
    }
    if (make_topics(cluster, &options, &err) != 0)
        goto out;
    printf("listening on %s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    serve(cluster);
out:
    if (cluster != NULL)
        rd_kafka_mock_cluster_destroy(cluster);
    if (rk != NULL)
        rd_kafka_destroy(rk);
    if (err.kind != ERROR_NONE)
        log_error("stopped error=\"%s\"", err.text);
    return exit_status(&err);
}
