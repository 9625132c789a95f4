// Apache Kafka's own Java client at the job that README.md beside this describes: words as KEY=VALUE, one line of JSON out.
//
// How it is tuned: batches up to 1 MB, a buffer of 64 MB, the client's default partitioner. The virtual machine compiles while it runs: its
// warm-up should be several seconds.
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

public class PeerJava {
    final Map<String, String> words = new HashMap<>();
    KafkaProducer<byte[], byte[]> producer;
    byte[][] values, keys;
    int next = 0, nextKey = 0;
    String topic;
    // Callbacks all run on the producer's one network thread; the main thread reads after a flush.
    final AtomicLong failed = new AtomicLong();
    volatile long done = 0;

    ProducerRecord<byte[], byte[]> record() {
        byte[] value = values[next], key = keys.length > 0 ? keys[nextKey] : null;
        if (++next == values.length) next = 0;
        if (++nextKey >= keys.length) nextKey = 0;
        return new ProducerRecord<>(topic, key, value);
    }

    static double cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
    }

    static double peakMb() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmHWM:")) return Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024;
        return 0;
    }

    void start(boolean produce) {
        Properties p = new Properties();
        p.put("bootstrap.servers", words.get("brokers"));
        p.put("enable.idempotence", "true");
        p.put("acks", "all");
        p.put("linger.ms", produce ? words.getOrDefault("linger", "5") : "0");
        p.put("batch.size", "1000000");
        p.put("buffer.memory", String.valueOf(64 << 20));
        p.put("compression.type", words.get("codec"));
        producer = new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
    }

    void sendMany(long n, Callback counted) {
        for (long i = 0; i < n; ++i) producer.send(record(), counted);
    }

    void oneAtATime(int n, long[] times) throws InterruptedException {
        Thread waiting = Thread.currentThread();
        long[] at = new long[1];
        for (int i = 0; i < n; ++i) {
            long before = done, begin = System.nanoTime();
            producer.send(record(), (m, e) -> {
                at[0] = System.nanoTime();
                if (e != null) failed.incrementAndGet();
                done = done + 1;
                LockSupport.unpark(waiting);
            });
            while (done == before) LockSupport.parkNanos(1_000_000_000L);
            if (times != null) times[i] = at[0] - begin;
        }
    }

    // Timed from when each record should have gone, so that a stall is charged to all that wait behind it.
    void atRate(int n, double rate, long[] times) {
        long begin = System.nanoTime();
        for (int i = 0; i < n; ++i) {
            final int index = i;
            final long due = begin + (long) (i * 1e9 / rate);
            for (long wait; (wait = due - System.nanoTime()) > 0;) LockSupport.parkNanos(wait);
            producer.send(record(), (m, e) -> {
                times[index] = System.nanoTime() - due;
                if (e != null) failed.incrementAndGet();
            });
        }
        producer.flush();
    }

    public static void main(String[] args) throws Exception {
        new PeerJava().run(args);
    }

    void run(String[] args) throws Exception {
        words.putAll(Map.of("op", "produce", "brokers", "localhost:9092", "codec", "none", "records", "1000000", "warmup", "0", "rate", "1000"));
        for (String a : args) words.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        List<String> lines = Files.readAllLines(Path.of(words.get("values")));
        values = lines.stream().map(l -> l.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
        keys = new byte[Integer.parseInt(words.getOrDefault("keys", "0"))][];
        for (int i = 0; i < keys.length; ++i) keys[i] = ("key-" + i).getBytes(StandardCharsets.UTF_8);
        topic = words.get("topic");
        String op = words.get("op");
        boolean produce = op.equals("produce");
        int n = Integer.parseInt(words.get("records"));
        start(produce);
        Callback counted = (m, e) -> {
            done = done + 1;
            if (e != null) failed.incrementAndGet();
        };
        long warmUntil = System.nanoTime() + (long) (Double.parseDouble(words.get("warmup")) * 1e9);
        do {
            if (produce) sendMany(1000, counted);
            else oneAtATime(1, null);
        } while (System.nanoTime() < warmUntil);
        producer.flush();
        done = 0;
        failed.set(0);
        long[] times = new long[n];
        long begin = System.nanoTime();
        double cpuBegin = cpu();
        switch (op) {
            case "produce" -> {
                sendMany(n, counted);
                producer.flush();
                if (done != n) throw new IllegalStateException(done + " of " + n + " delivery reports came");
            }
            case "latency" -> oneAtATime(n, times);
            case "rate" -> atRate(n, Double.parseDouble(words.get("rate")), times);
            default -> throw new IllegalArgumentException("op is produce, latency or rate, not " + op);
        }
        double wall = (System.nanoTime() - begin) / 1e9, used = cpu() - cpuBegin;
        StringBuilder out = new StringBuilder();
        out.append(String.format(Locale.ROOT,
                "{\"client\":\"java\",\"version\":\"%s\",\"op\":\"%s\",\"codec\":\"%s\",\"n\":%d,\"size\":%d,\"wall\":%.3f,\"msgs_s\":%.0f,\"cpu\":%.3f,"
                        + "\"cpu_us_per_msg\":%.4f,\"rss_mb\":%.1f,\"failed\":%d",
                AppInfoParser.getVersion(), op, words.get("codec"), n, values[0].length, wall, n / wall, used, used * 1e6 / n, peakMb(), failed.get()));
        if (!produce) {
            Arrays.sort(times);
            out.append(String.format(Locale.ROOT, ",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f", times[(int) (0.5 * (n - 1))] / 1e3,
                    times[(int) (0.99 * (n - 1))] / 1e3, times[(int) (0.999 * (n - 1))] / 1e3));
        }
        System.out.println(out.append('}'));
        producer.close();
        System.exit(failed.get() > 0 ? 1 : 0);
    }
}
