// What members of a group do, judged while they do it: each is told here what it is told, does and is handed, and the coordinator says what it takes.
// The rules, by the names under which they are blamed:
// | name              | what was seen                                                                                                    |
// |-------------------|------------------------------------------------------------------------------------------------------------------|
// | two-owners        | a partition came to a member while another one had it, whom the coordinator still counted as a member            |
// |                   | (but for one that had it of a former topic: under KIP-848 it is another partition, and this client goes by names) |
// | not-owned         | records were handed out before on_assigned was over, or once on_revoked or on_lost had begun, or while paused     |
// | wrong-start       | the first record of an assignment is not the one behind what the group has committed, or where a seek went        |
// | skip, repeat      | within an assignment a record was left out, or came twice                                                         |
// | commit-ahead      | an offset was committed that lies beyond what its member had processed                                           |
// | commit-not-owned  | the coordinator took an offset for a partition that another member had by then                                    |
// | commit-back       | an offset was committed that lies before the one before it, and nobody had sought back                            |
// |                   | (both but for a commit of what its member has lost within the last 5 s, under the same epoch: Kafka takes those)   |
// | false-commit      | a commit was told to be done which the coordinator never took                                                    |
// | commit-missing    | a member with automatic commits closed in good order, and the group is not where it stopped                       |
// | late              | an operation ended after its deadline                                                                            |
// | stuck             | a partition was not read in time after the last fault                                                            |
// | not-told          | records of a log that has lost what was read of it, or of another topic of that name, without an error before them  |
// | false-alarm       | a log was said to be truncated, a topic to be another, or a position was moved, and there was no reason for that    |
// | wrong-value       | a record is another one than somebody else read there, or than the log holds at the end                           |
// | commit-of-former  | an offset of a topic that was deleted was taken for that of the same name                                        |
// | standstill        | a consumer found that it had forgotten one of its partitions                                                     |
// | not-fenced        | of two members of one instance id both went on                                                                   |
// | unrest            | partitions came or went although nothing had happened but that members took their time with what they had        |
#pragma once
#include <kafkawire/testing/history.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace schedules {

namespace kw = kafkawire;

class group_judge {
public:
    using partition = std::int32_t;

    // A partition in a member's hands, from on_assigned on.
    struct holding {
        std::int64_t epoch = 0;                  // of all holdings of all members: never the same twice
        std::uint64_t assignment = 0;            // as its records say; 0: none came yet
        bool reading = false;                    // on_assigned is over, on_revoked has not begun
        bool paused = false;
        std::optional<std::int64_t> gone_by{};   // it is being revoked, until then
        std::optional<std::int64_t> next{};      // of the next record; none: nothing was read yet
        std::vector<std::int64_t> starts{};      // where it may begin: what was committed since it was assigned
        bool sought = false;
        bool read = false;                       // a record, since it was assigned or sought
        std::uint64_t losses = 0;                // how often its member had lost all it had before
        int topic = 0, first_topic = 0;          // of those that had this name, one after the other; as it was assigned
        bool unclear = false;                    // nothing of it was read when its topic went
        std::set<std::int64_t> lost{};           // where its log was cut off, and it was not told yet
        std::map<std::int64_t, std::uint64_t> owed{};  // of them those that it must be told of before a value as high as that comes
        std::optional<std::uint64_t> unsure{};   // what it is handed may be of before a loss, below that value
    };
    // One life of a consumer.
    struct member {
        std::int32_t number = 0;
        bool gone = false;
        std::uint64_t losses = 0;                // how often it lost everything, whether it was told so yet or not
        std::set<std::string> ids{};             // under which the coordinator has known it
        bool is_static = false;
        std::int32_t generation = -1;
        std::map<partition, holding> holds{};
        std::map<partition, std::int64_t> handed{}, processed{}, taken{};
        struct late {
            std::int32_t generation;
            std::int64_t until;
        };
        std::map<partition, late> under_way{};   // commits that may be, of what it has lost: Kafka takes them while the member's epoch is the same
    };

    explicit group_judge(kw::testing::history& h) : history_{h} {}

    /// Who has that id.
    std::function<member*(const std::string& id)> find;
    /// Whether the coordinator counts it as a member at this moment.
    std::function<bool(const member&)> counted;
    std::function<std::int64_t()> now;
    /// Brings members' ids and losses up to date.
    std::function<void()> refresh = [] {};

    member& arrives();
    void goes(member& m);

