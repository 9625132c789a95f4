package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"kafkawire.test/judges/judge"
)

func metadata(ctx context.Context, e *judge.Env) error {
	return admin(e, func(a sarama.ClusterAdmin) error {
		brokers, controller, err := a.DescribeCluster()
		if err != nil {
			return err
		}
		if len(brokers) == 0 || controller < 0 {
			return fmt.Errorf("%d brokers, controller %d", len(brokers), controller)
		}
		e.Say("%d broker(s)", len(brokers))
		return nil
	})
}

func adminTopics(ctx context.Context, e *judge.Env) error {
	return admin(e, func(a sarama.ClusterAdmin) error {
		topic, policy := e.Name("t"), "compact"
		detail := &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1, ConfigEntries: map[string]*string{"cleanup.policy": &policy}}
		if err := a.CreateTopic(topic, detail, true); err != nil {
			return err
		}
		if err := a.CreateTopic(topic, detail, false); err != nil {
			return err
		}
		if err := a.CreateTopic(topic, detail, false); !errors.Is(err, sarama.ErrTopicAlreadyExists) {
			return fmt.Errorf("create again: %v instead of TOPIC_ALREADY_EXISTS", err)
		}
		there, err := a.DescribeTopics([]string{topic})
		if err != nil {
			return err
		}
		if len(there) != 1 || there[0].Err != sarama.ErrNoError || len(there[0].Partitions) != 3 {
			return fmt.Errorf("described as %+v", there[0])
		}
		all, err := a.ListTopics()
		if err != nil {
			return err
		}
		if t := all[topic]; t.NumPartitions != 3 || t.ConfigEntries["cleanup.policy"] == nil || *t.ConfigEntries["cleanup.policy"] != "compact" {
			return fmt.Errorf("listed as %+v", t)
		}
		if err := a.DeleteTopic(topic); err != nil {
			return err
		}
		if err := judge.Until(ctx, "the topic is gone", func() bool {
			all, err := a.ListTopics()
			_, there := all[topic]
			return err == nil && !there
		}); err != nil {
			return err
		}
		if err := a.DeleteTopic(topic); !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
			return fmt.Errorf("delete again: %v instead of UNKNOWN_TOPIC_OR_PARTITION", err)
		}
		return nil
	})
}

func adminPartitions(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(e, topic, 2); err != nil {
		return err
	}
	if err := admin(e, func(a sarama.ClusterAdmin) error {
		if err := a.CreatePartitions(topic, 5, nil, false); err != nil {
			return err
		}
		if err := a.CreatePartitions(topic, 3, nil, false); !errors.Is(err, sarama.ErrInvalidPartitions) {
			return fmt.Errorf("fewer partitions: %v instead of INVALID_PARTITIONS", err)
		}
		return judge.Until(ctx, "5 partitions", func() bool {
			there, err := a.DescribeTopics([]string{topic})
			return err == nil && len(there[0].Partitions) == 5
		})
	}); err != nil {
		return err
	}
	return producing(e, nil, func(p sarama.SyncProducer) error { return firstError(p.SendMessages(messages(topic, 4, texts("new")))) })
}

func adminConfigs(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(e, topic, 1); err != nil {
		return err
	}
	return admin(e, func(a sarama.ClusterAdmin) error {
		expect := func(key, want string) error {
			got := ""
			err := judge.Until(ctx, want, func() bool {
				entries, err := a.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{key}})
				got = fmt.Sprint(err)
				if err == nil && len(entries) == 1 {
					got = entries[0].Value + " from " + entries[0].Source.String()
				}
				e.Say("%s %s", key, got)
				return got == want
			})
			return err
		}
		value, compact := "123456789", "compact"
		if err := a.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
			"retention.ms":   {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
			"cleanup.policy": {Operation: sarama.IncrementalAlterConfigsOperationAppend, Value: &compact},
		}, false); err != nil {
			return err
		}
		if err := expect("retention.ms", "123456789 from Topic"); err != nil {
			return err
		}
		if err := expect("cleanup.policy", "delete,compact from Topic"); err != nil {
			return err
		}
		// The older call replaces all that was set.
		if err := a.AlterConfig(sarama.TopicResource, topic, map[string]*string{"max.message.bytes": &value}, false); err != nil {
			return err
		}
		if err := expect("max.message.bytes", "123456789 from Topic"); err != nil {
			return err
		}
		if err := expect("retention.ms", "604800000 from Default"); err != nil {
			return err
		}
		bad := "soon"
		if err := a.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": &bad}, false); err == nil {
			return errors.New("a bad value was taken")
		}
		return nil
	})
}

