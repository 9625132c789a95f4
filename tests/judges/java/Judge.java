import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;

/** Kafka's own Java client as a judge. */
final class Judge {
    static Map<String, Object> with(Cases.Env e, Object... more) {
        Map<String, Object> c = new HashMap<>(Map.of("bootstrap.servers", e.brokers, "metadata.max.age.ms", 5000, "enable.metrics.push", false));
        for (int i = 0; i < more.length; i += 2) c.put((String) more[i], more[i + 1]);
        return c;
    }

    static KafkaProducer<byte[], byte[]> producer(Cases.Env e, Object... more) {
        Map<String, Object> c = with(e, "max.block.ms", 20000, "delivery.timeout.ms", 25000, "request.timeout.ms", 15000);
        c.putAll(with(e, more));
        return new KafkaProducer<>(c, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Cases.Env e, Object... more) {
        Map<String, Object> c = with(e, "auto.offset.reset", "earliest", "fetch.max.wait.ms", 300, "default.api.timeout.ms", 20000);
        c.putAll(with(e, more));
        return new KafkaConsumer<>(c, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    interface AdminBody {
        void run(Admin a) throws Exception;
    }

    static void admin(Cases.Env e, AdminBody body) throws Exception {
        try (Admin a = Admin.create(with(e, "default.api.timeout.ms", 20000, "request.timeout.ms", 15000))) {
            body.run(a);
        }
    }

    static void create(Cases.Env e, String topic, int partitions) throws Exception {
        admin(e, a -> a.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get());
    }

    static ProducerRecord<byte[], byte[]> toRecord(String topic, int partition, Cases.Entry r) {
        ProducerRecord<byte[], byte[]> out = new ProducerRecord<>(topic, partition, r.millis(), r.key(), r.value());
        for (Cases.Header h : r.headers()) out.headers().add(new RecordHeader(h.key(), h.value()));
        return out;
    }

    static Cases.Entry toEntry(ConsumerRecord<byte[], byte[]> r) {
        List<Cases.Header> headers = new ArrayList<>();
        r.headers().forEach(h -> headers.add(new Cases.Header(h.key(), h.value())));
        return new Cases.Entry(r.key(), r.value(), headers, r.timestamp());
    }

    static void produce(Producer<byte[], byte[]> p, String topic, int partition, List<Cases.Entry> entries) throws Exception {
        List<Future<RecordMetadata>> all = new ArrayList<>();
        for (Cases.Entry r : entries) all.add(p.send(toRecord(topic, partition, r)));
        p.flush();
        for (Future<RecordMetadata> f : all) f.get();
    }

    static List<Cases.Entry> texts(String... values) {
        List<Cases.Entry> out = new ArrayList<>();
        for (String v : values) out.add(new Cases.Entry(null, v.getBytes(), List.of(), Cases.FIRST_MILLIS));
        return out;
    }

    static String filled(Cases.Env e, int n) throws Exception {
        String topic = e.name("t");
        create(e, topic, 1);
        try (var p = producer(e)) {
            produce(p, topic, 0, Cases.entries(n));
        }
        return topic;
    }

    interface Seek {
        void at(KafkaConsumer<byte[], byte[]> c, TopicPartition tp) throws Exception;
    }

    static List<Cases.Entry> read(Cases.Env e, String topic, int n, Seek seek, Object... more) throws Exception {
        try (var c = consumer(e, more)) {
            TopicPartition tp = new TopicPartition(topic, 0);
            c.assign(List.of(tp));
            seek.at(c, tp);
            List<Cases.Entry> out = new ArrayList<>();
            while (out.size() < n && !e.late()) {
                c.poll(Cases.SHORT).forEach(r -> out.add(toEntry(r)));
                e.said = out.size() + " records read";
            }
            return out;
        }
    }

    static final Seek START = (c, tp) -> c.seekToBeginning(List.of(tp));

    static void codec(Cases.Env e, String codec) throws Exception {
        String topic = e.name("t");
        create(e, topic, 1);
        try (var p = producer(e, "compression.type", codec, "linger.ms", 20)) {
            produce(p, topic, 0, Cases.entries(300));
        }
        Cases.compare(Cases.entries(300), read(e, topic, 300, START));
    }

    static void fromStart(Cases.Env e) throws Exception {
        Cases.compare(Cases.entries(50), read(e, filled(e, 50), 50, START));
    }

    static void fromTimestamp(Cases.Env e) throws Exception {
        long middle = Cases.FIRST_MILLIS + 19 * Cases.STEP_MILLIS + 1;
        Seek seek = (c, tp) -> {
            OffsetAndTimestamp at = c.offsetsForTimes(Map.of(tp, middle)).get(tp);
            Cases.equal("found", "20 at " + (Cases.FIRST_MILLIS + 20 * Cases.STEP_MILLIS), at.offset() + " at " + at.timestamp());
            c.seek(tp, at.offset());
        };
        Cases.compare(Cases.entries(50).subList(20, 50), read(e, filled(e, 50), 30, seek));
    }

    static void fromEnd(Cases.Env e) throws Exception {
        String topic = filled(e, 50);
        Seek seek = (c, tp) -> {
            c.seekToEnd(List.of(tp));
            Cases.equal("position", 50, c.position(tp));
            try (var p = producer(e)) {
                produce(p, topic, 0, Cases.entries(1));
            }
        };
        Cases.compare(Cases.entries(1), read(e, topic, 1, seek));
    }

    static void outOfRange(Cases.Env e) throws Exception {
        String topic = filled(e, 5);
        try {
            read(e, topic, 1, (c, tp) -> c.seek(tp, 999), "auto.offset.reset", "none");
            throw new AssertionError("no OFFSET_OUT_OF_RANGE");
        } catch (org.apache.kafka.clients.consumer.OffsetOutOfRangeException x) {
            Cases.compare(Cases.entries(5), read(e, topic, 5, (c, tp) -> c.seek(tp, 999)));
        }
    }

    static void tooLarge(Cases.Env e) throws Exception {
        String topic = e.name("t");
        create(e, topic, 1);
        try (var p = producer(e, "max.request.size", 8 << 20)) {
            fails(RecordTooLargeException.class, () -> p.send(new ProducerRecord<>(topic, new byte[2 << 20])).get());
        }
    }

    interface Call {
        void run() throws Exception;
    }

    static void fails(Class<? extends Throwable> kind, Call call) throws Exception {
        try {
            call.run();
        } catch (ExecutionException x) {
            if (kind.isInstance(x.getCause())) return;
            throw x;
        } catch (Exception x) {
            if (kind.isInstance(x)) return;
            throw x;
        }
        throw new AssertionError("no " + kind.getSimpleName());
    }

    static final int PARTS = 6;

    static void fill(Cases.Env e, String topic, String what) throws Exception {
        try (var p = producer(e)) {
            for (int part = 0; part < PARTS; part++)
                for (int i = 0; i < 10; i++)
                    p.send(new ProducerRecord<>(topic, part, null, (what + " " + part + " " + i).getBytes()));
            p.flush();
        }
    }

    interface Subscribe {
        void to(KafkaConsumer<byte[], byte[]> c, ConsumerRebalanceListener l);
    }

    static Cases.Member member(Cases.Env e, String instance, Subscribe subscribe, Object... more) {
        Cases.Member m = new Cases.Member();
        Map<String, Object> own = new HashMap<>();
        for (int i = 0; i < more.length; i += 2) own.put((String) more[i], more[i + 1]);
        if (instance != null) own.put("group.instance.id", instance);
        if (!"consumer".equals(own.get("group.protocol"))) {
            own.put("heartbeat.interval.ms", 300);
            own.put("session.timeout.ms", 10000);
        }
        own.put("group.id", e.name("g"));
        own.put("max.poll.interval.ms", 15000);
        own.put("auto.commit.interval.ms", 200);
        List<Object> flat = new ArrayList<>();
        own.forEach((k, v) -> flat.addAll(List.of(k, v)));
        m.thread = new Thread(() -> {
            try (var c = consumer(e, flat.toArray())) {
                subscribe.to(c, new ConsumerRebalanceListener() {
                    @Override
                    public void onPartitionsAssigned(Collection<TopicPartition> p) {
                        p.forEach(tp -> m.parts.add(tp.partition()));
                    }
                    @Override
                    public void onPartitionsRevoked(Collection<TopicPartition> p) {
                        p.forEach(tp -> m.parts.remove(tp.partition()));
                    }
                });
                while (!m.stop && !e.late()) c.poll(Duration.ofMillis(100)).forEach(r -> m.seen.add(r.value() == null ? "" : new String(r.value())));
            } catch (Throwable t) {
                m.failure = t;
                e.said = t.toString();
            }
        }, e.name("member"));
        m.thread.setDaemon(true);
        m.thread.start();
        return m;
    }

    static boolean shared(Cases.Env e, Cases.Member a, Cases.Member b) {
        e.said = "first has " + a.parts + ", second " + b.parts;
        Set<Integer> all = new HashSet<>(a.parts);  // a TreeSet of a set that changes meanwhile fails
        all.addAll(b.parts);
        return a.parts.size() == 3 && b.parts.size() == 3 && all.size() == PARTS;
    }

    /** A group's life: one member has all, a second one joins and each has three, that one leaves and the first has all again. */
    static void twoMembers(Cases.Env e, Subscribe subscribe, Object... more) throws Exception {
        String topic = e.name("t");
        create(e, topic, PARTS);
        fill(e, topic, "before");
        Cases.Member a = member(e, null, subscribe, more), b = null;
        try {
            e.until("the first member has 6 partitions and 60 records", () -> a.parts.size() == PARTS && a.seen.size() == 60);
            Cases.Member second = b = member(e, null, subscribe, more);
            e.until("each member has 3 of 6 partitions", () -> shared(e, a, second));
            String split = a.parts + " " + b.parts;
            fill(e, topic, "both");
            e.until("120 records", () -> Cases.seen(a, second) == 120);
            b.close();
            e.until("the first member has 6 partitions again", () -> a.parts.size() == PARTS);
            fill(e, topic, "after");
            e.until("180 records", () -> Cases.seen(a, second) == 180);
            e.said = "shared " + split;
        } finally {
            a.close();
            if (b != null) b.close();
        }
    }

    static Subscribe byName(Cases.Env e) {
        return (c, l) -> c.subscribe(List.of(e.name("t")), l);
    }

    static Cases.Body assignor(String name) {
        return e -> twoMembers(e, byName(e), "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + name);
    }

    static void staticMembers(Cases.Env e, Object... more) throws Exception {
        String topic = e.name("t");
        create(e, topic, PARTS);
        Cases.Member a = member(e, "one", byName(e), more), b = member(e, "two", byName(e), more);
        Cases.Member[] back = new Cases.Member[1];
        try {
            e.until("each member has 3 partitions", () -> shared(e, a, b));
            String before = a.parts + " " + b.parts;
            Set<Integer> had = new HashSet<>(b.parts);
            b.close();
            back[0] = member(e, "two", byName(e), more);
            e.until("the second member is back", () -> shared(e, a, back[0]));
            Cases.equal("partitions after the return", had, back[0].parts);
            fill(e, topic, "after");
            e.until("60 records", () -> Cases.seen(a, back[0]) == 60);
            e.said = "kept " + before;
        } finally {
            a.close();
            b.close();
            if (back[0] != null) back[0].close();
        }
    }

    static long committed(Cases.Env e, String group, String topic) throws Exception {
        long[] out = {-1};
        admin(e, a -> {
            var all = a.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            OffsetAndMetadata at = all.get(new TopicPartition(topic, 0));
            if (at != null) out[0] = at.offset();
        });
        return out[0];
    }

    static void commitResume(Cases.Env e) throws Exception {
        String topic = filled(e, 50), group = e.name("g");
        List<Cases.Entry> all = new ArrayList<>();
        for (int n : new int[] {20, 30}) {
            try (var c = consumer(e, "group.id", group, "enable.auto.commit", false, "max.poll.records", 10)) {
                c.subscribe(List.of(topic));
                int end = all.size() + n;
                while (all.size() < end && !e.late()) c.poll(Cases.SHORT).forEach(r -> all.add(toEntry(r)));
                if (n == 20) {
                    all.subList(20, all.size()).clear(); // a poll may bring more than were wanted
                    c.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(20)));
                }
            }
        }
        Cases.compare(Cases.entries(50), all);
        Cases.equal("committed offset", 20, committed(e, group, topic));
    }

    static void idempotent(Cases.Env e) throws Exception {
        String topic = e.name("t");
        create(e, topic, 1);
        String[] values = new String[5000];
        for (int i = 0; i < values.length; i++) values[i] = "value " + i;
        try (var p = producer(e, "enable.idempotence", true, "batch.size", 2000, "linger.ms", 0)) {
            produce(p, topic, 0, texts(values));
        }
        Cases.compare(texts(values), read(e, topic, values.length, START));
    }

    static KafkaProducer<byte[], byte[]> transactional(Cases.Env e) {
        var p = producer(e, "transactional.id", e.name("x"), "transaction.timeout.ms", 25000);
        p.initTransactions();
        return p;
    }

    static String values(Cases.Env e, String topic, String isolation, Duration patience) throws Exception {
        try (var c = consumer(e, "isolation.level", isolation)) {
            TopicPartition tp = new TopicPartition(topic, 0);
            c.assign(List.of(tp));
            c.seekToBeginning(List.of(tp));
            List<String> out = new ArrayList<>();
            for (long end = System.nanoTime() + patience.toNanos(); System.nanoTime() < end;) {
                for (var r : c.poll(Cases.SHORT)) out.add(new String(r.value()));
                if (out.contains("end")) break;
                e.said = "read " + out;
            }
            return String.join(" ", out);
        }
    }

    static void txnRead(Cases.Env e) throws Exception {
        String topic = e.name("t");
        create(e, topic, 1);
        try (var p = transactional(e)) {
            String[][] all = {{"a", "b"}, {"c", "d"}, {"f"}, {"g"}, {"h", "end"}};
            for (int i = 0; i < all.length; i++) {
                p.beginTransaction();
                produce(p, topic, 0, texts(all[i]));
                if (i % 2 == 0) p.commitTransaction();
                else p.abortTransaction();
            }
        }
        Cases.equal("read uncommitted", "a b c d f g h end", values(e, topic, "read_uncommitted", Cases.LONG));
        Cases.equal("read committed", "a b f h end", values(e, topic, "read_committed", Cases.LONG));
    }

    static void txnOpen(Cases.Env e) throws Exception {
        String topic = e.name("t");
        create(e, topic, 1);
        try (var p = transactional(e)) {
            p.beginTransaction();
            produce(p, topic, 0, texts("a"));
            try (var plain = producer(e)) {
                produce(plain, topic, 0, texts("b", "end"));
            }
            admin(e, a -> {
                TopicPartition tp = new TopicPartition(topic, 0);
                var stable = a.listOffsets(Map.of(tp, OffsetSpec.latest()), new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get().get(tp);
                var high = a.listOffsets(Map.of(tp, OffsetSpec.latest())).all().get().get(tp);
                Cases.equal("last stable offset and high watermark", "0 3", stable.offset() + " " + high.offset());
            });
            Cases.equal("before the end of the transaction", "", values(e, topic, "read_committed", Duration.ofMillis(1500)));
            p.commitTransaction();
        }
        Cases.equal("after it", "a b end", values(e, topic, "read_committed", Cases.LONG));
    }

    static void txnFenced(Cases.Env e) throws Exception {
        String topic = e.name("t");
        create(e, topic, 1);
        try (var old = transactional(e)) {
            old.beginTransaction();
            produce(old, topic, 0, texts("a"));
            try (var young = transactional(e)) {
                young.beginTransaction();
                produce(young, topic, 0, texts("b", "end"));
                young.commitTransaction();
            }
            // Told as a fenced producer, or by the exception that wraps it when the first request after it was the Produce.
            fails(KafkaException.class, () -> {
                produce(old, topic, 0, texts("c"));
                old.commitTransaction();
            });
            fails(ProducerFencedException.class, () -> old.abortTransaction());
        }
        Cases.equal("read committed", "b end", values(e, topic, "read_committed", Cases.LONG));
    }

    static void txnOffsets(Cases.Env e, String protocol) throws Exception {
        String in = filled(e, 30), out = e.name("out"), group = e.name("g");
        create(e, out, 1);
        int moved = 0;
        boolean abort = true;
        try (var p = transactional(e)) {
            while (moved < 30 && !e.late()) {
                // After an abort a new consumer starts where the group is.
                try (var c = consumer(e, "group.id", group, "group.protocol", protocol, "enable.auto.commit", false, "isolation.level", "read_committed", "max.poll.records", 10)) {
                    c.subscribe(List.of(in));
                    while (moved < 30 && !e.late()) {
                        ConsumerRecords<byte[], byte[]> got = c.poll(Cases.SHORT);
                        if (got.isEmpty()) continue;
                        p.beginTransaction();
                        for (var r : got) produce(p, out, 0, List.of(toEntry(r)));
                        p.sendOffsetsToTransaction(got.nextOffsets(), c.groupMetadata());
                        if (abort) {
                            abort = false;
                            p.abortTransaction();
                            break;
                        }
                        p.commitTransaction();
                        moved += got.count();
                        e.said = moved + " moved";
                    }
                }
            }
        }
        Cases.compare(Cases.entries(30), read(e, out, 30, START, "isolation.level", "read_committed"));
        Cases.equal("committed offset", 30, committed(e, group, in));
    }

    public static void main(String[] args) throws Exception {
        Cases all = new Cases("java", args);
        all.add("metadata", JudgeAdmin::metadata);
        for (String c : List.of("none", "gzip", "snappy", "lz4", "zstd")) all.add("codec-" + c, e -> codec(e, c));
        all.add("from-start", Judge::fromStart);
        all.add("from-timestamp", Judge::fromTimestamp);
        all.add("from-end", Judge::fromEnd);
        all.add("out-of-range", Judge::outOfRange);
        all.add("too-large", Judge::tooLarge);
        all.add("group-range", assignor("RangeAssignor"));
        all.add("group-roundrobin", assignor("RoundRobinAssignor"));
        all.add("group-sticky", assignor("StickyAssignor"));
        all.add("group-cooperative", assignor("CooperativeStickyAssignor"));
        all.add("group-static", e -> staticMembers(e));
        all.add("group-kip848", e -> twoMembers(e, byName(e), "group.protocol", "consumer"));
        all.add("group-kip848-range", e -> twoMembers(e, byName(e), "group.protocol", "consumer", "group.remote.assignor", "range"));
        all.add("group-kip848-regex", e -> twoMembers(e, (c, l) -> c.subscribe(new SubscriptionPattern(e.prefix + "-[a-t]"), l), "group.protocol", "consumer"));
        all.add("group-kip848-static", e -> staticMembers(e, "group.protocol", "consumer"));
        all.add("commit-resume", Judge::commitResume);
        all.add("idempotent", Judge::idempotent);
        all.add("txn-read", Judge::txnRead);
        all.add("txn-open", Judge::txnOpen);
        all.add("txn-fenced", Judge::txnFenced);
        all.add("txn-offsets", e -> txnOffsets(e, "classic"));
        all.add("txn-offsets-kip848", e -> txnOffsets(e, "consumer"));
        JudgeAdmin.add(all);
        all.run(5);
    }
}
