// What each parameter of kafka-go's writer and reader does.
#include <kafkawire/app/reader_writer.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

namespace app = kw::app;
using messages::fetch_request;

std::vector<kw::record> messages_of(const std::vector<std::string>& keys, const std::vector<std::string>& values, const char* topic = "") {
    std::vector<kw::record> all;
    for (std::size_t i = 0; i < values.size(); ++i) all.push_back({.topic = topic, .key = keys[i % keys.size()], .value = values[i]});
    return all;
}
const std::vector<std::string> one_key{"Key-A"}, five{"a", "b", "c", "d", "e"}, six{"a", "b", "c", "d", "e", "f"};

app::writer_options writing(const street& s) { return {.brokers = s.address(), .topic = "orders", .batch_timeout = 1ms}; }
app::reader_options reading(const street& s) { return {.brokers = s.address(), .topic = "orders", .min_bytes = 1, .max_wait = 100ms}; }

std::string writer_brokers() {
    street s;
    auto o = writing(s);
    o.brokers = "127.0.0.1:1," + s.address();
    app::writer w{o};
    CHECK(w.write_messages(messages_of(one_key, {"v"})).acknowledged == 1);
    return "the second of two is asked when nobody listens at the first";
}

std::string writer_topic() {
    street s{{.topics = {{.name = "orders"}, {.name = "accounts"}}}};
    auto o = writing(s);
    o.topic = "accounts";
    app::writer w{o};
    w.write_messages(messages_of(one_key, {"v"}));
    CHECK(s.asked<messages::produce_request>().size() == 1);
    CHECK(s.logged("accounts") == 1);
    CHECK(s.logged("orders") == 0);
    return "messages without a topic go to accounts";
}

std::set<std::int32_t> partitions_with(const char* balancer, bool one_after_the_other) {
    street s;
    auto o = writing(s);
    o.balancer = balancer;
    app::writer w{o};
    if (!one_after_the_other) w.write_messages(messages_of(one_key, six));
    for (const auto& v : six)
        if (one_after_the_other) w.write_messages(messages_of(one_key, {v}));
    std::set<std::int32_t> all;
    for (const auto& b : s.batches()) all.insert(b.partition);
    return all;
}

std::string writer_balancer() {
    CHECK(partitions_with("hash", false).size() == 1);
    CHECK(partitions_with("round_robin", false).size() == 3);
    CHECK(partitions_with("least_bytes", false).size() == 3);
    return "six messages of one key: hash keeps them in one partition, least_bytes and round_robin spread them over three";
}

std::string writer_batch_size() {
    const auto waited = [](std::uint32_t size) {
        street s;
        auto o = writing(s);
        o.balancer = "hash";
        o.batch_size = size;
        o.batch_timeout = 60s;
        app::writer w{o};
        w.write_messages(messages_of(one_key, five));  // does not wait for a minute
        std::vector<std::int32_t> records;
        for (const auto& b : s.batches()) records.push_back(b.records);
        return records;
    };
    CHECK(waited(5) == std::vector<std::int32_t>{5});
    CHECK(waited(2) == std::vector<std::int32_t>{2, 2, 1});
    return "five messages go in batches of 2, 2 and 1 with 2, in one with 5";
}

std::string writer_batch_timeout() {
    // The first is on its way and not answered; the next one waits for company.
    const auto batches = [](std::chrono::milliseconds timeout) {
        street s;
        auto o = writing(s);
        o.balancer = "hash";
        o.batch_timeout = timeout;
        o.async = true;
        app::writer w{o};
        w.write_messages(messages_of(one_key, {"0"}));
        while (s.batches().empty()) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(20ms);
        s.on_cluster([](kw::broker::control& c) { return c.add({.api = 0, .count = 1, .reply_delay = 400ms}); });
        w.write_messages(messages_of(one_key, {"1"}));
        while (s.batches().size() < 2) std::this_thread::sleep_for(1ms);
        w.write_messages(messages_of(one_key, {"2"}));
        std::this_thread::sleep_for(100ms);
        w.write_messages(messages_of(one_key, {"3"}));
        w.close();
        return s.batches().size();
    };
    CHECK(batches(1ms) == 4);
    CHECK(batches(10s) == 3);
    return "two messages a tenth of a second apart, behind one that is on its way: two batches with 1 ms, one with 10 s";
}

std::string writer_compression() {
    street s;
    auto o = writing(s);
    o.compression = kw::protocol::compression::gzip;
    app::writer w{o};
    w.write_messages(messages_of(one_key, {"v"}));
    CHECK(s.batches().at(0).codec == kw::protocol::compression::gzip);
    return "the batch says gzip";
}

std::string reader_brokers() {
    street s;
    s.fill("orders", 1);
    auto o = reading(s);
    o.brokers = "127.0.0.1:1," + s.address();
    app::reader r{o};
    CHECK(r.read_message(20s).value == "0");
    return "the second of two is asked when nobody listens at the first";
}

