package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkawire.test/judges/judge"
)

func metadata(ctx context.Context, e *judge.Env) error {
	return with(e, nil, func(_ *kgo.Client, ad *kadm.Client) error {
		m, err := ad.Metadata(ctx)
		if err != nil {
			return err
		}
		if len(m.Brokers) == 0 || m.Cluster == "" || m.Controller < 0 {
			return fmt.Errorf("brokers %v, cluster %q, controller %d", m.Brokers.NodeIDs(), m.Cluster, m.Controller)
		}
		e.Say("%d broker(s), cluster %s", len(m.Brokers), m.Cluster)
		return nil
	})
}

func adminTopics(ctx context.Context, e *judge.Env) error {
	return with(e, nil, func(_ *kgo.Client, ad *kadm.Client) error {
		topic := e.Name("t")
		policy := "compact"
		if _, err := ad.ValidateCreateTopics(ctx, 3, 1, nil, topic); err != nil {
			return err
		}
		if r, err := ad.CreateTopic(ctx, 3, 1, map[string]*string{"cleanup.policy": &policy}, topic); err != nil || r.NumPartitions != 3 {
			return fmt.Errorf("create: %d partitions, %v", r.NumPartitions, err)
		}
		if _, err := ad.CreateTopic(ctx, 3, 1, nil, topic); !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create again: %v instead of TOPIC_ALREADY_EXISTS", err)
		}
		if _, err := ad.CreateTopic(ctx, 3, 1, nil, "not/allowed"); !errors.Is(err, kerr.InvalidTopicException) {
			return fmt.Errorf("a bad name: %v instead of INVALID_TOPIC_EXCEPTION", err)
		}
		if _, err := ad.CreateTopic(ctx, 3, 99, nil, e.Name("rf")); !errors.Is(err, kerr.InvalidReplicationFactor) {
			return fmt.Errorf("99 replicas: %v instead of INVALID_REPLICATION_FACTOR", err)
		}
		there, err := ad.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		if t := there[topic]; t.Err != nil || len(t.Partitions) != 3 || t.ID == (kadm.TopicID{}) {
			return fmt.Errorf("described as %d partitions, id %s, %v", len(t.Partitions), t.ID, t.Err)
		}
		if _, err := ad.DeleteTopic(ctx, topic); err != nil {
			return err
		}
		if err := judge.Until(ctx, "the topic is gone", func() bool {
			there, err := ad.ListTopics(ctx, topic)
			return err == nil && errors.Is(there[topic].Err, kerr.UnknownTopicOrPartition)
		}); err != nil {
			return err
		}
		if r, err := ad.DeleteTopic(ctx, topic); !errors.Is(err, kerr.UnknownTopicOrPartition) && !errors.Is(r.Err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("delete again: %v instead of UNKNOWN_TOPIC_OR_PARTITION", err)
		}
		return nil
	})
}

func adminPartitions(ctx context.Context, e *judge.Env) error {
	return with(e, nil, func(cl *kgo.Client, ad *kadm.Client) error {
		topic := e.Name("t")
		if err := create(ctx, ad, topic, 2); err != nil {
			return err
		}
		r, err := ad.UpdatePartitions(ctx, 5, topic)
		if err == nil {
			err = r.Error()
		}
		if err != nil {
			return err
		}
		if err := judge.Until(ctx, "5 partitions", func() bool {
			there, err := ad.ListTopics(ctx, topic)
			return err == nil && len(there[topic].Partitions) == 5
		}); err != nil {
			return err
		}
		if r, err = ad.UpdatePartitions(ctx, 3, topic); err == nil {
			err = r.Error()
		}
		if !errors.Is(err, kerr.InvalidPartitions) {
			return fmt.Errorf("fewer partitions: %v instead of INVALID_PARTITIONS", err)
		}
		return cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: 4, Value: []byte("new")}).FirstErr()
	})
}

