// librdkafka at the job that README.md beside this describes: words as KEY=VALUE, one line of JSON out.
//
// How it is tuned: a queue of a million messages, batches up to 1 MB, payloads given by reference (no copy), reports by callback (an array of
// them in an event was measured to cost a little more). Two ways to send, each with a row of its own: api=one is rd_kafka_produce for each
// record, as nearly all programs have it; api=batch is rd_kafka_produce_batch with a thousand records a call.
#include <librdkafka/rdkafka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct job {
    const char *op, *brokers, *topic, *values, *codec, *api;
    long records, linger, rate, keys;
    double warmup;
};

static struct job job = {"produce", "localhost:9092", NULL, NULL, "none", "one", 1000000, 5, 0, 0, 0};

static void die(const char *what, const char *why) {
    fprintf(stderr, "peer_librdkafka: %s: %s\n", what, why);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double peak_mb(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

static void read_words(int argc, char **argv) {
    for (int i = 1; i < argc; ++i) {
        char *eq = strchr(argv[i], '=');
        if (!eq) die(argv[i], "write KEY=VALUE");
        *eq++ = 0;
        const char *k = argv[i];
        if (!strcmp(k, "op")) job.op = eq;
        else if (!strcmp(k, "brokers")) job.brokers = eq;
        else if (!strcmp(k, "topic")) job.topic = eq;
        else if (!strcmp(k, "values")) job.values = eq;
        else if (!strcmp(k, "codec")) job.codec = eq;
        else if (!strcmp(k, "records")) job.records = atol(eq);
        else if (!strcmp(k, "linger")) job.linger = atol(eq);
        else if (!strcmp(k, "rate")) job.rate = atol(eq);
        else if (!strcmp(k, "warmup")) job.warmup = atof(eq);
        else if (!strcmp(k, "api")) job.api = eq;
        else if (!strcmp(k, "keys")) job.keys = atol(eq);
        else if (!strcmp(k, "partitions")) continue;  // it asks the cluster
        else die(k, "no such word");
    }
    if (!job.topic || (!job.values && strcmp(job.op, "consume"))) die("topic and values", "must be given");
}

struct value { char *at; size_t size; };
static struct value *values;
static size_t value_count;

static void read_values(void) {
    FILE *f = fopen(job.values, "rb");
    if (!f) die(job.values, strerror(errno));
    fseek(f, 0, SEEK_END);
    const long size = ftell(f);
    rewind(f);
    char *all = malloc((size_t)size + 1);
    if (!all || fread(all, 1, (size_t)size, f) != (size_t)size) die(job.values, "cannot be read");
    fclose(f);
    values = malloc(sizeof *values * ((size_t)size / 2 + 1));
    for (char *at = all, *end = all + size; at < end;) {
        char *line = memchr(at, '\n', (size_t)(end - at));
        if (!line) line = end;
        values[value_count].at = at;
        values[value_count++].size = (size_t)(line - at);
        at = line + 1;
    }
    if (!value_count) die(job.values, "holds no values");
}

static rd_kafka_t *rk;
static rd_kafka_topic_t *topic;
static atomic_long done;
static long failed;
static int64_t *times;   // latency ops: when each record should have gone; then how long it took

static void on_report(rd_kafka_t *k, const rd_kafka_message_t *m, void *opaque) {
    (void)k;
    (void)opaque;
    if (m->err) ++failed;
    if (times && m->_private) {
        const intptr_t i = (intptr_t)m->_private - 1;
        times[i] = now_ns() - times[i];
    }
    // One thread at a time calls this: a plain addition would do, were it not for the other thread that reads.
    atomic_store_explicit(&done, atomic_load_explicit(&done, memory_order_relaxed) + 1, memory_order_release);
}

static void serve(int timeout_ms) { rd_kafka_poll(rk, timeout_ms); }

static void set(rd_kafka_conf_t *c, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(c, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(name, why);
}

static void start(void) {
    rd_kafka_conf_t *c = rd_kafka_conf_new();
    char linger[32], why[512];
    snprintf(linger, sizeof linger, "%ld", job.linger);
    set(c, "bootstrap.servers", job.brokers);
    set(c, "enable.idempotence", "true");
    set(c, "acks", "all");
    set(c, "linger.ms", linger);
    set(c, "batch.size", "1000000");
    set(c, "batch.num.messages", "100000");
    set(c, "queue.buffering.max.messages", "1000000");
    set(c, "queue.buffering.max.kbytes", "1048576");
    set(c, "compression.codec", job.codec);
    set(c, "socket.nagle.disable", "true");
    rd_kafka_conf_set_dr_msg_cb(c, on_report);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof why);
    if (!rk) die("rd_kafka_new", why);
    topic = rd_kafka_topic_new(rk, job.topic, NULL);
}

static long sent;
static size_t next_value;
static long next_key;
static char (*keys)[32];

static void make_keys(void) {
    keys = calloc((size_t)job.keys + 1, sizeof *keys);
    for (long i = 0; i < job.keys; ++i) snprintf(keys[i], sizeof keys[i], "key-%ld", i);
}
static void turn(void) {
    if (++next_value == value_count) next_value = 0;
    if (++next_key >= job.keys) next_key = 0;
}

static void send_batch(long n) {
    static rd_kafka_message_t batch[1000];
    if (n > 1000) n = 1000;
    const size_t first_value = next_value;
    const long first_key = next_key;
    for (long i = 0; i < n; ++i, turn()) {
        memset(&batch[i], 0, sizeof batch[i]);
        batch[i].payload = values[next_value].at;
        batch[i].len = values[next_value].size;
        if (job.keys) {
            batch[i].key = keys[next_key];
            batch[i].key_len = strlen(keys[next_key]);
        }
    }
    const long taken = rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, 0, batch, (int)n);
    sent += taken;
    if (taken == n) return serve(0);
    // Those that were not taken come again.
    next_value = first_value;
    next_key = first_key;
    for (long i = 0; i < taken; ++i) turn();
    serve(5);
}

static int send_one(intptr_t index) {
    const char *key = job.keys ? keys[next_key] : NULL;
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, 0, values[next_value].at, values[next_value].size, key, key ? strlen(key) : 0, (void *)(index + 1)) != 0) return 0;
    ++sent;
    turn();
    return 1;
}

