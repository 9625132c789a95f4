// batch_check: what Kafka's broker checks of a batch from a client before it takes it into a log, in its order and with its codes and sentences,
// and what it changes in it: timestamps by the broker's clock, another codec.
// Owns: buffers and contexts for opening and building batches. Never: knows partitions, producers or who may write.
//
// Differences to Kafka: record offsets that do not go up inside their batch are an INVALID_RECORD (Kafka takes or renumbers them); what unpacks
// to more than 64 MiB is MESSAGE_TOO_LARGE; at most 1,000 bad records of a batch are named.
#pragma once
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <string>
#include <vector>

#include "broker/error_code.hpp"
#include "broker/log.hpp"

namespace kafkawire::broker {

/// What a topic asks of its batches.
struct batch_rules {
    std::string partition;                                    ///< "orders-0", for sentences
    std::int64_t max_batch = 0;                               ///< max.message.bytes
    std::int64_t max_segment = 0;                             ///< segment.bytes
    bool keys_needed = false;                                 ///< compacted
    bool log_append_time = false;
    std::int64_t oldest_ms = 0, newest_ms = 0;                ///< message.timestamp.before.max.ms and .after.max.ms
    std::optional<protocol::compression> recompress{};        ///< compression.type, unless "producer"
    int level = protocol::default_level;
};

/// What became of a batch.
struct batch_verdict {
    struct bad_record {
        std::int32_t index = 0;
        std::string text;
    };
    broker_errc error = broker_errc::none;
    bool tells_log_start = false;          ///< if refused: whether the answer has the log's start offset
    std::vector<bad_record> bad_records{};
    std::optional<std::string> text{};     ///< for the answer; only with bad_records
    protocol::record_batch batch{};        ///< as it is to be appended; its bytes are the client's, or the checker's until its next call
    log::changes changes{};
};

class batch_checker {
public:
    /// Checks the first batch in `records`, of format 2. What follows it is left alone, as Kafka does with what is no whole batch.
    [[nodiscard]] batch_verdict check(protocol::bytes_view records, const batch_rules& rules, std::int64_t now_ms);

private:
    struct facts {
        std::int64_t max_timestamp = -1;
        std::size_t bad = 0;
        bool bad_time = false;
    };
    broker_errc walk(batch_verdict& v, const batch_rules& rules, std::int64_t now_ms, facts& found);
    broker_errc rebuild(batch_verdict& v, const batch_rules& rules, std::int64_t now_ms);
    void refuse_records(batch_verdict& v, const facts& found);

    protocol::decompressor decompressor_;
    protocol::byte_buffer unpacked_;
    protocol::batch_builder builder_;
};

/// What the head of a partition's records says before anything of it is believed: Kafka looks at all partitions of a request in this way first,
/// and one that cannot be read fails the whole request.
struct first_look {
    refusal error{};
    bool transactional = false;
};
[[nodiscard]] first_look look_at(protocol::bytes_view records);
/// Whether these are one batch of format 2 that this version of Produce may carry: INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, CORRUPT_MESSAGE.
[[nodiscard]] broker_errc check_records_field(protocol::bytes_view records, std::int16_t produce_version);

}  // namespace kafkawire::broker
