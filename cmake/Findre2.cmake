# re2::re2, where the package has no CMake config of its own (Debian 12).
include(${CMAKE_CURRENT_LIST_DIR}/kafkawire_find_library.cmake)
kafkawire_find_library(PACKAGE re2 TARGET re2::re2 HEADER re2/re2.h LIBRARY re2 PC re2)
