// What each error code means to a transactional producer, by the request that it answers. One table; no decisions elsewhere depend on codes.
#pragma once
#include <kafkawire/error.hpp>

#include <string_view>

namespace kafkawire::client_detail::txn {

enum class api { find_transaction, find_group, init_producer_id, add_partitions, add_offsets, end_txn, txn_offset_commit, produce };
inline constexpr std::size_t api_count = 8;
[[nodiscard]] std::string_view name_of(api what) noexcept;
[[nodiscard]] std::int16_t key_of(api what) noexcept;

enum class meaning {
    done,
    soon,       ///< the transaction before is being completed: again after a short pause
    again,      ///< again after the usual pause; the request has certainly not been carried out
    unclear,    ///< again after the usual pause; the request may have been carried out
    elsewhere,  ///< the coordinator is another one, or has lost its office while it answered: find it; may have been carried out
    abort,      ///< the transaction must be aborted; the producer goes on
    renew,      ///< the same, and the epoch must be raised before the next one
    forgotten,  ///< as renew, but the coordinator does not know the producer any more: EndTxn would be refused too, and without KIP-360 nobody
                ///< could tell whether a newer producer has come
    refused,    ///< this operation fails and nothing else changes
    fenced,     ///< a newer producer has the transactional id: the end of this one
    fatal,      ///< the end of this producer; the request has certainly not been carried out
    inexplicable ///< the end of this producer; nobody can say whether the request was carried out
};
inline constexpr std::size_t meaning_count = 12;
[[nodiscard]] std::string_view name_of(meaning m) noexcept;

/// Of a code that answers `what`; `version` is that of transactions, 1 or 2. Codes that nobody knows have a meaning too.
[[nodiscard]] meaning meaning_of(api what, std::int16_t code, int version) noexcept;
/// Of an error on our side of the connection, without an answer.
[[nodiscard]] meaning meaning_of(api what, std::error_code code, bool maybe_processed) noexcept;

}  // namespace kafkawire::client_detail::txn
