# kafkawire_add_layer(NAME SOURCES... LINK target... PRIVATE_LINK target...): one layer of the library.
# A layer is an object library that sees only what it links; kafkawire::kafkawire is made of the layers.
function(kafkawire_warnings target)
  if(PROJECT_IS_TOP_LEVEL)
    # GCC 12 at -O3 sees overlapping copies in std::string's operator+ where there are none (PR105651).
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      set(_no_restrict -Wno-restrict)
    endif()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow=local -Wnon-virtual-dtor -Woverloaded-virtual ${_no_restrict})
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      target_compile_options(${target} PRIVATE -Wno-shadow)
    endif()
    if(KAFKAWIRE_WERROR)
      target_compile_options(${target} PRIVATE -Werror)
      # GCC's sanitizer builds warn falsely of uninitialised members.
      if(KAFKAWIRE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -Wno-error=maybe-uninitialized -Wno-maybe-uninitialized)
      endif()
    endif()
  endif()
  if(KAFKAWIRE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${KAFKAWIRE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PRIVATE -fsanitize=${KAFKAWIRE_SANITIZE})
  endif()
  if(KAFKAWIRE_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

function(kafkawire_add_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(kafkawire_${name} OBJECT ${ARG_SOURCES})
  target_compile_features(kafkawire_${name} PUBLIC cxx_std_20)
  target_include_directories(kafkawire_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(kafkawire_${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  set_target_properties(kafkawire_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  kafkawire_warnings(kafkawire_${name})
endfunction()
