package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"kafkawire.test/judges/judge"
)

func metadata(ctx context.Context, e *judge.Env) error {
	m, err := client(e).Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return err
	}
	if len(m.Brokers) == 0 || m.ClusterID == "" {
		return fmt.Errorf("described as %+v", m)
	}
	v, err := client(e).ApiVersions(ctx, &kafka.ApiVersionsRequest{})
	if err != nil || v.Error != nil {
		return fmt.Errorf("ApiVersions: %v %v", err, v)
	}
	e.Say("%d broker(s), %d APIs", len(m.Brokers), len(v.ApiKeys))
	return nil
}

// partitions is how many partitions the topic has, by a transport without a cache.
func partitions(ctx context.Context, e *judge.Env, topic string) (int, error) {
	conn, err := kafka.DialContext(ctx, "tcp", e.Brokers[0])
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	all, err := conn.ReadPartitions()
	n := 0
	for _, p := range all {
		if p.Topic == topic {
			n++
		}
	}
	return n, err
}

func adminTopics(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(ctx, e, topic, 3); err != nil {
		return err
	}
	if err := create(ctx, e, topic, 3); !errors.Is(err, kafka.TopicAlreadyExists) {
		return fmt.Errorf("create again: %v instead of TOPIC_ALREADY_EXISTS", err)
	}
	if err := judge.Until(ctx, "3 partitions", func() bool { n, err := partitions(ctx, e, topic); return err == nil && n == 3 }); err != nil {
		return err
	}
	r, err := client(e).DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil || r.Errors[topic] != nil {
		return fmt.Errorf("delete: %v %v", err, r)
	}
	return judge.Until(ctx, "the topic is gone", func() bool { n, err := partitions(ctx, e, topic); return err == nil && n == 0 })
}

func adminPartitions(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(ctx, e, topic, 2); err != nil {
		return err
	}
	to := func(n int32) error {
		r, err := client(e).CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: n}}})
		if err != nil {
			return err
		}
		return r.Errors[topic]
	}
	if err := to(5); err != nil {
		return err
	}
	if err := judge.Until(ctx, "5 partitions", func() bool { n, err := partitions(ctx, e, topic); return err == nil && n == 5 }); err != nil {
		return err
	}
	if err := to(3); !errors.Is(err, kafka.InvalidPartitionNumber) {
		return fmt.Errorf("fewer partitions: %v instead of INVALID_PARTITIONS", err)
	}
	return produce(ctx, e, 0, topic, 4, judge.Records(1))
}

func adminConfigs(ctx context.Context, e *judge.Env) error {
	topic := e.Name("t")
	if err := create(ctx, e, topic, 1); err != nil {
		return err
	}
	expect := func(key, want string) error {
		got := ""
		return judge.Until(ctx, key+" is "+want, func() bool {
			r, err := client(e).DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
				{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{key}}}})
			if err == nil && len(r.Resources) == 1 && len(r.Resources[0].ConfigEntries) == 1 {
				got = r.Resources[0].ConfigEntries[0].ConfigValue
			}
			e.Say("%s %s %v", key, got, err)
			return got == want
		})
	}
	r, err := client(e).IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: []kafka.IncrementalAlterConfigsRequestConfig{
			{Name: "retention.ms", Value: "123456789", ConfigOperation: kafka.ConfigOperationSet},
			{Name: "cleanup.policy", Value: "compact", ConfigOperation: kafka.ConfigOperationAppend}}}}})
	if err != nil || r.Resources[0].Error != nil {
		return fmt.Errorf("alter: %v %v", err, r)
	}
	if err := expect("retention.ms", "123456789"); err != nil {
		return err
	}
	if err := expect("cleanup.policy", "delete,compact"); err != nil {
		return err
	}
	old, err := client(e).AlterConfigs(ctx, &kafka.AlterConfigsRequest{Resources: []kafka.AlterConfigRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: []kafka.AlterConfigRequestConfig{{Name: "max.message.bytes", Value: "4321"}}}}})
	if err != nil {
		return err
	}
	for _, err := range old.Errors {
		if err != nil {
			return err
		}
	}
	if err := expect("max.message.bytes", "4321"); err != nil {
		return err
	}
	return expect("retention.ms", "604800000")
}

func adminGroups(ctx context.Context, e *judge.Env) error {
	topic, err := filled(ctx, e, 5)
	if err != nil {
		return err
	}
	group, m := e.Name("g"), judge.NewMember()
	stop, err := groups(e, kafka.RangeGroupBalancer{}).Start(ctx, group, topic, "", m)
	if err != nil {
		return err
	}
	remove := func() error {
		r, err := client(e).DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
		if err != nil {
			return err
		}
		return r.Errors[group]
	}
	if err := func() error {
		defer stop()
		if err := judge.Until(ctx, "the member reads", func() bool { return judge.Seen(m) == 4 }); err != nil {
			return err
		}
		d, err := client(e).DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err != nil {
			return err
		}
		g := d.Groups[0]
		if g.Error != nil || g.GroupState != "Stable" || len(g.Members) != 1 || len(g.Members[0].MemberAssignments.Topics) != 1 {
			return fmt.Errorf("described as %+v", g)
		}
		if err := remove(); !errors.Is(err, kafka.NonEmptyGroup) {
			return fmt.Errorf("delete a group with a member: %v instead of NON_EMPTY_GROUP", err)
		}
		return nil
	}(); err != nil {
		return err
	}
	listed := func() (bool, error) {
		r, err := client(e).ListGroups(ctx, &kafka.ListGroupsRequest{})
		if err != nil {
			return false, err
		}
		for _, g := range r.Groups {
			if g.GroupID == group {
				return true, r.Error
			}
		}
		return false, r.Error
	}
	if there, err := listed(); err != nil || !there {
		return fmt.Errorf("it is not listed: %v", err)
	}
	if err := judge.Until(ctx, "the empty group is deleted", func() bool { return remove() == nil }); err != nil {
		return err
	}
	if there, err := listed(); err != nil || there {
		return fmt.Errorf("it is still listed after it was deleted: %v", err)
	}
	return nil
}

func adminOffsets(ctx context.Context, e *judge.Env) error {
	topic, err := filled(ctx, e, 50)
	if err != nil {
		return err
	}
	conn, err := kafka.DialLeader(ctx, "tcp", e.Brokers[0], topic, 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	first, last, err := conn.ReadOffsets()
	if err != nil {
		return err
	}
	if err := judge.Equal("start and end", "0 50", fmt.Sprint(first, last)); err != nil {
		return err
	}
	r, err := client(e).ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)}}})
	if err != nil {
		return err
	}
	p := r.Topics[topic][0]
	if p.Error != nil || p.FirstOffset != 0 || p.LastOffset != 50 {
		return fmt.Errorf("listed as %+v", p)
	}
	group := e.Name("g")
	if _, err := client(e).OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: 0, Offset: 7}}}}); err != nil {
		return err
	}
	if err := committed(ctx, e, group, topic, 7); err != nil {
		return err
	}
	deleted, err := client(e).OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: group, Topics: map[string][]int{topic: {0}}})
	if err != nil || deleted.Error != nil {
		return fmt.Errorf("delete the offset: %v %v", err, deleted)
	}
	return nil
}
