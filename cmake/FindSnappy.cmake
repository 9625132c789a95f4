# For where Snappy comes without a CMake config of its own: makes the target Snappy::snappy.
include(${CMAKE_CURRENT_LIST_DIR}/kafkawire_find_library.cmake)
kafkawire_find_library(PACKAGE Snappy TARGET Snappy::snappy HEADER snappy.h LIBRARY snappy PC snappy)
