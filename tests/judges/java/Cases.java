import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** Runs the cases of one client and prints one line for each: PASS, FAIL or NOT-RUN, the client, the case, a detail. */
final class Cases {
    static final long LIMIT_SECONDS = 60;
    static final long FIRST_MILLIS = System.currentTimeMillis() - 3_600_000, STEP_MILLIS = 1000; // old ones would meet the broker's retention

    interface Body {
        void run(Env e) throws Exception;
    }

    /** What a case gets: where the broker is, and names that nobody else uses. */
    static final class Env {
        final String brokers, prefix;
        volatile String said = "";
        final long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS - 2);

        Env(String brokers, String prefix) {
            this.brokers = brokers;
            this.prefix = prefix;
        }

        String name(String s) {
            return prefix + "-" + s;
        }

        boolean late() {
            return System.nanoTime() > deadline;
        }

        void until(String what, BooleanSupplier test) throws InterruptedException {
            while (!test.getAsBoolean()) {
                if (late()) throw new AssertionError("did not come: " + what);
                Thread.sleep(20);
            }
        }
    }

    private final String client, brokers, prefix;
    private final Set<String> wanted;
    private final Map<String, Body> cases = new LinkedHashMap<>();
    private final java.io.PrintStream out = System.out;

    Cases(String client, String[] args) {
        if (args.length < 2) {
            System.err.println("usage: BOOTSTRAP PREFIX [CASE...]");
            System.exit(2);
        }
        this.client = client;
        brokers = args[0];
        prefix = args[1];
        wanted = Set.copyOf(Arrays.asList(args).subList(2, args.length));
    }

    void add(String name, Body body) {
        cases.put(name, body);
    }

    /** Runs them, a few at a time, and ends the process: a call that hangs must not keep it. */
    void run(int atOnce) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(atOnce);
        List<Future<Boolean>> ends = new ArrayList<>();
        cases.forEach((name, body) -> {
            if (wanted.isEmpty() || wanted.contains(name)) ends.add(pool.submit(() -> one(name, body)));
        });
        boolean good = true;
        for (Future<Boolean> end : ends) good &= end.get();
        out.flush();
        Runtime.getRuntime().halt(good ? 0 : 1);
    }

    private boolean one(String name, Body body) {
        Env e = new Env(brokers, prefix + "-" + client + "-" + name);
        long began = System.nanoTime();
        ExecutorService own = Executors.newSingleThreadExecutor(r -> {
            Thread t = new Thread(r, name);
            t.setDaemon(true);
            return t;
        });
        Throwable failure = null;
        try {
            own.submit(() -> {
                body.run(e);
                return null;
            }).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException x) {
            failure = x.getCause();
        } catch (TimeoutException x) {
            String at = Thread.getAllStackTraces().entrySet().stream().filter(t -> t.getKey().getName().equals(name))
                            .flatMap(t -> Arrays.stream(t.getValue()).limit(25)).map(Object::toString).collect(java.util.stream.Collectors.joining(" < "));
            failure = new AssertionError("no end after " + LIMIT_SECONDS + " s, in " + at);
        } catch (Throwable x) {
            failure = x;
        } finally {
            own.shutdownNow();
        }
        String took = String.format("%.1fs", (System.nanoTime() - began) / 1e9);
        String line = failure == null ? "PASS " + client + " " + name + " " + took + " " + e.said
                                      : "FAIL " + client + " " + name + " " + took + " " + said(failure) + (e.said.isEmpty() ? "" : " (last: " + e.said + ")");
        synchronized (out) {
            out.println(line.replace('\n', ' '));
        }
        return failure == null;
    }

    private static String said(Throwable t) {
        String s = t instanceof AssertionError ? t.getMessage() : t.toString();
        for (Throwable c = t.getCause(); c != null; c = c.getCause()) s += "; caused by " + c;
        if (t instanceof AssertionError || t.getStackTrace().length == 0) return s;
        for (StackTraceElement at : t.getStackTrace())
            if (at.getFileName() != null && at.getFileName().matches("(Judge|JudgeAdmin|Tools).java")) return s + " at " + at.getFileName() + ":" + at.getLineNumber();
        return s;
    }

    static void equal(String what, Object want, Object got) {
        if (!String.valueOf(want).equals(String.valueOf(got))) throw new AssertionError(what + ": " + got + " instead of " + want);
    }

    static void that(String what, boolean holds) {
        if (!holds) throw new AssertionError("not so: " + what);
    }

    record Header(String key, byte[] value) {}

    /** What a client must give back as it got it. Null and empty are not the same. */
    record Entry(byte[] key, byte[] value, List<Header> headers, long millis) {
        boolean same(Entry o) {
            if (!Arrays.equals(key, o.key) || !Arrays.equals(value, o.value) || millis != o.millis || headers.size() != o.headers.size()) return false;
            for (int i = 0; i < headers.size(); i++)
                if (!headers.get(i).key.equals(o.headers.get(i).key) || !Arrays.equals(headers.get(i).value, o.headers.get(i).value)) return false;
            return true;
        }
    }

    /** n records, the first of which are the odd ones. */
    static List<Entry> entries(int n) {
        Random random = new Random(n);
        List<Entry> out = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            byte[] key = ("key-" + i).getBytes(), value = ("value " + i + " " + "ab\0é".repeat(random.nextInt(60))).getBytes();
            List<Header> headers = List.of();
            if (i == 1) value = new byte[0];
            if (i == 2) key = null;
            if (i == 3) value = null;
            if (i == 4) headers = List.of(new Header("a", new byte[] {1}), new Header("a", null), new Header("", new byte[] {0, -1}), new Header("漢字", new byte[0]));
            if (i == 5) random.nextBytes(value = new byte[300_000]);
            out.add(new Entry(key, value, headers, FIRST_MILLIS + i * STEP_MILLIS));
        }
        return out;
    }

    static void compare(List<Entry> want, List<Entry> got) {
        if (want.size() != got.size()) throw new AssertionError(got.size() + " records instead of " + want.size());
        for (int i = 0; i < want.size(); i++)
            if (!want.get(i).same(got.get(i))) throw new AssertionError("record " + i + " is " + got.get(i) + " instead of " + want.get(i));
    }

    /** One member of a group under test: the partitions that it has now, and the values that it saw. */
    static final class Member {
        final Set<Integer> parts = new ConcurrentSkipListSet<>();
        final Set<String> seen = new ConcurrentSkipListSet<>();
        volatile boolean stop;
        volatile Throwable failure;
        Thread thread;

        void close() throws InterruptedException {
            stop = true;
            thread.join(20_000);
        }
    }

    static int seen(Member... members) {
        Set<String> all = new TreeSet<>();
        for (Member m : members) all.addAll(m.seen);
        return all.size();
    }

    static final Duration SHORT = Duration.ofMillis(200), LONG = Duration.ofSeconds(20);
}
