#include "client/throttling.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;

TEST_CASE("an answer asks the client to wait from the version on that came with KIP-219") {
    protocol::messages::metadata_response m;
    m.throttle_time_ms = 250;
    const auto& schema = protocol::schema_of<protocol::messages::metadata_response>();
    CHECK(throttle_of(schema, &m, 5) == 0ms);
    CHECK(throttle_of(schema, &m, 6) == 250ms);
    m.throttle_time_ms = -7;
    CHECK(throttle_of(schema, &m, 13) == 0ms);
    protocol::messages::produce_response p;
    p.throttle_time_ms = 90;
    CHECK(throttle_of(protocol::schema_of<protocol::messages::produce_response>(), &p, 9) == 90ms);
    CHECK_FALSE(client_waits(0, 5));
    CHECK(client_waits(0, 6));
    CHECK(client_waits(68, 0));
    CHECK_FALSE(client_waits(4, 7));
    CHECK_FALSE(client_waits(-1, 0));
}
