// franz-go as a judge.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkawire.test/judges/judge"
)

func client(e *judge.Env, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(e.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.FetchMaxWait(300 * time.Millisecond),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}, opts...)...)
}

// with gives a client and an admin client over it, and closes it.
func with(e *judge.Env, opts []kgo.Opt, do func(*kgo.Client, *kadm.Client) error) error {
	cl, err := client(e, opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	return do(cl, kadm.NewClient(cl))
}

func create(ctx context.Context, ad *kadm.Client, topic string, partitions int) error {
	_, err := ad.CreateTopic(ctx, int32(partitions), 1, nil, topic)
	return err
}

func toKgo(topic string, r judge.Record) *kgo.Record {
	out := &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Millis)}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return out
}

func fromKgo(r *kgo.Record) judge.Record {
	out := judge.Record{Key: r.Key, Value: r.Value, Millis: r.Timestamp.UnixMilli()}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, judge.Header{Key: h.Key, Value: h.Value})
	}
	return out
}

func produce(ctx context.Context, cl *kgo.Client, topic string, records []judge.Record) error {
	out := []*kgo.Record{}
	for _, r := range records {
		out = append(out, toKgo(topic, r))
	}
	return cl.ProduceSync(ctx, out...).FirstErr()
}

func texts(values ...string) []judge.Record {
	out := []judge.Record{}
	for _, v := range values {
		out = append(out, judge.Record{Value: []byte(v), Millis: judge.FirstMillis})
	}
	return out
}

// read reads n records of partition 0 from the offset on.
func read(ctx context.Context, e *judge.Env, topic string, from kgo.Offset, n int, opts ...kgo.Opt) ([]judge.Record, error) {
	cl, err := client(e, append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: from}}))...)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	out := []judge.Record{}
	for len(out) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return out, err
		}
		for _, f := range fetches.Errors() {
			return out, f.Err
		}
		fetches.EachRecord(func(r *kgo.Record) { out = append(out, fromKgo(r)) })
		e.Say("%d records read", len(out))
	}
	return out, nil
}

// values reads until the record "end" came, and joins what was before it.
func values(ctx context.Context, e *judge.Env, topic string, opts ...kgo.Opt) (string, error) {
	cl, err := client(e, append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))...)
	if err != nil {
		return "", err
	}
	defer cl.Close()
	out := []string{}
	for {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return "", err
		}
		ended := false
		fetches.EachRecord(func(r *kgo.Record) {
			ended = ended || string(r.Value) == "end"
			if !ended {
				out = append(out, string(r.Value))
			}
		})
		if ended {
			return strings.Join(out, " "), nil
		}
		e.Say("read %v", out)
	}
}

func codec(c kgo.CompressionCodec) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error {
		return with(e, []kgo.Opt{kgo.ProducerBatchCompression(c)}, func(cl *kgo.Client, ad *kadm.Client) error {
			topic, want := e.Name("t"), judge.Records(300)
			if err := create(ctx, ad, topic, 1); err != nil {
				return err
			}
			if err := produce(ctx, cl, topic, want); err != nil {
				return err
			}
			got, err := read(ctx, e, topic, kgo.NewOffset().AtStart(), len(want))
			if err != nil {
				return err
			}
			return judge.Compare(want, got, true)
		})
	}
}

// filled makes a topic of one partition with n records.
func filled(ctx context.Context, e *judge.Env, n int, do func(topic string, cl *kgo.Client, ad *kadm.Client) error) error {
	return with(e, nil, func(cl *kgo.Client, ad *kadm.Client) error {
		topic := e.Name("t")
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		if err := produce(ctx, cl, topic, judge.Records(n)); err != nil {
			return err
		}
		return do(topic, cl, ad)
	})
}