func adminConfigs(ctx context.Context, e *judge.Env) error {
	return with(e, nil, func(_ *kgo.Client, ad *kadm.Client) error {
		topic := e.Name("t")
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		get := func(key string) string {
			rs, err := ad.DescribeTopicConfigs(ctx, topic)
			if err != nil {
				return err.Error()
			}
			for _, c := range rs[0].Configs {
				if c.Key == key {
					return fmt.Sprintf("%s from %s", c.MaybeValue(), c.Source)
				}
			}
			return "missing"
		}
		set := func(op kadm.IncrementalOp, key string, value *string) error {
			rs, err := ad.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: op, Name: key, Value: value}}, topic)
			if err != nil {
				return err
			}
			return rs[0].Err
		}
		steps := []struct {
			op         kadm.IncrementalOp
			key, value string
			want       string
		}{
			{kadm.SetConfig, "retention.ms", "123456789", "123456789 from DYNAMIC_TOPIC_CONFIG"},
			{kadm.DeleteConfig, "retention.ms", "", "604800000 from DEFAULT_CONFIG"},
			{kadm.SetConfig, "cleanup.policy", "delete", "delete from DYNAMIC_TOPIC_CONFIG"},
			{kadm.AppendConfig, "cleanup.policy", "compact", "delete,compact from DYNAMIC_TOPIC_CONFIG"},
			{kadm.SubtractConfig, "cleanup.policy", "delete", "compact from DYNAMIC_TOPIC_CONFIG"},
		}
		for _, s := range steps {
			value := &s.value
			if s.op == kadm.DeleteConfig {
				value = nil
			}
			if err := set(s.op, s.key, value); err != nil {
				return err
			}
			got := ""
			if err := judge.Until(ctx, s.want, func() bool { got = get(s.key); e.Say("%s", got); return got == s.want }); err != nil {
				return fmt.Errorf("%s: %s instead of %s", s.key, got, s.want)
			}
		}
		if err := set(kadm.SetConfig, "no.such.config", kadm.StringPtr("1")); !errors.Is(err, kerr.InvalidConfig) {
			return fmt.Errorf("unknown config: %v instead of INVALID_CONFIG", err)
		}
		if err := set(kadm.SetConfig, "retention.ms", kadm.StringPtr("soon")); !errors.Is(err, kerr.InvalidConfig) {
			return fmt.Errorf("bad value: %v instead of INVALID_CONFIG", err)
		}
		brokers, err := ad.DescribeBrokerConfigs(ctx)
		if err != nil {
			return err
		}
		e.Say("the broker says %d configs", len(brokers[0].Configs))
		return brokers[0].Err
	})
}

func adminDeleteRecords(ctx context.Context, e *judge.Env) error {
	return filled(ctx, e, 50, func(topic string, _ *kgo.Client, ad *kadm.Client) error {
		at := kadm.Offsets{}
		at.AddOffset(topic, 0, 20, -1)
		rs, err := ad.DeleteRecords(ctx, at)
		if err == nil {
			err = rs.Error()
		}
		if err != nil {
			return err
		}
		if r, _ := rs.Lookup(topic, 0); r.LowWatermark != 20 {
			return fmt.Errorf("low watermark %d instead of 20", r.LowWatermark)
		}
		got, err := read(ctx, e, topic, kgo.NewOffset().AtStart(), 30)
		if err != nil {
			return err
		}
		if err := judge.Compare(judge.Records(50)[20:], got, true); err != nil {
			return err
		}
		at.AddOffset(topic, 0, 51, -1)
		if rs, err = ad.DeleteRecords(ctx, at); err == nil {
			err = rs.Error()
		}
		if !errors.Is(err, kerr.OffsetOutOfRange) {
			return fmt.Errorf("past the end: %v instead of OFFSET_OUT_OF_RANGE", err)
		}
		return nil
	})
}

func adminGroups(ctx context.Context, e *judge.Env) error {
	return filled(ctx, e, 5, func(topic string, _ *kgo.Client, ad *kadm.Client) error {
		for _, kind := range []string{"classic", "consumer"} {
			group, m := e.Name(kind), judge.NewMember()
			opts := []kgo.Opt{kgo.Balancers(kgo.StickyBalancer())}
			if kind == "consumer" {
				opts = append(opts, kgo.ServerSideBalancer())
			}
			stop, err := groups(e, opts...).Start(ctx, group, topic, "", m)
			if err != nil {
				return err
			}
			err = func() error {
				defer stop()
				if err := judge.Until(ctx, "the member reads", func() bool { return judge.Seen(m) == 4 }); err != nil {
					return err
				}
				if err := describeGroup(ctx, ad, kind, group); err != nil {
					return err
				}
				if rs, err := ad.DeleteGroups(ctx, group); err != nil || !errors.Is(rs[group].Err, kerr.NonEmptyGroup) {
					return fmt.Errorf("delete a %s group with a member: %v, %v instead of NON_EMPTY_GROUP", kind, err, rs[group].Err)
				}
				return nil
			}()
			if err != nil {
				return err
			}
			listed, err := ad.ListGroups(ctx)
			if err != nil {
				return err
			}
			if g, there := listed[group]; !there || g.State != "Empty" || g.ProtocolType != "consumer" {
				return fmt.Errorf("listed after the member left: %+v", listed[group])
			}
			if rs, err := ad.DeleteGroups(ctx, group); err != nil || rs[group].Err != nil {
				return fmt.Errorf("delete: %v %v", err, rs[group].Err)
			}
			if listed, err = ad.ListGroups(ctx); err != nil {
				return err
			}
			if g, there := listed[group]; there {
				return fmt.Errorf("listed after it was deleted: %+v", g)
			}
		}
		return nil
	})
}

