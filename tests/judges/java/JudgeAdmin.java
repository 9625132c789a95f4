import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;

/** The admin half of the Java judge. */
final class JudgeAdmin {
    static void add(Cases all) {
        all.add("admin-topics", JudgeAdmin::topics);
        all.add("admin-partitions", JudgeAdmin::partitions);
        all.add("admin-configs", JudgeAdmin::configs);
        all.add("admin-delete-records", JudgeAdmin::deleteRecords);
        all.add("admin-groups", JudgeAdmin::groups);
        all.add("admin-offsets", JudgeAdmin::offsets);
        all.add("admin-transactions", JudgeAdmin::transactions);
    }

    static void metadata(Cases.Env e) throws Exception {
        Judge.admin(e, a -> {
            DescribeClusterResult c = a.describeCluster();
            Cases.that("there is a node and a controller", !c.nodes().get().isEmpty() && c.controller().get() != null && !c.clusterId().get().isEmpty());
            FeatureMetadata f = a.describeFeatures().featureMetadata().get();
            Cases.that("metadata.version is finalized", f.finalizedFeatures().containsKey("metadata.version"));
            e.said = c.nodes().get().size() + " node(s), features " + f.finalizedFeatures().keySet();
        });
    }

    static void topics(Cases.Env e) throws Exception {
        String topic = e.name("t");
        NewTopic wanted = new NewTopic(topic, 3, (short) 1).configs(Map.of("cleanup.policy", "compact"));
        Judge.admin(e, a -> {
            a.createTopics(List.of(wanted), new CreateTopicsOptions().validateOnly(true)).all().get();
            CreateTopicsResult made = a.createTopics(List.of(wanted));
            Cases.equal("partitions", 3, made.numPartitions(topic).get());
            Cases.equal("cleanup.policy", "compact", made.config(topic).get().get("cleanup.policy").value());
            Uuid id = made.topicId(topic).get();
            Judge.fails(TopicExistsException.class, () -> a.createTopics(List.of(wanted)).all().get());
            Judge.fails(InvalidTopicException.class, () -> a.createTopics(List.of(new NewTopic("not/allowed", 1, (short) 1))).all().get());
            Judge.fails(InvalidReplicationFactorException.class, () -> a.createTopics(List.of(new NewTopic(e.name("rf"), 1, (short) 99))).all().get());
            TopicDescription by = a.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            Cases.equal("described", "3 " + id, by.partitions().size() + " " + by.topicId());
            Cases.equal("described by id", topic, a.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name());
            Cases.that("it is listed", a.listTopics().names().get().contains(topic));
            a.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
            e.until("the topic is gone", () -> {
                try {
                    return !a.listTopics().names().get().contains(topic);
                } catch (Exception x) {
                    return false;
                }
            });
            Judge.fails(UnknownTopicOrPartitionException.class, () -> a.deleteTopics(List.of(topic)).all().get());
            Judge.fails(UnknownTopicOrPartitionException.class, () -> a.describeTopics(List.of(topic)).allTopicNames().get());
        });
    }

    static void partitions(Cases.Env e) throws Exception {
        String topic = e.name("t");
        Judge.create(e, topic, 2);
        Judge.admin(e, a -> {
            a.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
            e.until("5 partitions", () -> {
                try {
                    return a.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 5;
                } catch (Exception x) {
                    return false;
                }
            });
            Judge.fails(InvalidPartitionsException.class, () -> a.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get());
        });
        try (var p = Judge.producer(e)) {
            Judge.produce(p, topic, 4, Judge.texts("new"));
        }
    }