std::string reader_topic() {
    street s{{.topics = {{.name = "orders"}, {.name = "accounts"}}}};
    s.fill("orders", 1);
    s.fill("accounts", 1);
    auto o = reading(s);
    o.topic = "accounts";
    app::reader r{o};
    CHECK(r.read_message(20s).topic == "accounts");
    return "accounts is read";
}

std::string reader_partition() {
    street s;
    s.fill("orders", 1, 0);
    s.fill("orders", 1, 2);
    auto o = reading(s);
    o.partition = 2;
    app::reader r{o};
    CHECK(r.read_message(20s).partition == 2);
    CHECK_THROWS_AS(r.read_message(300ms), kw::system_error);
    for (const auto& f : s.asked<fetch_request>())
        for (const auto& t : f.what.topics)
            for (const auto& p : t.partitions) CHECK(p.partition == 2);
    o.group_id = "g";
    CHECK_THROWS_AS(app::reader{o}, kw::system_error);
    return "Fetch asks for partition 2 alone; with GroupID it is refused at the start";
}

std::string reader_group() {
    street s;
    s.fill("orders", 2);
    auto o = reading(s);
    o.group_id = "example-group";
    {
        app::reader r{o};
        CHECK(r.read_message(20s).offset == 0);
        r.close();
    }
    app::reader r{o};
    CHECK(r.read_message(20s).offset == 1);
    CHECK(s.asked<messages::join_group_request>().at(0).what.group_id == "example-group");
    return "it joins example-group, which remembers what was read: the next reader goes on behind it";
}

std::string reader_min_bytes() {
    const auto asked = [](std::uint32_t bytes) {
        street s;
        s.fill("orders", 1);
        auto o = reading(s);
        o.min_bytes = bytes;
        app::reader r{o};
        (void)r.read_message(20s);
        return s.asked<fetch_request>().at(0).what.min_bytes;
    };
    CHECK(asked(10'000) == 10'000);
    CHECK(asked(1) == 1);
    return "Fetch says minBytes 10000, or 1";
}

std::string reader_max_bytes() {
    street s;
    s.fill("orders", 1);
    auto o = reading(s);
    o.max_bytes = 5'000;
    app::reader r{o};
    (void)r.read_message(20s);
    CHECK(s.asked<fetch_request>().at(0).what.max_bytes == 5'000);
    return "Fetch says maxBytes 5000";
}

std::string dialer() {
    kw::broker::options o;
    o.topics = {{.name = "orders"}};
    o.security.protocol = kw::security_protocol::sasl_plaintext;
    o.security.mechanisms = {kw::sasl_mechanism::plain};
    o.security.users = {{"my-username", kw::secret{"my-password"}}};
    street s{o};
    const auto with = [](const char* password) {
        kw::client_options d;
        d.request_timeout = 5s;
        d.security_protocol = kw::security_protocol::sasl_plaintext;
        d.sasl_mechanism = kw::sasl_mechanism::plain;
        d.sasl_username = "my-username";
        d.sasl_password = kw::secret{password};
        return d;
    };
    auto w = writing(s);
    w.dialer = with("my-password");
    app::writer{w}.write_messages(messages_of(one_key, {"v"}));
    auto r = reading(s);
    r.dialer = with("my-password");
    CHECK(app::reader{r}.read_message(20s).value == "v");
    w.dialer = with("another");
    w.max_attempts = 1;
    w.write_timeout = 2s;
    CHECK_THROWS_AS(app::writer{w}.write_messages(messages_of(one_key, {"v"})), kw::system_error);
    r.dialer = with("another");
    CHECK_THROWS_AS(app::reader{r}.read_message(2s), kw::system_error);
    CHECK(s.logged("orders") == 1);
    return "a listener with SASL PLAIN lets writer and reader in whose dialer has the password, and none with another one";
}

TEST_CASE("what the parameters of kafka-go's writer and reader do", "[parameters]") {
    look_at_all("kafka-go", {
                                {"Writer.Brokers", writer_brokers},
                                {"Writer.Topic", writer_topic},
                                {"Writer.Balancer", writer_balancer},
                                {"Writer.BatchSize", writer_batch_size},
                                {"Writer.BatchTimeout", writer_batch_timeout},
                                {"Writer.Compression", writer_compression},
                                {"Reader.Brokers", reader_brokers},
                                {"Reader.Topic", reader_topic},
                                {"Reader.Partition", reader_partition},
                                {"Reader.GroupID", reader_group},
                                {"Reader.MinBytes", reader_min_bytes},
                                {"Reader.MaxBytes", reader_max_bytes},
                                {"Dialer", dialer},
                            });
}

}  // namespace
}  // namespace parameters
