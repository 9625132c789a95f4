// Rules of the broker that are broken on purpose, one at a time: the tests of the checkers (tests/sim) plant them and expect to be told.
// Nothing else may set these; they are each thread's own, because simulated worlds run in several.
#pragma once
#include <kafkawire/version.hpp>

namespace kafkawire::broker {

struct broken_rules {
    bool forget_acknowledged = false;  // every 50th append is acknowledged and not kept
    unsigned appends = 0;
    bool keep_duplicates = false;  // sequence numbers are not looked at
    bool show_aborted = false;     // read-committed consumers are not told what was aborted
};
inline thread_local broken_rules broken;

}  // namespace kafkawire::broker
