#include <kafkawire/testing/history.hpp>

#include <cstring>

namespace kafkawire::testing {

std::int32_t history::partition(std::string_view topic, std::int32_t number) {
    auto key = std::pair{std::string{topic}, number};
    const auto [at, is_new] = numbers_.try_emplace(key, static_cast<std::int32_t>(names_.size()));
    if (is_new) names_.push_back(std::move(key));
    return at->second;
}

std::string history::name(std::int32_t p) const {
    if (p < 0 || static_cast<std::size_t>(p) >= names_.size()) return "no partition";
    const auto& [topic, number] = names_[static_cast<std::size_t>(p)];
    return topic + "-" + std::to_string(number);
}

history::id history::add(operation o) {
    operations_.push_back(o);
    return operations_.size() - 1;
}

history::id history::send(std::int32_t producer, std::int32_t p, std::uint64_t value, std::int64_t now, std::int64_t transaction) {
    operation o;
    o.what = operation::kind::send;
    o.process = producer;
    o.partition = p;
    o.value = value;
    o.transaction = transaction;
    o.began = now;
    return add(o);
}

void history::finish(id at, outcome result, std::int64_t now, std::int64_t offset) {
    auto& o = operations_[at];
    if (o.result != outcome::pending) {
        told_twice_.push_back(at);
        return;
    }
    o.result = result;
    o.ended = now;
    if (o.what == operation::kind::send) o.offset = offset;
}

void history::assign(std::int32_t consumer, std::int32_t group, std::int64_t epoch, std::int32_t p, std::int64_t offset, std::int64_t now) {
    operation o;
    o.what = operation::kind::assign;
    o.result = outcome::ok;
    o.process = consumer;
    o.group = group;
    o.epoch = epoch;
    o.partition = p;
    o.offset = offset;
    o.began = o.ended = now;
    add(o);
}

void history::revoke(std::int32_t consumer, std::int32_t group, std::int64_t epoch, std::int32_t p, std::int64_t now) {
    assign(consumer, group, epoch, p, -1, now);
    operations_.back().what = operation::kind::revoke;
}

void history::read(std::int32_t consumer, std::int64_t epoch, std::int64_t poll, std::int32_t p, std::int64_t offset, std::uint64_t value,
                   std::int64_t now, bool committed_only, std::int64_t transaction) {
    operation o;
    o.what = operation::kind::read;
    o.result = outcome::ok;
    o.process = consumer;
    o.epoch = epoch;
    o.poll = poll;
    o.partition = p;
    o.offset = offset;
    o.value = value;
    o.committed_only = committed_only;
    o.transaction = transaction;
    o.began = o.ended = now;
    add(o);
}

history::id history::commit(std::int32_t consumer, std::int32_t group, std::int64_t epoch, std::int32_t p, std::int64_t offset,
                            std::int64_t now) {
    operation o;
    o.what = operation::kind::commit;
    o.process = consumer;
    o.group = group;
    o.epoch = epoch;
    o.partition = p;
    o.offset = offset;
    o.began = now;
    return add(o);
}

void history::begin(std::int32_t producer, std::int64_t transaction, std::int64_t now) {
    operation o;
    o.what = operation::kind::begin;
    o.result = outcome::ok;
    o.process = producer;
    o.transaction = transaction;
    o.began = o.ended = now;
    add(o);
}

history::id history::end(std::int32_t producer, std::int64_t transaction, bool commit, std::int64_t now) {
    operation o;
    o.what = operation::kind::end;
    o.process = producer;
    o.transaction = transaction;
    o.committed_only = commit;
    o.began = now;
    return add(o);
}

std::int64_t history::log_start(std::int32_t p) const {
    const auto at = starts_.find(p);
    return at == starts_.end() ? 0 : at->second;
}

namespace {
std::string seconds(std::int64_t ns) {
    auto us = std::to_string(ns / 1000 % 1'000'000);
    return std::to_string(ns / 1'000'000'000) + "." + std::string(6 - us.size(), '0') + us + " s";
}
}  // namespace

std::string history::describe(id at) const {
    static constexpr const char* kinds[] = {"send", "read", "assignment", "revocation", "commit", "begin", "end"};
    static constexpr const char* results[] = {"ok", "failed", "unknown", "never told"};
    const auto& o = operations_[at];
    std::string s = std::string{kinds[static_cast<int>(o.what)]} + " " + std::to_string(at) + " of " + std::to_string(o.process);
    if (o.partition >= 0) s += ", " + name(o.partition);
    if (o.what == operation::kind::send || o.what == operation::kind::read) s += ", value " + std::to_string(o.value);
    if (o.offset >= 0) s += ", offset " + std::to_string(o.offset);
    if (o.epoch) s += ", epoch " + std::to_string(o.epoch);
    if (o.transaction) s += ", transaction " + std::to_string(o.transaction);
    if (o.what == operation::kind::end) s += o.committed_only ? ", commit" : ", abort";
    s += std::string{", "} + results[static_cast<int>(o.result)] + ", " + seconds(o.began);
    if (o.ended != o.began && o.result != outcome::pending) s += " to " + seconds(o.ended);
    return s;
}

std::uint64_t identity(std::span<const std::byte> key, std::span<const std::byte> value) noexcept {
    std::uint64_t h = 0x9e3779b97f4a7c15 ^ key.size();
    const auto fold = [&](std::span<const std::byte> b) {
        for (; b.size() >= 8; b = b.subspan(8)) {
            std::uint64_t word;
            std::memcpy(&word, b.data(), 8);
            h = (h ^ word) * 0x9fb21c651e98df25;
            h ^= h >> 29;
        }
        for (const auto x : b) h = (h ^ std::to_integer<std::uint64_t>(x)) * 0x100000001b3;
        h ^= h >> 32;
    };
    fold(key);
    fold(value);
    return h;
}

}  // namespace kafkawire::testing
