// A program that is configured by a TOML text, and tells what is wrong with another.
#include <cstdio>

#include <kafkawire/config.hpp>

int main() {
    namespace config = kafkawire::config;
    const auto s = config::read_toml("[kafka]\nbrokers = ['a:9092']\n[kafka.producers.p1]\ntopic = 'orders'\n", "orders.toml");
    const auto wrong = config::read_properties("linger.mss=5\n", "client.properties");
    std::printf("%s\n%s\n", s.producers.at("p1").client.bootstrap.c_str(), wrong.error().text.c_str());
    return s.ok() && !wrong.ok() ? 0 : 1;
}