func from(at func() kgo.Offset, first int) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error {
		return filled(ctx, e, 50, func(topic string, cl *kgo.Client, ad *kadm.Client) error {
			got, err := read(ctx, e, topic, at(), 50-first)
			if err != nil {
				return err
			}
			return judge.Compare(judge.Records(50)[first:], got, true)
		})
	}
}

func fromEnd(ctx context.Context, e *judge.Env) error {
	return filled(ctx, e, 50, func(topic string, cl *kgo.Client, ad *kadm.Client) error {
		made := make(chan error, 1)
		go func() {
			time.Sleep(time.Second) // the reader has asked for the end by then
			made <- produce(ctx, cl, topic, judge.Records(1))
		}()
		got, err := read(ctx, e, topic, kgo.NewOffset().AtEnd(), 1)
		if err != nil {
			return err
		}
		if err := <-made; err != nil {
			return err
		}
		return judge.Compare(judge.Records(1), got, true)
	})
}

func outOfRange(ctx context.Context, e *judge.Env) error {
	return filled(ctx, e, 5, func(topic string, cl *kgo.Client, ad *kadm.Client) error {
		_, err := read(ctx, e, topic, kgo.NewOffset().At(999), 1, kgo.ConsumeResetOffset(kgo.NoResetOffset()))
		if !errors.Is(err, kerr.OffsetOutOfRange) {
			return fmt.Errorf("%v instead of OFFSET_OUT_OF_RANGE", err)
		}
		got, err := read(ctx, e, topic, kgo.NewOffset().At(999), 5, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			return err
		}
		return judge.Compare(judge.Records(5), got, true)
	})
}

func tooLarge(ctx context.Context, e *judge.Env) error {
	opts := []kgo.Opt{kgo.ProducerBatchMaxBytes(8 << 20), kgo.ProducerBatchCompression(kgo.NoCompression())}
	return with(e, opts, func(cl *kgo.Client, ad *kadm.Client) error {
		topic := e.Name("t")
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: make([]byte, 2<<20)}).FirstErr()
		if !errors.Is(err, kerr.MessageTooLarge) {
			return fmt.Errorf("%v instead of MESSAGE_TOO_LARGE", err)
		}
		return nil
	})
}

func groups(e *judge.Env, opts ...kgo.Opt) judge.GroupClient {
	return judge.GroupClient{
		Create: func(topic string, n int) error {
			return with(e, nil, func(_ *kgo.Client, ad *kadm.Client) error { return create(context.Background(), ad, topic, n) })
		},
		Produce: func(topic string, p int, values []string) error {
			return with(e, nil, func(cl *kgo.Client, _ *kadm.Client) error {
				out := []*kgo.Record{}
				for _, v := range values {
					out = append(out, &kgo.Record{Topic: topic, Partition: int32(p), Value: []byte(v)})
				}
				return cl.ProduceSync(context.Background(), out...).FirstErr()
			})
		},
		Start: func(ctx context.Context, group, topic, instance string, m *judge.Member) (func(), error) {
			lost := func(_ context.Context, _ *kgo.Client, a map[string][]int32) { m.Revoke(a[topic]) }
			all := append([]kgo.Opt{
				kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
				kgo.HeartbeatInterval(300 * time.Millisecond), kgo.SessionTimeout(10 * time.Second), kgo.RebalanceTimeout(10 * time.Second),
				kgo.AutoCommitInterval(200 * time.Millisecond),
				kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, a map[string][]int32) { m.Assign(a[topic]) }),
				kgo.OnPartitionsRevoked(lost), kgo.OnPartitionsLost(lost)}, opts...)
			if instance != "" {
				all = append(all, kgo.InstanceID(instance))
			}
			cl, err := client(e, all...)
			if err != nil {
				return nil, err
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for ctx.Err() == nil {
					fetches := cl.PollFetches(ctx)
					if fetches.IsClientClosed() {
						return
					}
					fetches.EachRecord(func(r *kgo.Record) { m.Saw(string(r.Value)) })
				}
			}()
			return func() { cl.Close(); <-ended }, nil
		},
	}
}