func describeGroup(ctx context.Context, ad *kadm.Client, kind, group string) error {
	if kind == "consumer" {
		rs, err := ad.DescribeConsumerGroups(ctx, group)
		if err != nil {
			return err
		}
		g := rs[group]
		if g.Err != nil || g.State != "Stable" || len(g.Members) != 1 || g.AssignorName != "uniform" {
			return fmt.Errorf("described as %+v", g)
		}
		return nil
	}
	rs, err := ad.DescribeGroups(ctx, group)
	if err != nil {
		return err
	}
	g := rs[group]
	if g.Err != nil || g.State != "Stable" || len(g.Members) != 1 || g.Protocol != "sticky" || g.ProtocolType != "consumer" {
		return fmt.Errorf("described as %+v", g)
	}
	return nil
}

func adminOffsets(ctx context.Context, e *judge.Env) error {
	return filled(ctx, e, 50, func(topic string, _ *kgo.Client, ad *kadm.Client) error {
		middle := judge.FirstMillis + 19*judge.StepMillis + 1
		for _, s := range []struct {
			what string
			call func() (kadm.ListedOffsets, error)
			want string
		}{
			{"start", func() (kadm.ListedOffsets, error) { return ad.ListStartOffsets(ctx, topic) }, "0 -1"},
			{"end", func() (kadm.ListedOffsets, error) { return ad.ListEndOffsets(ctx, topic) }, "50 -1"},
			{"timestamp", func() (kadm.ListedOffsets, error) { return ad.ListOffsetsAfterMilli(ctx, middle, topic) },
				fmt.Sprint(20, judge.FirstMillis+20*judge.StepMillis)},
			{"max timestamp", func() (kadm.ListedOffsets, error) { return ad.ListMaxTimestampOffsets(ctx, topic) },
				fmt.Sprint(49, judge.FirstMillis+49*judge.StepMillis)},
			{"local start", func() (kadm.ListedOffsets, error) { return ad.ListLocalLogStartOffsets(ctx, topic) }, "0 -1"},
		} {
			listed, err := s.call()
			if err == nil {
				err = listed.Error()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.what, err)
			}
			at, _ := listed.Lookup(topic, 0)
			if err := judge.Equal(s.what, s.want, fmt.Sprint(at.Offset, at.Timestamp)); err != nil {
				return err
			}
		}
		// Committed by hand, changed, deleted.
		group, offsets, topics := e.Name("g"), kadm.Offsets{}, kadm.TopicsSet{}
		offsets.AddOffset(topic, 0, 7, -1)
		topics.Add(topic, 0)
		if err := ad.CommitAllOffsets(ctx, group, offsets); err != nil {
			return err
		}
		rs, err := ad.FetchOffsets(ctx, group)
		if err != nil {
			return err
		}
		if at, _ := rs.Lookup(topic, 0); at.At != 7 {
			return fmt.Errorf("committed offset %d instead of 7", at.At)
		}
		deleted, err := ad.DeleteOffsets(ctx, group, topics)
		if err == nil {
			err = deleted.Error()
		}
		if err != nil {
			return err
		}
		if rs, err = ad.FetchOffsets(ctx, group); err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return err
		}
		if at, there := rs.Lookup(topic, 0); there && at.At >= 0 {
			return fmt.Errorf("deleted offset is still %d", at.At)
		}
		return nil
	})
}

func adminTransactions(ctx context.Context, e *judge.Env) error {
	topic, id := e.Name("t"), e.Name("x")
	return with(e, []kgo.Opt{kgo.TransactionalID(id)}, func(cl *kgo.Client, ad *kadm.Client) error {
		if err := create(ctx, ad, topic, 1); err != nil {
			return err
		}
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := produce(ctx, cl, topic, texts("a")); err != nil {
			return err
		}
		described, err := ad.DescribeTransactions(ctx, id)
		if err != nil {
			return err
		}
		if d := described[id]; d.Err != nil || d.State != "Ongoing" || !d.Topics.Lookup(topic, 0) {
			return fmt.Errorf("described as %+v", d)
		}
		listed, err := ad.ListTransactions(ctx, nil, []string{"Ongoing"})
		if err != nil {
			return err
		}
		if listed[id].ProducerID != described[id].ProducerID {
			return fmt.Errorf("listed as %+v", listed[id])
		}
		set := kadm.TopicsSet{}
		set.Add(topic, 0)
		producers, err := ad.DescribeProducers(ctx, set)
		if err != nil {
			return err
		}
		p := producers[topic].Partitions[0]
		if p.Err != nil || len(p.ActiveProducers) != 1 {
			return fmt.Errorf("producers %+v", p)
		}
		for _, a := range p.ActiveProducers {
			if a.ProducerID != described[id].ProducerID || a.CurrentTxnStartOffset != 0 || a.LastSequence != 0 {
				return fmt.Errorf("producer %+v", a)
			}
		}
		if err := cl.EndTransaction(ctx, kgo.TryAbort); err != nil {
			return err
		}
		return judge.Until(ctx, "state CompleteAbort", func() bool {
			described, err := ad.DescribeTransactions(ctx, id)
			e.Say("state %s", described[id].State)
			return err == nil && described[id].State == "CompleteAbort"
		})
	})
}
