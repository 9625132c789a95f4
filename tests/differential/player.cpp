#include "player.hpp"

#include <kafkawire/json.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "bodies.hpp"

namespace differential {

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 15s;  // for an answer
constexpr auto until_patience = 15s;

const directive* find(const entry& e, std::string_view name, std::string_view path) {
    for (const auto& d : e.directives)
        if (d.name == name && d.path == path) return &d;
    return nullptr;
}

void put_int(bytes& to, std::size_t at, std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) to.at(at + static_cast<std::size_t>(i)) = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
}

bytes hex(const std::string& text) {
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != ' '; });
    auto out = kafkawire::json::from_hex(digits);
    if (!out) throw script_error("\"" + text + "\" is no hex");
    return std::move(*out);
}

// `with`: what makes a good frame a bad one, in the order of the script.
void spoil(bytes& frame, std::size_t body_at, const entry& e) {
    for (const auto& d : e.directives) {
        if (d.name != "with") continue;
        if (d.path == "key") put_int(frame, 4, static_cast<std::uint32_t>(std::stol(d.value)), 2);
        if (d.path == "version") put_int(frame, 6, static_cast<std::uint32_t>(std::stol(d.value)), 2);
        if (d.path == "cut") frame.resize(frame.size() - std::stoul(d.value));
        if (d.path == "body") {  // `with body OFFSET HEX`: overwritten there
            const auto space = d.value.find(' ');
            const auto put = hex(d.value.substr(space));
            const auto at = body_at + std::stoul(d.value.substr(0, space));
            if (at + put.size() > frame.size()) throw script_error("the change lies behind the end of the body");
            std::copy(put.begin(), put.end(), frame.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (d.path == "more") {
            const auto more = hex(d.value);
            frame.insert(frame.end(), more.begin(), more.end());
        }
        put_int(frame, 0, static_cast<std::uint32_t>(frame.size() - 4), 4);
    }
    if (const auto* size = find(e, "with", "size")) put_int(frame, 0, static_cast<std::uint32_t>(std::stol(size->value)), 4);
}

// `keep PATH PREFIX`: of a list, only what is this script's own; the broker has seen other scripts.
void keep(document& answer, const directive& d) {
    const auto begins = [&](const document& v) { return v.is_string() && v.get_ref<const std::string&>().starts_with(d.value); };
    const auto list = answer.find(d.path);
    if (list == answer.end() || !list->is_array()) return;
    auto kept = document::array();
    for (const auto& each : *list)
        if (begins(each) || (each.is_object() && std::any_of(each.begin(), each.end(), begins))) kept.push_back(each);
    *list = std::move(kept);
}

}  // namespace

player::player(std::string bootstrap, const allowances& allowed)
    : bootstrap_{std::move(bootstrap)},
      allowed_{allowed},
      // A minute ago: what the broker stamps itself can be told from what the script says.
      names_{std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch() - 60s).count()} {}

std::vector<answer> player::play(const script& s) {
    std::vector<answer> out;
    for (const auto& e : s.entries) {
        try {
            run(e, out);
        } catch (const std::exception& x) {
            throw script_error(s.file.filename().string() + ":" + std::to_string(e.line) + ": " + x.what());
        }
    }
    return out;
}

void player::run(const entry& e, std::vector<answer>& out) {
    switch (e.does) {
        case verb::request:
            for (const auto v : e.versions) request(e, v, out);
            return;
        case verb::send:
            for (const auto v : e.versions) {
                outcome wrong;
                (void)post(e, v, wrong);  // `receive` says that nothing was sent
            }
            return;
        case verb::receive: {
            auto& on = line_of(e.connection);
            if (on.waiting.empty()) return out.push_back({&e, {{"skipped", "nothing was sent"}}});
            const auto of = on.waiting.front();
            return note(e, of, await(on), out);
        }
        case verb::raw: return raw(e, out);
        case verb::silent: {
            auto& on = line_of(e.connection);
            bytes ignored;
            const auto why = on.socket->receive(ignored, std::chrono::milliseconds{e.number});
            out.push_back({&e, {{"silent", why == no_frame::silent}}});
            if (why != no_frame::silent) lines_.erase(e.connection);
            return;
        }
        case verb::close: lines_.erase(e.connection); return;
        case verb::sleep: std::this_thread::sleep_for(std::chrono::milliseconds{e.number}); return;
        case verb::settle:
        case verb::gone: return settle(e);
    }
}

