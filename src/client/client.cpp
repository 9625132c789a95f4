#include <kafkawire/version.hpp>