func twoMembers(opts ...kgo.Opt) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error { return groups(e, opts...).TwoMembers(ctx, e) }
}

// commitResume reads 20 of 50 records, commits, and a later member of the group begins at the 21st.
func commitResume(ctx context.Context, e *judge.Env) error {
	return filled(ctx, e, 50, func(topic string, _ *kgo.Client, ad *kadm.Client) error {
		group := e.Name("g")
		member := []kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
		next := func(n int, commit bool) ([]judge.Record, error) {
			cl, err := client(e, member...)
			if err != nil {
				return nil, err
			}
			defer cl.Close()
			out := []judge.Record{}
			for len(out) < n {
				fetches := cl.PollRecords(ctx, n-len(out))
				if err := fetches.Err(); err != nil {
					return nil, err
				}
				fetches.EachRecord(func(r *kgo.Record) { out = append(out, fromKgo(r)) })
			}
			if commit {
				return out, cl.CommitUncommittedOffsets(ctx)
			}
			return out, nil
		}
		first, err := next(20, true)
		if err != nil {
			return err
		}
		rest, err := next(30, false)
		if err != nil {
			return err
		}
		if err := judge.Compare(judge.Records(50), append(first, rest...), true); err != nil {
			return err
		}
		committed, err := ad.FetchOffsets(ctx, group)
		if err != nil {
			return err
		}
		at, _ := committed.Lookup(topic, 0)
		return judge.Equal("committed offset", 20, at.At)
	})
}

func idempotent(ctx context.Context, e *judge.Env) error {
	opts := []kgo.Opt{kgo.MaxBufferedRecords(10000), kgo.ProducerBatchMaxBytes(4096)} // many batches in flight
	return with(e, opts, func(cl *kgo.Client, ad *kadm.Client) error {
		topic, want := e.Name("t"), []judge.Record{}
		for i := 0; i < 5000; i++ {
			want = append(want, judge.Record{Value: []byte(fmt.Sprintf("value %d %s", i, strings.Repeat("x", i%90))), Millis: judge.FirstMillis})
		}
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		if err := produce(ctx, cl, topic, want); err != nil {
			return err
		}
		got, err := read(ctx, e, topic, kgo.NewOffset().AtStart(), len(want))
		if err != nil {
			return err
		}
		if id, epoch, err := cl.ProducerID(ctx); err != nil || id < 0 || epoch < 0 {
			return fmt.Errorf("producer id %d, epoch %d: %v", id, epoch, err)
		}
		return judge.Compare(want, got, true)
	})
}

func transaction(ctx context.Context, cl *kgo.Client, topic string, commit kgo.TransactionEndTry, values ...string) error {
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	if err := produce(ctx, cl, topic, texts(values...)); err != nil {
		return err
	}
	return cl.EndTransaction(ctx, commit)
}

