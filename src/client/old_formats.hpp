// What brokers of before Kafka 2.1 cannot take as it was built: batches of format 2 become messages of formats 0 and 1 on their way to brokers
// before 0.11. The batch itself stays as it is, for another try may find a newer broker.
#pragma once
#include "client/sender_fsm.hpp"

namespace kafkawire::client_detail {

inline constexpr std::int16_t first_with_batches = 3;   ///< Produce, Kafka 0.11: format 2, with headers and sequences
inline constexpr std::int16_t first_with_zstd = 7;      ///< Kafka 2.1

/// Why that version of Produce cannot carry a closed batch of format 2, or no error. `sequenced`: the producer counts on sequences.
[[nodiscard]] protocol::codec_error check_for_version(protocol::bytes_view batch, std::int16_t produce_version, bool sequenced) noexcept;

/// Appends the records of a batch of format 2 as that version below first_with_batches wants them: format 1 for version 2, else format 0, which
/// has no timestamps; in the batch's codec. Errors, which leave `to` as it was: not_in_version (headers, zstd), limit_exceeded, and what is wrong with the batch.
[[nodiscard]] protocol::codec_error as_messages(protocol::bytes_view batch, std::int16_t produce_version, int level, protocol::byte_buffer& to);

/// Makes a part of a request what that version, below first_with_zstd, can carry: false, and part.unsayable says why, if it cannot.
[[nodiscard]] bool adapt(produce_part& part, std::int16_t produce_version, bool sequenced);

}  // namespace kafkawire::client_detail
