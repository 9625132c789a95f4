import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.common.utils.Exit;

/**
 * Kafka's own command line tools as a judge: their main methods, one after another in one process, since a JVM for each call would take
 * most of the time. What they print is caught; when they exit, that is an exception here.
 */
final class Tools {
    /** System.out for as long as the process lives: some tools keep what they found there first. */
    static final class Switch extends OutputStream {
        OutputStream to = new FileOutputStream(FileDescriptor.err);

        @Override
        public synchronized void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public synchronized void write(byte[] b, int at, int n) {
            try {
                to.write(b, at, n);
            } catch (java.io.IOException x) {
                throw new java.io.UncheckedIOException(x);
            }
        }

        synchronized OutputStream become(OutputStream o) {
            OutputStream was = to;
            to = o;
            return was;
        }
    }

    static final class Exited extends RuntimeException {
        final int code;

        Exited(int code, String message) {
            super(message);
            this.code = code;
        }
    }

    static final Switch OUT = new Switch(), ERR = new Switch();
    static Exited first; // a tool may catch what its own exit throws, and exit once more
    static final List<Runnable> hooks = new ArrayList<>(); // what a tool wants done when the process ends

    static Pattern awaited; // what the tool prints when its threads are done, where main returns before

    static String main(String tool, int code, String input, String... args) throws Exception {
        String name = tool.startsWith("kafka.") ? tool : "org.apache.kafka.tools." + tool;
        ByteArrayOutputStream caught = new ByteArrayOutputStream(), errors = new ByteArrayOutputStream();
        OutputStream was = OUT.become(caught), erred = ERR.become(errors);
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        first = null;
        Throwable thrown = null;
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException x) {
            thrown = x.getCause();
        } finally {
            hooks.forEach(Runnable::run);
            hooks.clear();
            for (int i = 0; i < 500 && awaited != null && !awaited.matcher(caught.toString(StandardCharsets.UTF_8)).find(); i++) Thread.sleep(20);
            awaited = null;
            System.out.flush();
            System.err.flush();
            OUT.become(was);
            ERR.become(erred);
        }
        String said = caught.toString(StandardCharsets.UTF_8), call = tool + " " + String.join(" ", args);
        if (first == null && thrown != null) throw new AssertionError(call + ": " + thrown + "; it said: " + said + errors);
        int ended = first == null ? 0 : first.code;
        if (ended != code) throw new AssertionError(call + " ended with " + ended + ": " + said + errors);
        return said;
    }

    static String run(Cases.Env e, String tool, String... args) throws Exception {
        List<String> all = new ArrayList<>(List.of("--bootstrap-server", e.brokers));
        all.addAll(List.of(args));
        return main(tool, 0, "", all.toArray(new String[0]));
    }

    static void match(String what, String pattern, String said) {
        if (!Pattern.compile(pattern, Pattern.MULTILINE).matcher(said).find()) throw new AssertionError(what + ": no /" + pattern + "/ in: " + said.replace('\n', '|'));
    }

    static final String TOPICS = "TopicCommand", GROUPS = "consumer.group.ConsumerGroupCommand", CONSUME = "consumer.ConsoleConsumer";

    static void create(Cases.Env e, String topic, int partitions) throws Exception {
        run(e, TOPICS, "--create", "--topic", topic, "--partitions", "" + partitions, "--replication-factor", "1");
    }

    static void produce(Cases.Env e, String topic, String text, String... more) throws Exception {
        List<String> all = new ArrayList<>(List.of("--bootstrap-server", e.brokers, "--topic", topic));
        all.addAll(List.of(more));
        main("ConsoleProducer", 0, text, all.toArray(new String[0]));
    }

    static String consume(Cases.Env e, String topic, int n, String... more) throws Exception {
        Field count = Class.forName("org.apache.kafka.tools.consumer.ConsoleConsumer").getDeclaredField("messageCount");
        count.setAccessible(true);
        count.setInt(null, 0); // a static that the tool never sets back
        List<String> all = new ArrayList<>(List.of("--topic", topic, "--max-messages", "" + n, "--timeout-ms", "15000"));
        all.addAll(List.of(more));
        return run(e, CONSUME, all.toArray(new String[0]));
    }

    static void topics(Cases.Env e) throws Exception {
        String t = e.name("t");
        match("create", "Created topic " + t, run(e, TOPICS, "--create", "--topic", t, "--partitions", "3", "--replication-factor", "1", "--config", "retention.ms=1234567"));
        match("create again", "already exists", main(TOPICS, 1, "", "--bootstrap-server", e.brokers, "--create", "--topic", t));
        match("list", "^" + t + "$", run(e, TOPICS, "--list"));
        String described = run(e, TOPICS, "--describe", "--topic", t);
        match("describe", "Topic: " + t + "\\s+TopicId: \\S{22}\\s+PartitionCount: 3\\s+ReplicationFactor: 1\\s+Configs: .*retention.ms=1234567", described);
        match("describe", "Partition: 2\\s+Leader: \\d+\\s+Replicas: \\d+\\s+Isr: \\d+", described);
        run(e, TOPICS, "--alter", "--topic", t, "--partitions", "5");
        match("after alter", "PartitionCount: 5", run(e, TOPICS, "--describe", "--topic", t));
        Cases.equal("under replicated", "", run(e, TOPICS, "--describe", "--under-replicated-partitions", "--topic", t).strip());
        run(e, TOPICS, "--delete", "--topic", t);
        e.until("the topic is gone", () -> {
            try {
                return !run(e, TOPICS, "--list").contains(t);
            } catch (Exception x) {
                return false;
            }
        });
    }

    static void configs(Cases.Env e) throws Exception {
        String t = e.name("t"), tool = "kafka.admin.ConfigCommand";
        create(e, t, 1);
        match("alter", "Completed updating config for topic", run(e, tool, "--alter", "--entity-type", "topics", "--entity-name", t, "--add-config", "retention.ms=7654321,cleanup.policy=[compact,delete]"));
        String described = run(e, tool, "--describe", "--entity-type", "topics", "--entity-name", t);
        match("describe", "retention.ms=7654321 sensitive=false synonyms=\\{DYNAMIC_TOPIC_CONFIG:retention.ms=7654321", described);
        match("describe", "cleanup.policy=compact,delete", described);
        run(e, tool, "--alter", "--entity-type", "topics", "--entity-name", t, "--delete-config", "retention.ms");
        match("describe --all", "retention.ms=604800000", run(e, tool, "--describe", "--all", "--entity-type", "topics", "--entity-name", t));
        match("a broker's", "min.insync.replicas=", run(e, tool, "--describe", "--all", "--entity-type", "brokers", "--entity-default", "--entity-name", node(e)));
    }

    static String node(Cases.Env e) throws Exception {
        var m = Pattern.compile("\\(id: (\\d+)").matcher(run(e, "BrokerApiVersionsCommand"));
        Cases.that("a node has an id", m.find());
        return m.group(1);
    }

    static void apiVersions(Cases.Env e) throws Exception {
        String said = run(e, "BrokerApiVersionsCommand");
        match("Produce", "Produce\\(0\\): \\d+ to \\d+ \\[usable: \\d+\\]", said);
        match("Fetch", "Fetch\\(1\\): \\d+ to \\d+ \\[usable: \\d+\\]", said);
        var m = Pattern.compile("(\\w+\\(\\d+\\)): UNSUPPORTED").matcher(said);
        List<String> not = new ArrayList<>();
        while (m.find()) not.add(m.group(1));
        e.said = not.isEmpty() ? "" : "not offered: " + String.join(" ", not);
    }

    static void cluster(Cases.Env e) throws Exception {
        match("cluster id", "Cluster ID: \\S+", main("ClusterTool", 0, "", "cluster-id", "--bootstrap-server", e.brokers));
        match("brokers", "^\\d+\\s+\\S+\\s+\\d+", main("ClusterTool", 0, "", "list-endpoints", "--bootstrap-server", e.brokers));
        match("features", "Feature: metadata.version.*FinalizedVersionLevel: ", main("FeatureCommand", 0, "", "--bootstrap-server", e.brokers, "describe"));
    }

    static void console(Cases.Env e) throws Exception {
        String t = e.name("t");
        create(e, t, 1);
        StringBuilder text = new StringBuilder(), want = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            text.append("a:" + i + ",b:é\tk" + i % 7 + "\tvalue " + i + "\n");
            want.append("a:" + i + ",b:é\tk" + i % 7 + "\tvalue " + i + "\n");
        }
        produce(e, t, text.toString(), "--property", "parse.key=true", "--property", "parse.headers=true", "--compression-codec", "zstd");
        Cases.equal("console consumer", want,
                    consume(e, t, 1000, "--from-beginning", "--property", "print.key=true", "--property", "print.headers=true").replaceAll("(?m)^Processed.*\n|^Option.*\n", ""));
        match("an offset of its own", "^value 998\nvalue 999\n$", consume(e, t, 2, "--partition", "0", "--offset", "998").replaceAll("(?m)^Processed.*\n|^Option.*\n", ""));
        for (String codec : List.of("none", "gzip", "snappy", "lz4")) produce(e, t, codec + "\n", "--compression-codec", codec);
        Cases.equal("the other codecs", "none gzip snappy lz4 ", consume(e, t, 4, "--partition", "0", "--offset", "1000").replaceAll("(?m)^Processed.*\n|^Option.*\n", "").replace('\n', ' '));
    }

    static void perf(Cases.Env e) throws Exception {
        String t = e.name("t");
        create(e, t, 3);
        match("producer", "^20000 records sent", main("ProducerPerformance", 0, "", "--topic", t, "--num-records", "20000", "--record-size", "100", "--throughput", "-1", "--bootstrap-server", e.brokers,
                                                       "--command-property", "compression.type=lz4"));
        match("in transactions", "^5000 records sent", main("ProducerPerformance", 0, "", "--topic", t, "--num-records", "5000", "--record-size", "100", "--throughput", "-1", "--bootstrap-server", e.brokers,
                                                            "--transactional-id", e.name("x"), "--transaction-duration-ms", "100"));
        String said = run(e, "ConsumerPerformance", "--topic", t, "--num-records", "25000", "--timeout", "15000", "--group", e.name("g"), "--hide-header");
        match("consumer", ", 25\\d{3}, ", said);
    }

    static void offsets(Cases.Env e) throws Exception {
        String t = e.name("t");
        create(e, t, 2);
        produce(e, t, "x\ty\nx\tz\n", "--property", "parse.key=true");
        String[][] steps = {{"-1", "[02]"}, {"-2", "0"}, {"latest", "[02]"}, {"earliest", "0"}, {"max-timestamp", "[01]"}, {"0", "[02]?"}};
        for (String[] s : steps) {
            String said = run(e, "GetOffsetShell", "--topic", t, "--time", s[0]);
            match(s[0], "^" + t + ":\\d:" + s[1] + "$", said);
        }
        Path file = Files.createTempFile("judge", ".json");
        int full = run(e, "GetOffsetShell", "--topic", t, "--time", "-1").contains(":0:2") ? 0 : 1;
        Files.writeString(file, "{\"version\":1,\"partitions\":[{\"topic\":\"" + t + "\",\"partition\":" + full + ",\"offset\":1}]}");
        try {
            match("delete records", "low_watermark: 1", run(e, "DeleteRecordsCommand", "--offset-json-file", file.toString()));
        } finally {
            Files.delete(file);
        }
        match("start after that", "^" + t + ":" + full + ":1$", run(e, "GetOffsetShell", "--topic", t, "--time", "-2"));
    }

    static void groups(Cases.Env e) throws Exception {
        for (String protocol : List.of("classic", "consumer")) {
            String t = e.name("t-" + protocol), g = e.name("g-" + protocol);
            create(e, t, 1);
            produce(e, t, "1\n2\n3\n4\n5\n");
            consume(e, t, 3, "--group", g, "--consumer-property", "group.protocol=" + protocol, "--consumer-property", "auto.offset.reset=earliest");
            match("list", "^" + g + "$", run(e, GROUPS, "--list"));
            match("list --state", "^" + g + "\\s+Empty", run(e, GROUPS, "--list", "--state"));
            match("list --type", "(?i)^" + g + "\\s+" + protocol, run(e, GROUPS, "--list", "--type"));
            match("groups", "^" + g + "\\s+(?i)" + protocol + "\\s+consumer", run(e, "GroupsCommand", "--list"));
            match("describe", g + "\\s+" + t + "\\s+0\\s+[35]\\s+5\\s+[02]\\s", run(e, GROUPS, "--describe", "--group", g));
            match("describe --state", g + "\\s+\\S+.*Empty\\s+0", run(e, GROUPS, "--describe", "--state", "--group", g));
            main(GROUPS, 0, "", "--bootstrap-server", e.brokers, "--describe", "--members", "--group", g);
            match("dry run", g + "\\s+" + t + "\\s+0\\s+1", run(e, GROUPS, "--reset-offsets", "--group", g, "--topic", t, "--to-offset", "1", "--dry-run"));
            match("to the start", g + "\\s+" + t + "\\s+0\\s+0", run(e, GROUPS, "--reset-offsets", "--group", g, "--topic", t, "--to-earliest", "--execute"));
            match("by date", g + "\\s+" + t + "\\s+0\\s+0", run(e, GROUPS, "--reset-offsets", "--group", g, "--topic", t, "--by-duration", "PT1H", "--execute"));
            match("read again", "^1\n2\n", consume(e, t, 5, "--group", g, "--consumer-property", "group.protocol=" + protocol, "--consumer-property", "enable.auto.commit=false"));
            match("delete offsets", t + "\\s+0\\s+Successful", run(e, GROUPS, "--delete-offsets", "--group", g, "--topic", t));
            if (protocol.equals("classic")) match("delete", "was successful", run(e, GROUPS, "--delete", "--group", g));
            else run(e, GROUPS, "--delete", "--group", g);
            Cases.that("it is gone", !run(e, GROUPS, "--list").contains(g));
        }
    }

    static void transactions(Cases.Env e) throws Exception {
        String t = e.name("t"), id = e.name("x"), tool = "TransactionsCommand";
        Judge.create(e, t, 1);
        try (var p = Judge.transactional(e)) {
            p.beginTransaction();
            Judge.produce(p, t, 0, Judge.texts("a"));
            match("list", id + "\\s+\\d+\\s+\\d+\\s+Ongoing", run(e, tool, "list"));
            match("describe", id + ".*Ongoing.*" + t + "-0", run(e, tool, "describe", "--transactional-id", id));
            match("describe-producers", "^\\d+\\s+\\d+\\s+\\S+\\s+0\\s+\\d+\\s+0", run(e, tool, "describe-producers", "--topic", t, "--partition", "0"));
            run(e, tool, "find-hanging", "--topic", t, "--partition", "0", "--max-transaction-timeout", "1");
            run(e, tool, "abort", "--topic", t, "--partition", "0", "--start-offset", "0");
            Cases.equal("open transactions after the abort", "None", Pattern.compile("(?m)^\\d+\\s+\\d+\\s+\\S+\\s+0\\s+\\d+\\s+(\\S+)").matcher(run(e, tool, "describe-producers", "--topic", t, "--partition", "0"))
                                                                         .results().map(m -> m.group(1)).findFirst().orElse("None"));
        }
    }

    static void verifiable(Cases.Env e) throws Exception {
        String t = e.name("t"), out = e.name("out");
        create(e, t, 1);
        create(e, out, 1);
        awaited = Pattern.compile("\"value\":\"999\"");
        String sent = run(e, "VerifiableProducer", "--topic", t, "--max-messages", "1000", "--throughput", "-1", "--acks", "-1");
        Cases.equal("acknowledged", 1000L, Pattern.compile("producer_send_success").matcher(sent).results().count());
        String got = run(e, "VerifiableConsumer", "--topic", t, "--max-messages", "1000", "--group-id", e.name("g"), "--reset-policy", "earliest");
        match("consumer", "\"name\":\"records_consumed\"", got);
        match("consumer", "\"name\":\"offsets_committed\".*\"success\":true", got);
        String copied = main("TransactionalMessageCopier", 0, "", "--broker-list", e.brokers, "--input-topic", t, "--input-partition", "0", "--output-topic", out, "--consumer-group", e.name("copier"),
                             "--transactional-id", e.name("x"), "--transaction-size", "100", "--max-messages", "1000", "--enable-random-aborts");
        match("copier", "\"remaining\":0|\"consumed\":1000", copied);
        match("what was copied", "^999\n", consume(e, out, 1000, "--from-beginning", "--isolation-level", "read_committed"));
    }

    public static void main(String[] args) throws Exception {
        PrintStream results = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        System.setOut(results);
        Cases all = new Cases("java-tools", args); // keeps the real output
        System.setOut(new PrintStream(OUT, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(ERR, true, StandardCharsets.UTF_8));
        Exit.Procedure end = (code, message) -> {
            Exited x = new Exited(code, message);
            if (first == null) first = x;
            throw x;
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        all.add("api-versions", Tools::apiVersions);
        all.add("cluster", Tools::cluster);
        all.add("topics", Tools::topics);
        all.add("configs", Tools::configs);
        all.add("console", Tools::console);
        all.add("perf", Tools::perf);
        all.add("get-offsets", Tools::offsets);
        all.add("consumer-groups", Tools::groups);
        all.add("transactions", Tools::transactions);
        all.add("verifiable", Tools::verifiable);
        all.run(1);
    }
}
