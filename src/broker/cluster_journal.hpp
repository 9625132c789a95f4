// cluster_journal: what the cluster must know again after a restart, beside the records of its topics: topics and their partitions,
// configuration, which producer ids were given out. Kept as Kafka keeps it: records of its metadata log, in __cluster_metadata-0, and the
// cluster's id in meta.properties; Kafka's own tools read both.
// Owns: the journal's files. Never: decides anything; a write that fails is reported and the cluster goes on in memory.
#pragma once
#include <functional>

#include "broker/metadata_records.hpp"
#include "broker/segment_store.hpp"

namespace kafkawire::broker {

struct topic;

class cluster_journal {
public:
    explicit cluster_journal(std::shared_ptr<storage> in) : files_{in}, store_{std::move(in), "__cluster_metadata-0"} {}

    /// What a restart finds, in the order in which it happened: one function is called for each record.
    struct reader {
        std::function<void(const protocol::messages::topic_record&)> topic;
        std::function<void(const protocol::messages::partition_record&)> partition;
        std::function<void(const protocol::messages::config_record&)> config;
        std::function<void(const protocol::messages::remove_topic_record&)> remove;
        std::function<void(const protocol::messages::producer_ids_record&)> producer_ids;
    };
    /// Reads all of it. A record that cannot be read ends it with errc::bad_record: better no cluster than half of one. The error stays in error().
    std::error_code open(const reader& to);

    /// The id in meta.properties; empty: there is none yet.
    [[nodiscard]] std::string saved_cluster_id();
    std::error_code save_cluster_id(std::string_view id, std::int32_t node);

    // What happens from now on. `when` in milliseconds since 1970. The first error stays in error().
    void topic_made(const topic& t, std::int64_t when);
    void partitions_added(const topic& t, std::size_t from, std::int64_t when);
    void topic_deleted(const protocol::uuid& id, std::int64_t when);
    /// All that differs between `before` and `after`. `resource_type`: 2 topic, 4 broker.
    void configs_changed(std::int8_t resource_type, const std::string& resource, const std::map<std::string, std::string>& before,
                         const std::map<std::string, std::string>& after, std::int64_t when);
    void producer_ids_given(std::int64_t next, std::int64_t when);

    [[nodiscard]] const std::error_code& error() const noexcept { return error_; }

private:
    template <class Record>
    void add(const Record& record, std::int16_t version);
    void add_partitions(const topic& t, std::size_t from);
    void write(std::int64_t when);

    std::shared_ptr<storage> files_;
    segment_store store_;
    std::vector<protocol::bytes> pending_;  // of one batch
    std::int64_t end_offset_ = 0;
    std::error_code error_;
};

}  // namespace kafkawire::broker