    /// `former`: of a topic of that name that has been deleted since.
    void assigned(member& m, partition p, bool former = false);
    void may_read(member& m, partition p);
    /// `by`: then the group goes on, whether or not the member is done.
    void revoking(member& m, partition p, std::int64_t by);
    void given_up(member& m, partition p);
    void lost(member& m, partition p);
    void sought(member& m, partition p, std::int64_t to);
    void paused(member& m, partition p, bool yes);
    struct record {
        std::int64_t offset;
        std::uint64_t value;
    };
    /// Of one partition and one poll, in order. `next` is where reading is to go on.
    void handed_out(member& m, partition p, std::uint64_t assignment, std::int64_t poll, std::span<const record> records, std::int64_t next);
    void processed(member& m, partition p, std::int64_t next);
    /// Which of those that have had the name.
    [[nodiscard]] int topic() const noexcept { return topic_; }
    /// The coordinator has taken it; `others` are the ids that it counts as members.
    void taken(const std::string& id, std::int32_t generation, partition p, std::int64_t offset, const std::set<std::string>& members);
    void told_committed(member& m, partition p, std::int64_t offset);
    /// A member closed in good order, with everything that it was handed processed.
    void closed_well(member& m, const std::map<partition, std::int64_t>& stood);

    // --- what the cluster forgets; `value`: all that are written from now on are at least as high ---
    void truncated(partition p, std::int64_t from, std::uint64_t value);
    /// With all of its partitions. Another one of that name may come.
    void topic_gone(std::uint64_t value);
    void told_truncated(member& m, partition p, std::int64_t at);
    void told_recreated(member& m, partition p);
    void told_reset(member& m, partition p, std::int64_t to);
    /// Nobody who has it is still to be told of what it lost.
    [[nodiscard]] bool all_told(partition p) const;
    /// What was read is compared with what is there.
    void compare(const std::map<partition, std::vector<kw::testing::log_entry>>& logs);

    void blame(const std::string& name, std::string text);
    [[nodiscard]] const std::map<std::string, std::size_t>& found() const noexcept { return found_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] std::int64_t committed(partition p) const;  // 0: nothing was
    /// Where members stand that have it and are counted; -1: nobody does. Where all read all, the one that is behind.
    [[nodiscard]] std::int64_t stands(partition p) const;
    [[nodiscard]] std::string owners(partition p) const;
    /// Records with markers of transactions between them, whose offsets have gaps.
    bool gaps = false;
    /// Members that are of no group: each may have everything.
    bool shared = false;
    /// Offsets are committed in transactions, whose end nobody tells us of.
    bool starts_unknown = false;
    void known_committed(partition p, std::int64_t offset) { committed_[p] = std::max(committed_[p], offset); }
    /// The cluster forgets: reads are not noted in the history, which has no words for that.
    bool lossy = false;
    /// Commits name topics, so that one for a topic that is gone may be taken for the next.
    bool by_name = false;
    /// Somebody lies about the topic: members may be told that it is another one.
    bool misled = false;
    std::uint64_t assignments = 0, commits = 0, handed = 0, alarms = 0;

private:
    void allow_back(partition p) { may_go_back_[p] = std::max(may_go_back_[p], 1); }
    /// Of its own, and never more than two: a commit that was under way when a log was cut, or a seek made, takes the one of those before.
    void allow_back_again(partition p) { may_go_back_[p] = std::min(may_go_back_[p] + 1, 2); }
    [[nodiscard]] std::string name(const member& m, partition p) const;
    void look_at(const member& m, partition p, holding& h, const record& r);
    // It has not ended a step in time: what the group takes from it meanwhile waits behind that, and it is told too late.
    [[nodiscard]] bool overdue(const member& m) const;

    kw::testing::history& history_;
    std::map<std::int32_t, member> members_;
    std::map<partition, std::int64_t> committed_;
    std::map<partition, int> may_go_back_;                    // how often a commit may be behind the one before it
    std::map<partition, std::set<std::int64_t>> cut_;        // where logs were cut off
    std::map<partition, std::map<std::int64_t, std::uint64_t>> seen_;  // values, of what is there
    std::set<partition> foreign_;                             // what is committed may be of a former topic
    int topic_ = 0;
    std::uint64_t topic_value_ = 0;
    std::int64_t epochs_ = 0;
    std::map<std::string, std::size_t> found_;
    std::string text_;
};

}  // namespace schedules
