// group_index: a group as numbers. Members, topics, partitions and racks are indices, so that assigning compares and copies no texts.
// Owns: indices and counts; borrows the texts of the group_view, which must outlive it. Takes any view: topics that are subscribed to twice,
// or that do not exist, negative counts and lists of racks that are too short or too long are all put right here.
#pragma once
#include <kafkawire/assignor.hpp>

#include <string_view>
#include <unordered_map>

namespace kafkawire::group {

struct group_index {
    explicit group_index(const group_view& group);

    struct topic {
        std::string_view name;
        std::size_t first = 0;                    ///< of its partitions among all
        std::int32_t partitions = 0;              ///< above zero
        std::vector<std::uint32_t> members{};     ///< subscribed, ascending
    };
    struct member {
        std::vector<std::uint32_t> topics{};      ///< subscribed, that exist and have partitions; ascending
        std::int32_t rack = -1;                   ///< -1: not said
    };
    std::vector<topic> topics{};                  ///< by name; those without partitions or members are left out
    std::vector<member> members{};                ///< as in the view
    std::size_t partitions = 0;                   ///< of all topics
    std::size_t racks = 0;                        ///< how many different ones there are

    [[nodiscard]] std::span<const std::int32_t> racks_of(std::size_t partition) const noexcept {
        return {replica_racks_.data() + rack_begin_[partition], rack_begin_[partition + 1] - rack_begin_[partition]};
    }
    [[nodiscard]] bool replica_in(std::size_t partition, std::int32_t rack) const noexcept;
    /// The topic of a name, or -1.
    [[nodiscard]] std::int64_t find(std::string_view name) const noexcept;
    [[nodiscard]] bool subscribed(std::uint32_t member, std::uint32_t topic) const noexcept;
    /// Whether racks say anything in these topics for these members: some of both are the same, and not every partition has them all.
    [[nodiscard]] bool racks_matter(std::span<const std::uint32_t> of_members, std::span<const std::uint32_t> of_topics) const;

    /// The members in the order of range and roundrobin: static ones by their instance id, then the others by their member id.
    [[nodiscard]] std::vector<std::uint32_t> in_order(const group_view& group) const;

private:
    void index_racks(const assignor_topic& from, const topic& to, std::unordered_map<std::string_view, std::int32_t>& names);

    std::unordered_map<std::string_view, std::uint32_t> by_name_{};
    std::vector<std::uint32_t> rack_begin_{0};
    std::vector<std::int32_t> replica_racks_{};   // of each partition, ascending and each once
};

/// One member's partitions as the interface wants them, from pairs of topic and partition in any order: topics by name, partitions ascending.
class assignment_writer {
public:
    assignment_writer(const group_index& index, std::size_t members) : index_{index}, result_(members), last_(members, -1) {}
    /// To be called topic by topic for each member.
    void add(std::uint32_t member, std::uint32_t topic, std::int32_t partition);
    [[nodiscard]] group_assignment take() { return std::move(result_); }

private:
    const group_index& index_;
    group_assignment result_;
    std::vector<std::int64_t> last_;
};

}  // namespace kafkawire::group