void player::request(const entry& e, std::int16_t version, std::vector<answer>& out) {
    const directive* until = nullptr;
    for (const auto& d : e.directives)
        if (d.name == "until") until = &d;
    const auto give_up = std::chrono::steady_clock::now() + until_patience;
    for (;;) {
        outcome got;
        const auto* api = kafkawire::protocol::find_api(e.api);
        awaited of{&e, api, version, 0};
        if (post(e, version, got)) {
            auto& on = line_of(e.connection);
            of = on.waiting.front();
            got = await(on);
        }
        const bool there =
            !until || (!got.message.is_null() && at_path(got.message, until->path).value_or(nullptr) == relaxed_json(until->value));
        if (there || got.message.is_null() || std::chrono::steady_clock::now() > give_up) {
            ++requests_;
            return note(e, of, std::move(got), out);
        }
        std::this_thread::sleep_for(50ms);
    }
}

void player::raw(const entry& e, std::vector<answer>& out) {
    auto& on = line_of(e.connection);
    ++requests_;
    bytes got;
    const bool sent = on.socket->send(hex(e.text));
    const auto why = sent ? on.socket->receive(got, patience) : no_frame::closed;
    outcome o;
    if (why != no_frame::none) o.instead = {{why == no_frame::closed ? "closed" : "silent", true}};
    if (const auto* as = find(e, "with", "api")) {
        const auto space = as->value.find(' ');
        const awaited of{&e, kafkawire::protocol::find_api(as->value.substr(0, space)),
                         static_cast<std::int16_t>(std::stol(as->value.substr(space))), 7};
        if (why == no_frame::none) o.message = decoded(of, got, o.instead);
        note(e, of, std::move(o), out);
    } else {
        out.push_back({&e, why == no_frame::none ? document{{"raw", kafkawire::json::to_hex(got)}} : o.instead});
    }
    if (why != no_frame::none) lines_.erase(e.connection);
}

void player::note(const entry& given_by, const awaited& of, outcome o, std::vector<answer>& out) {
    document line{{"api", of.api->name}, {"version", of.version}};
    for (const auto& d : given_by.directives)
        if (d.name == "free") return out.push_back({&given_by, {{"api", of.api->name}, {"version", of.version}, {"answer", "*"}}});
    if (o.message.is_null()) {
        line.update(o.instead);
        return out.push_back({&given_by, std::move(line)});
    }
    std::set<std::string> ignored;
    for (const auto& d : given_by.directives) {
        if (d.name == "keep") keep(o.message, d);
        if (d.name == "ignore") ignored.insert(d.path);
        if (d.name != "let") continue;
        if (const auto value = at_path(o.message, d.value))
            names_.give(d.path, *value, std::string_view{d.value}.substr(d.value.rfind('.') + 1));
    }
    names_.note_topic_ids(o.message);
    open_records(o.message);
    line["answer"] = names_.normal(o.message, std::string{of.api->name}, allowed_, ignored);
    out.push_back({&given_by, std::move(line)});
}

player::line& player::line_of(const std::string& name) {
    auto& l = lines_[name];
    if (!l.socket) l.socket = std::make_unique<connection>(bootstrap_);
    return l;
}

// The request's bytes; nothing, and the reason in `missing`, if a name in it was never given.
std::optional<bytes> player::frame(const entry& e, std::int16_t version, std::int32_t correlation, std::string& missing) {
    const auto& schema = *kafkawire::protocol::find_api(e.api)->request;
    auto body = filled(e.body, names_, missing);
    if (!missing.empty()) return {};
    cut_to_version(body, *schema.body, version);
    any_message message{schema};
    kafkawire::json::byte_store store;
    if (const auto wrong = kafkawire::json::read_json(schema, message.get(), version, nlohmann::json::parse(body.dump()), store))
        throw script_error(wrong.message());
    scatter parts;
    if (const auto wrong = encode_request(schema, message.get(), version, correlation, "differential", parts))
        throw script_error(wrong.message());
    bytes out;
    for (const auto part : parts.parts()) out.insert(out.end(), part.begin(), part.end());
    std::size_t body_size = 0;
    if (const auto wrong = measure(schema, message.get(), version, body_size)) throw script_error(wrong.message());
    const auto body_at = out.size() - body_size;
    spoil(out, body_at, e);
    return out;
}