func txnRead(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	err := with(e, []kgo.Opt{kgo.TransactionalID(e.Name("x"))}, func(cl *kgo.Client, ad *kadm.Client) error {
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		for _, s := range []struct {
			end    kgo.TransactionEndTry
			values []string
		}{{kgo.TryCommit, []string{"a", "b"}}, {kgo.TryAbort, []string{"c", "d"}}, {kgo.TryCommit, []string{"f"}}, {kgo.TryAbort, []string{"g"}}, {kgo.TryCommit, []string{"h", "end"}}} {
			if err := transaction(ctx, cl, topic, s.end, s.values...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	uncommitted, err := values(ctx, e, topic)
	if err != nil {
		return err
	}
	committed, err := values(ctx, e, topic, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	if err := judge.Equal("read uncommitted", "a b c d f g h", uncommitted); err != nil {
		return err
	}
	return judge.Equal("read committed", "a b f h", committed)
}

// txnOpen: what an open transaction holds back. A reader of committed records waits at the last stable offset until it ends.
func txnOpen(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	return with(e, []kgo.Opt{kgo.TransactionalID(e.Name("x"))}, func(cl *kgo.Client, ad *kadm.Client) error {
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := produce(ctx, cl, topic, texts("a")); err != nil {
			return err
		}
		if err := with(e, nil, func(plain *kgo.Client, _ *kadm.Client) error { return produce(ctx, plain, topic, texts("b", "end")) }); err != nil {
			return err
		}
		stable, err := ad.ListCommittedOffsets(ctx, topic)
		if err != nil {
			return err
		}
		high, err := ad.ListEndOffsets(ctx, topic)
		if err != nil {
			return err
		}
		s, _ := stable.Lookup(topic, 0)
		h, _ := high.Lookup(topic, 0)
		if err := judge.Equal("last stable offset and high watermark", "0 3", fmt.Sprint(s.Offset, h.Offset)); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer cancel()
		if got, err := values(short, e, topic, kgo.FetchIsolationLevel(kgo.ReadCommitted())); err == nil {
			return fmt.Errorf("an open transaction let %q be read", got)
		}
		if err := cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
			return err
		}
		got, err := values(ctx, e, topic, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if err != nil {
			return err
		}
		return judge.Equal("read committed", "a b", got)
	})
}

func txnFenced(ctx context.Context, e *judge.Env) error {
	topic, id := e.Name("t"), kgo.TransactionalID(e.Name("x"))
	return with(e, []kgo.Opt{id}, func(old *kgo.Client, ad *kadm.Client) error {
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		if err := old.BeginTransaction(); err != nil {
			return err
		}
		if err := produce(ctx, old, topic, texts("a")); err != nil {
			return err
		}
		if err := with(e, []kgo.Opt{id}, func(young *kgo.Client, _ *kadm.Client) error {
			return transaction(ctx, young, topic, kgo.TryCommit, "b", "end")
		}); err != nil {
			return fmt.Errorf("the second producer: %w", err)
		}
		err := produce(ctx, old, topic, texts("c"))
		if err == nil {
			err = old.EndTransaction(ctx, kgo.TryCommit)
		}
		if !errors.Is(err, kerr.InvalidProducerEpoch) && !errors.Is(err, kerr.ProducerFenced) {
			return fmt.Errorf("%v instead of PRODUCER_FENCED or INVALID_PRODUCER_EPOCH", err)
		}
		got, err := values(ctx, e, topic, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if err != nil {
			return err
		}
		return judge.Equal("read committed", "b", got)
	})
}

// move moves records from one topic to another with the offsets in the transaction: one transaction is aborted and done again.
func txnOffsets(opts ...kgo.Opt) func(context.Context, *judge.Env) error {
	return func(ctx context.Context, e *judge.Env) error { return move(ctx, e, opts...) }
}

func move(ctx context.Context, e *judge.Env, opts ...kgo.Opt) error {
	return filled(ctx, e, 30, func(in string, _ *kgo.Client, ad *kadm.Client) error {
		out, group := e.Name("out"), e.Name("g")
		if err := create(ctx, ad, out, 1); err != nil {
			return err
		}
		session := func(end kgo.TransactionEndTry) error {
			s, err := kgo.NewGroupTransactSession(append([]kgo.Opt{
				kgo.SeedBrokers(e.Brokers...), kgo.TransactionalID(e.Name("x")), kgo.ConsumerGroup(group), kgo.ConsumeTopics(in),
				kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
				kgo.RequireStableFetchOffsets(), kgo.MetadataMinAge(100 * time.Millisecond)}, opts...)...)
			if err != nil {
				return err
			}
			defer s.Close()
			for n := 0; n < 30; {
				fetches := s.PollFetches(ctx)
				if err := fetches.Err(); err != nil {
					return err
				}
				if err := s.Begin(); err != nil {
					return err
				}
				moved := []*kgo.Record{}
				fetches.EachRecord(func(r *kgo.Record) {
					moved = append(moved, &kgo.Record{Topic: out, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp})
				})
				if err := s.ProduceSync(ctx, moved...).FirstErr(); err != nil {
					return err
				}
				n += len(moved)
				committed, err := s.End(ctx, end)
				if err != nil {
					return err
				}
				if bool(end) != committed {
					return fmt.Errorf("the transaction of %d records ended with committed=%v", n, committed)
				}
				if !end {
					return nil
				}
			}
			return nil
		}
		for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
			if err := session(end); err != nil {
				return err
			}
		}
		got, err := read(ctx, e, out, kgo.NewOffset().AtStart(), 30, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if err != nil {
			return err
		}
		if err := judge.Compare(judge.Records(30), got, true); err != nil {
			return err
		}
		committed, err := ad.FetchOffsets(ctx, group)
		if err != nil {
			return err
		}
		at, _ := committed.Lookup(in, 0)
		return judge.Equal("committed offset", 30, at.At)
	})
}

func main() {
	judge.Main("franz-go", []judge.Case{
		{Name: "metadata", Run: metadata},
		{Name: "codec-none", Run: codec(kgo.NoCompression())}, {Name: "codec-gzip", Run: codec(kgo.GzipCompression())},
		{Name: "codec-snappy", Run: codec(kgo.SnappyCompression())}, {Name: "codec-lz4", Run: codec(kgo.Lz4Compression())},
		{Name: "codec-zstd", Run: codec(kgo.ZstdCompression())},
		{Name: "from-start", Run: from(func() kgo.Offset { return kgo.NewOffset().AtStart() }, 0)},
		{Name: "from-timestamp", Run: from(func() kgo.Offset { return kgo.NewOffset().AfterMilli(judge.FirstMillis + 19*judge.StepMillis + 1) }, 20)},
		{Name: "from-end", Run: fromEnd}, {Name: "out-of-range", Run: outOfRange}, {Name: "too-large", Run: tooLarge},
		{Name: "group-range", Run: twoMembers(kgo.Balancers(kgo.RangeBalancer()))},
		{Name: "group-roundrobin", Run: twoMembers(kgo.Balancers(kgo.RoundRobinBalancer()))},
		{Name: "group-sticky", Run: twoMembers(kgo.Balancers(kgo.StickyBalancer()))},
		{Name: "group-cooperative", Run: twoMembers(kgo.Balancers(kgo.CooperativeStickyBalancer()))},
		{Name: "group-kip848", Run: twoMembers(kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))},
		{Name: "group-kip848-range", Run: twoMembers(kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))},
		{Name: "group-kip848-regex", Not: "franz-go matches patterns itself"},
		{Name: "group-static", Run: func(ctx context.Context, e *judge.Env) error { return groups(e).Static(ctx, e) }},
		// Kafka answers INVALID_REQUEST, and the name is free again when the session has timed out.
		{Name: "group-kip848-static", Not: "franz-go leaves without its instance id (epoch -2), which Kafka refuses too"},
		{Name: "commit-resume", Run: commitResume}, {Name: "idempotent", Run: idempotent},
		{Name: "txn-read", Run: txnRead}, {Name: "txn-open", Run: txnOpen}, {Name: "txn-fenced", Run: txnFenced},
		{Name: "txn-offsets", Run: txnOffsets()}, {Name: "txn-offsets-kip848", Run: txnOffsets(kgo.ServerSideBalancer())},
		{Name: "admin-topics", Run: adminTopics}, {Name: "admin-partitions", Run: adminPartitions},
		{Name: "admin-configs", Run: adminConfigs}, {Name: "admin-delete-records", Run: adminDeleteRecords},
		{Name: "admin-groups", Run: adminGroups}, {Name: "admin-offsets", Run: adminOffsets},
		{Name: "admin-transactions", Run: adminTransactions},
	})
}