func adminDeleteRecords(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 50)
	if err != nil {
		return err
	}
	if err := admin(e, func(a sarama.ClusterAdmin) error {
		if err := a.DeleteRecords(topic, map[int32]int64{0: 20}); err != nil {
			return err
		}
		if err := a.DeleteRecords(topic, map[int32]int64{0: 51}); err == nil {
			return errors.New("records past the end were deleted")
		}
		return nil
	}); err != nil {
		return err
	}
	got, err := read(ctx, e, topic, sarama.OffsetOldest, 30)
	if err != nil {
		return err
	}
	return judge.Compare(judge.Records(50)[20:], got, true)
}

func adminGroups(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 5)
	if err != nil {
		return err
	}
	group, m := e.Name("g"), judge.NewMember()
	stop, err := groups(e, sarama.NewBalanceStrategySticky()).Start(ctx, group, topic, "", m)
	if err != nil {
		return err
	}
	return admin(e, func(a sarama.ClusterAdmin) error {
		if err := func() error {
			defer stop()
			if err := judge.Until(ctx, "the member reads", func() bool { return judge.Seen(m) == 4 }); err != nil {
				return err
			}
			ds, err := a.DescribeConsumerGroups([]string{group})
			if err != nil {
				return err
			}
			if d := ds[0]; d.Err != sarama.ErrNoError || d.State != "Stable" || d.Protocol != "sticky" || len(d.Members) != 1 {
				return fmt.Errorf("described as %+v", d)
			}
			for _, d := range ds[0].Members {
				if a, err := d.GetMemberAssignment(); err != nil || len(a.Topics[topic]) != 1 {
					return fmt.Errorf("assignment %+v, %v", a, err)
				}
			}
			if err := a.DeleteConsumerGroup(group); !errors.Is(err, sarama.ErrNonEmptyGroup) {
				return fmt.Errorf("delete a group with a member: %v instead of NON_EMPTY_GROUP", err)
			}
			return nil
		}(); err != nil {
			return err
		}
		all, err := a.ListConsumerGroups()
		if err != nil {
			return err
		}
		if all[group] != "consumer" {
			return fmt.Errorf("listed as %q", all[group])
		}
		if err := a.DeleteConsumerGroup(group); err != nil {
			return err
		}
		if all, err = a.ListConsumerGroups(); err != nil {
			return err
		}
		if _, there := all[group]; there {
			return errors.New("it is still listed after it was deleted")
		}
		return nil
	})
}

func adminOffsets(ctx context.Context, e *judge.Env) error {
	topic, err := filled(e, 50)
	if err != nil {
		return err
	}
	return admin(e, func(a sarama.ClusterAdmin) error {
		for _, s := range []struct {
			what           string
			at, want, when int64
		}{
			{"start", sarama.OffsetOldest, 0, -1}, {"end", sarama.OffsetNewest, 50, -1},
			{"timestamp", judge.FirstMillis + 19*judge.StepMillis + 1, 20, judge.FirstMillis + 20*judge.StepMillis},
			{"after the last", judge.FirstMillis + 99*judge.StepMillis, -1, -1},
		} {
			rs, err := a.ListOffsets(map[string]map[int32]int64{topic: {0: s.at}}, nil)
			if err != nil {
				return fmt.Errorf("%s: %w", s.what, err)
			}
			r := rs[topic][0]
			if r.Err != nil && r.Err != sarama.ErrNoError {
				return fmt.Errorf("%s: %w", s.what, r.Err)
			}
			if err := judge.Equal(s.what, fmt.Sprint(s.want, s.when), fmt.Sprint(r.Offset, r.Timestamp)); err != nil {
				return err
			}
		}
		group := e.Name("g")
		if _, err := a.AlterConsumerGroupOffsets(group, map[string]map[int32]sarama.OffsetAndMetadata{topic: {0: {Offset: 7, Metadata: "m", LeaderEpoch: -1}}}, nil); err != nil {
			return err
		}
		if err := committed(e, group, topic, 7); err != nil {
			return err
		}
		if err := a.DeleteConsumerGroupOffset(group, topic, 0); err != nil {
			return err
		}
		return nil
	})
}