bool player::post(const entry& e, std::int16_t version, outcome& wrong) {
    const auto correlation = correlation_++;
    std::string missing;
    const auto data = frame(e, version, correlation, missing);
    if (!data) {
        wrong.instead = {{"skipped", "nobody has given " + missing}};
        return false;
    }
    auto& on = line_of(e.connection);
    if (e.does == verb::send) ++requests_;
    if (!on.socket->send(*data)) {
        wrong.instead = {{"closed", true}};
        lines_.erase(e.connection);
        return false;
    }
    auto answered_in = version;
    if (const auto* as = find(e, "with", "answer")) answered_in = static_cast<std::int16_t>(std::stol(as->value));
    const bool answers = !(e.api == "Produce" && e.body.value("acks", 0) == 0);
    if (answers || e.does == verb::request) on.waiting.push_back({&e, kafkawire::protocol::find_api(e.api), answered_in, correlation});
    return true;
}

player::outcome player::await(line& on) {
    const auto of = on.waiting.front();
    on.waiting.pop_front();
    bytes got;
    const auto why = on.socket->receive(got, find(*of.of, "with", "silence") ? 500ms : std::chrono::milliseconds{patience});
    outcome o;
    if (why != no_frame::none) {
        o.instead = {{why == no_frame::closed ? "closed" : "silent", true}};
        if (&on == &lines_[of.of->connection]) lines_.erase(of.of->connection);
        return o;
    }
    o.message = decoded(of, got, o.instead);
    return o;
}

document player::decoded(const awaited& of, bytes_view frame, document& instead) {
    messages::response_header header;
    std::size_t body_at = 0;
    const auto& schema = *of.api->response;
    any_message message{schema};
    auto wrong = decode_response_header(header, frame, of.api->key, of.version, body_at);
    if (!wrong) wrong = decode(schema, message.get(), frame.subspan(body_at), of.version);
    std::string text;
    if (!wrong) wrong = write_json(schema, message.get(), of.version, text);
    if (wrong) {
        instead = {{"undecodable", wrong.message()}, {"hex", kafkawire::json::to_hex(frame)}};
        return nullptr;
    }
    if (header.correlation_id != of.correlation) {
        instead = {{"correlation", header.correlation_id - of.correlation}};
        return nullptr;
    }
    return document::parse(text);
}

// Asks without noting the answer.
document player::ask(const std::string& api, std::int16_t version, const document& body) {
    entry e;
    e.connection = "settle";
    e.api = api;
    e.body = body;
    outcome o;
    if (post(e, version, o)) o = await(line_of("settle"));
    return o.message;
}

// A topic is there when its leader says where its partitions end; what a controller has decided reaches a broker's parts one by one.
void player::settle(const entry& e) {
    const auto give_up = std::chrono::steady_clock::now() + until_patience;
    for (; std::chrono::steady_clock::now() < give_up; std::this_thread::sleep_for(20ms)) {
        const auto metadata = ask("Metadata", 8, {{"topics", document::array({{{"name", e.text}}})}, {"allowAutoTopicCreation", false}});
        const auto error = at_path(metadata, "topics[0].errorCode");
        if (!error) return;
        if (e.does == verb::gone) {
            if (*error == 3) return;
            continue;
        }
        if (*error != 0 || metadata["topics"][0]["partitions"].size() < static_cast<std::size_t>(e.number)) continue;
        auto partitions = document::array();
        for (const auto& p : metadata["topics"][0]["partitions"])
            partitions.push_back({{"partitionIndex", p["partitionIndex"]}, {"timestamp", -1}});
        const auto ends =
            ask("ListOffsets", 2, {{"replicaId", -1}, {"topics", document::array({{{"name", e.text}, {"partitions", partitions}}})}});
        const auto list = at_path(ends, "topics[0].partitions");
        if (!list) return;
        if (std::all_of(list->begin(), list->end(), [](const auto& p) { return p["errorCode"] == 0; })) return;
    }
}

}  // namespace differential
