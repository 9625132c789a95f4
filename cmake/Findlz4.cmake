# For where lz4 comes without a CMake config of its own (Debian's liblz4-dev has only a .pc file): makes the target LZ4::lz4.
include(${CMAKE_CURRENT_LIST_DIR}/kafkawire_find_library.cmake)
kafkawire_find_library(PACKAGE lz4 TARGET LZ4::lz4 HEADER lz4.h LIBRARY lz4 PC liblz4)
