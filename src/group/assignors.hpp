// The strategies that have names here; kafkawire/assignor.hpp says what each does.
#pragma once
#include <kafkawire/assignor.hpp>

namespace kafkawire::group {

[[nodiscard]] std::unique_ptr<assignor> make_range_assignor();
[[nodiscard]] std::unique_ptr<assignor> make_round_robin_assignor();
[[nodiscard]] std::unique_ptr<assignor> make_sticky_assignor();
[[nodiscard]] std::unique_ptr<assignor> make_cooperative_sticky_assignor();

}  // namespace kafkawire::group