static void send_some(long n) {
    if (!strcmp(job.api, "batch")) return send_batch(n);
    if (n > 1000) n = 1000;
    for (long i = 0; i < n; ++i)
        if (!send_one(-1)) return serve(5);
    serve(0);
}

static void wait_for_all(void) {
    while (done < sent) serve(100);
}

static void one_at_a_time(long n) {
    for (long i = 0; i < n; ++i) {
        times[i] = now_ns();
        while (!send_one(i)) serve(1);
        wait_for_all();
    }
}

static void *serve_until_all_came(void *unused) {
    while (done < job.records) serve(100);
    return unused;
}

// Timed from when each record should have gone, so that a stall is charged to all that wait behind it.
static void at_rate(long n) {
    pthread_t server;
    if (pthread_create(&server, NULL, serve_until_all_came, NULL) != 0) die("pthread_create", "no thread");
    const int64_t begin = now_ns();
    for (long i = 0; i < n; ++i) {
        const int64_t due = begin + (int64_t)((double)i * 1e9 / (double)job.rate);
        const struct timespec at = {due / 1000000000, due % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {}
        times[i] = due;
        while (!send_one(i)) usleep(100);
    }
    pthread_join(server, NULL);
}

static int by_size(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double quantile(double q) {
    return (double)times[(long)(q * (double)(job.records - 1))] / 1e3;
}

// Reads so many records of all partitions from the start: assigned by hand, checksums compared, a thousand records a call.
static int consume(void) {
    rd_kafka_conf_t *c = rd_kafka_conf_new();
    char why[512];
    set(c, "bootstrap.servers", job.brokers);
    set(c, "group.id", "bench");
    set(c, "enable.auto.commit", "false");
    set(c, "check.crcs", "true");
    set(c, "queued.min.messages", "1000000");
    set(c, "auto.offset.reset", "earliest");
    const int64_t begin = now_ns();
    const double cpu_begin = cpu();
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, c, why, sizeof why);
    if (!rk) die("rd_kafka_new", why);
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, job.topic, NULL);
    const struct rd_kafka_metadata *m;
    if (rd_kafka_metadata(rk, 0, t, &m, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR || m->topic_cnt != 1) die(job.topic, "no metadata");
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(m->topics[0].partition_cnt);
    for (int i = 0; i < m->topics[0].partition_cnt; ++i) rd_kafka_topic_partition_list_add(all, job.topic, m->topics[0].partitions[i].id)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, all);
    rd_kafka_queue_t *q = rd_kafka_queue_get_consumer(rk);
    static rd_kafka_message_t *got[1000];
    long n = 0;
    size_t bytes = 0;
    while (n < job.records) {
        const ssize_t k = rd_kafka_consume_batch_queue(q, 1000, got, 1000);
        for (ssize_t i = 0; i < k; ++i) {
            if (got[i]->err) die("consume", rd_kafka_message_errstr(got[i]));
            bytes += got[i]->len;
            ++n;
            rd_kafka_message_destroy(got[i]);
        }
    }
    const double wall = (double)(now_ns() - begin) / 1e9, used = cpu() - cpu_begin;
    printf("{\"client\":\"librdkafka\",\"version\":\"%s\",\"op\":\"consume\",\"n\":%ld,\"size\":%zu,\"wall\":%.3f,\"msgs_s\":%.0f,\"cpu\":%.3f,"
           "\"cpu_us_per_msg\":%.4f,\"rss_mb\":%.1f,\"failed\":0}\n",
           rd_kafka_version_str(), n, bytes / (size_t)n, wall, (double)n / wall, used, used * 1e6 / (double)n, peak_mb());
    fflush(stdout);
    _exit(0);  // what is still in its queues is nobody's figure
}

