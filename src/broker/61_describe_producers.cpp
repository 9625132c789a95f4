// DescribeProducers: who writes to a partition, idempotent and transactional, as its leader knows them; by ascending id.
#include <kafkawire/protocol/messages/61_describe_producers.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {

void describe_producers(cluster_state& cluster, exchange from, const protocol::messages::describe_producers_request& asked) {
    protocol::messages::describe_producers_response answer;
    for (const auto& t : asked.topics) {
        auto& topic_answer = answer.topics.emplace_back();
        topic_answer.name = t.name;
        refusal wrong;
        if (auto text = refuse_topic_name(t.name))
            wrong = {broker_errc::invalid_topic_exception, std::move(text)};
        else if (!cluster.find_topic(t.name))
            wrong = {broker_errc::unknown_topic_or_partition, "This server does not host this topic-partition."};
        for (const auto index : t.partition_indexes) {
            auto& to = topic_answer.partitions.emplace_back();
            to.partition_index = index;
            auto* p = cluster.find_partition(t.name, index);
            if (wrong) {
                to.error_code = code_of(wrong.code);
                to.error_message = wrong.text;
            } else if (!p) {
                to.error_code = code_of(broker_errc::unknown_topic_or_partition);
            } else if (p->leader() != from.node()) {
                to.error_code = code_of(broker_errc::not_leader_or_follower);
            } else {
                p->producers().expire(cluster.now().wall_ms(), cluster.config_number("producer.id.expiration.ms"));
                for (const auto& one : p->producers().describe())
                    to.active_producers.push_back({one.producer_id,
                                                   one.epoch,
                                                   one.last_sequence,
                                                   one.last_timestamp,
                                                   one.coordinator_epoch,
                                                   one.transaction_start,
                                                   {}});
            }
        }
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
