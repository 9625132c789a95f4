# For where zstd comes without a CMake config of its own: makes the target zstd::libzstd.
include(${CMAKE_CURRENT_LIST_DIR}/kafkawire_find_library.cmake)
kafkawire_find_library(PACKAGE zstd TARGET zstd::libzstd HEADER zstd.h LIBRARY zstd PC libzstd)