int main(int argc, char **argv) {
    read_words(argc, argv);
    if (!strcmp(job.op, "consume")) return consume();
    read_values();
    make_keys();
    const int produce = !strcmp(job.op, "produce");
    if (!produce) job.linger = 0;
    start();
    const int64_t warm_until = now_ns() + (int64_t)(job.warmup * 1e9);
    if (produce) {
        do send_some(1000); while (now_ns() < warm_until);
        wait_for_all();
    } else {
        int64_t *kept = calloc((size_t)job.records + 1, sizeof *times);
        times = NULL;
        do {
            while (!send_one(-1)) serve(1);
            wait_for_all();
        } while (now_ns() < warm_until);
        times = kept;
    }
    sent = failed = 0;
    done = 0;
    const int64_t begin = now_ns();
    const double cpu_begin = cpu();
    if (produce) {
        while (sent < job.records) send_some(job.records - sent);
        wait_for_all();
    } else if (!strcmp(job.op, "latency")) {
        one_at_a_time(job.records);
    } else if (!strcmp(job.op, "rate") && job.rate > 0) {
        at_rate(job.records);
    } else {
        die(job.op, "op is produce, consume, latency, or rate with rate=N");
    }
    const double wall = (double)(now_ns() - begin) / 1e9, used = cpu() - cpu_begin, n = (double)job.records;
    printf("{\"client\":\"librdkafka%s\",\"version\":\"%s\",\"op\":\"%s\",\"codec\":\"%s\",\"n\":%ld,\"size\":%zu,\"wall\":%.3f,\"msgs_s\":%.0f,\"cpu\":%.3f,"
           "\"cpu_us_per_msg\":%.4f,\"rss_mb\":%.1f,\"failed\":%ld",
           produce && !strcmp(job.api, "batch") ? "-batch" : "", rd_kafka_version_str(), job.op, job.codec, job.records, values[0].size, wall, n / wall, used, used * 1e6 / n, peak_mb(), failed);
    if (!produce) {
        qsort(times, (size_t)job.records, sizeof *times, by_size);
        printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f", quantile(0.5), quantile(0.99), quantile(0.999));
    }
    printf("}\n");
    fflush(stdout);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return failed ? 1 : 0;
}