    static void configs(Cases.Env e) throws Exception {
        String topic = e.name("t");
        Judge.create(e, topic, 1);
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Judge.admin(e, a -> {
            Object[][] steps = {
                {AlterConfigOp.OpType.SET, "retention.ms", "123456789", "123456789 DYNAMIC_TOPIC_CONFIG"},
                {AlterConfigOp.OpType.DELETE, "retention.ms", "", "604800000 DEFAULT_CONFIG"},
                {AlterConfigOp.OpType.APPEND, "cleanup.policy", "compact", "delete,compact DYNAMIC_TOPIC_CONFIG"},
                {AlterConfigOp.OpType.SUBTRACT, "cleanup.policy", "delete", "compact DYNAMIC_TOPIC_CONFIG"},
            };
            for (Object[] s : steps) {
                var op = new AlterConfigOp(new ConfigEntry((String) s[1], (String) s[2]), (AlterConfigOp.OpType) s[0]);
                a.incrementalAlterConfigs(Map.of(resource, List.of(op))).all().get();
                e.until(s[1] + " is " + s[3], () -> {
                    try {
                        ConfigEntry c = a.describeConfigs(List.of(resource)).all().get().get(resource).get((String) s[1]);
                        e.said = s[1] + " is " + c.value() + " " + c.source();
                        return s[3].equals(c.value() + " " + c.source());
                    } catch (Exception x) {
                        return false;
                    }
                });
            }
            for (String[] bad : new String[][] {{"no.such.config", "1"}, {"retention.ms", "soon"}})
                Judge.fails(InvalidConfigurationException.class,
                            () -> a.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry(bad[0], bad[1]), AlterConfigOp.OpType.SET)))).all().get());
            int node = a.describeCluster().nodes().get().iterator().next().id();
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(node));
            var about = a.describeConfigs(List.of(broker), new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all().get().get(broker);
            Cases.that("the broker's own configs are described", about.get("message.max.bytes") != null);
        });
    }

    static void deleteRecords(Cases.Env e) throws Exception {
        String topic = Judge.filled(e, 50);
        TopicPartition tp = new TopicPartition(topic, 0);
        Judge.admin(e, a -> {
            Cases.equal("low watermark", 20, a.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(20))).lowWatermarks().get(tp).get().lowWatermark());
            Judge.fails(org.apache.kafka.common.errors.OffsetOutOfRangeException.class, () -> a.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(51))).all().get());
        });
        Cases.compare(Cases.entries(50).subList(20, 50), Judge.read(e, topic, 30, Judge.START));
        Judge.admin(e, a -> Cases.equal("all of them", 50, a.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(-1))).lowWatermarks().get(tp).get().lowWatermark()));
    }

    static void groups(Cases.Env e) throws Exception {
        String topic = Judge.filled(e, 5), group = e.name("g");
        TopicPartition tp = new TopicPartition(topic, 0);
        for (String protocol : List.of("classic", "consumer")) {
            Cases.Member m = Judge.member(e, null, Judge.byName(e), "group.protocol", protocol);
            Judge.admin(e, a -> {
                try {
                    e.until("the member has its partition", () -> m.parts.size() == 1);
                    e.until("the group is stable", () -> {
                        try {
                            ConsumerGroupDescription d = a.describeConsumerGroups(List.of(group)).all().get().get(group);
                            e.said = d.toString();
                            return d.groupState() == GroupState.STABLE && d.members().size() == 1 && d.type().toString().equalsIgnoreCase(protocol)
                                && d.members().iterator().next().assignment().topicPartitions().equals(Set.of(tp));
                        } catch (Exception x) {
                            e.said = x.toString();
                            return false;
                        }
                    });
                    Judge.fails(GroupNotEmptyException.class, () -> a.deleteConsumerGroups(List.of(group)).all().get());
                } finally {
                    m.close();
                }
                e.until("the group is listed as empty", () -> {
                    try {
                        return a.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(group) && g.groupState().equals(java.util.Optional.of(GroupState.EMPTY)));
                    } catch (Exception x) {
                        e.said = x.toString();
                        return false;
                    }
                });
                a.deleteConsumerGroups(List.of(group)).all().get();
                Cases.that("it is gone", a.listGroups().all().get().stream().noneMatch(g -> g.groupId().equals(group)));
                Judge.fails(GroupIdNotFoundException.class, () -> a.deleteConsumerGroups(List.of(group)).all().get());
            });
        }
        e.said = "";
    }

    static void offsets(Cases.Env e) throws Exception {
        String topic = Judge.filled(e, 50), group = e.name("g");
        TopicPartition tp = new TopicPartition(topic, 0);
        long step = Cases.STEP_MILLIS, first = Cases.FIRST_MILLIS;
        Judge.admin(e, a -> {
            Object[][] steps = {
                {"start", OffsetSpec.earliest(), "0 -1"}, {"end", OffsetSpec.latest(), "50 -1"},
                {"timestamp", OffsetSpec.forTimestamp(first + 19 * step + 1), "20 " + (first + 20 * step)},
                {"max timestamp", OffsetSpec.maxTimestamp(), "49 " + (first + 49 * step)},
                {"after the last", OffsetSpec.forTimestamp(first + 99 * step), "-1 -1"},
                {"local start", OffsetSpec.earliestLocal(), "0 -1"},
            };
            for (Object[] s : steps) {
                var at = a.listOffsets(Map.of(tp, (OffsetSpec) s[1])).all().get().get(tp);
                Cases.equal((String) s[0], s[2], at.offset() + " " + at.timestamp());
            }
            a.alterConsumerGroupOffsets(group, Map.of(tp, new OffsetAndMetadata(7, "seven"))).all().get();
            OffsetAndMetadata at = a.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(tp);
            Cases.equal("committed", "7 seven", at.offset() + " " + at.metadata());
            a.deleteConsumerGroupOffsets(group, Set.of(tp)).all().get();
            Cases.equal("committed after it was deleted", null, a.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(tp));
        });
    }

    static void transactions(Cases.Env e) throws Exception {
        String topic = e.name("t"), id = e.name("x");
        TopicPartition tp = new TopicPartition(topic, 0);
        Judge.create(e, topic, 1);
        try (var p = Judge.transactional(e)) {
            p.beginTransaction();
            Judge.produce(p, topic, 0, Judge.texts("a"));
            Judge.admin(e, a -> {
                TransactionDescription d = a.describeTransactions(List.of(id)).all().get().get(id);
                Cases.equal("described", TransactionState.ONGOING + " " + Set.of(tp), d.state() + " " + d.topicPartitions());
                Cases.that("it is listed",
                           a.listTransactions(new ListTransactionsOptions().filterStates(List.of(TransactionState.ONGOING))).all().get().stream().anyMatch(t -> t.transactionalId().equals(id)));
                var active = a.describeProducers(List.of(tp)).all().get().get(tp).activeProducers();
                Cases.equal("producers", 1, active.size());
                Cases.equal("producer", d.producerId() + " " + 0, active.get(0).producerId() + " " + active.get(0).currentTransactionStartOffset().getAsLong());
                a.fenceProducers(List.of(id)).all().get();
                e.until("the transaction is aborted", () -> {
                    try {
                        TransactionState s = a.describeTransactions(List.of(id)).all().get().get(id).state();
                        e.said = "state " + s;
                        return s == TransactionState.COMPLETE_ABORT || s == TransactionState.EMPTY;
                    } catch (Exception x) {
                        e.said = x.toString();
                        return false;
                    }
                });
            });
            Judge.fails(KafkaException.class, p::commitTransaction);
        }
    }
}
