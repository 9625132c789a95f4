// Time as the broker knows it, always passed in; the type is public, because watchers see it.
#pragma once
#include <kafkawire/broker/observing.hpp>
