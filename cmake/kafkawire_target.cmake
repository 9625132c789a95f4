# How our targets are made: layers, warnings, sanitizers. Nothing here touches a global flag.

# Warnings and sanitizers, for every target of ours. Embedded in another project we compile under that project's flags alone.
function(kafkawire_warnings target)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Woverloaded-virtual)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wshadow=local)
      # GCC 12 at -O3 sees overlapping copies and copies out of bounds in inlined std::string and std::vector where there are none
      # (PR105651, PR105329, PR107852). The sanitizer builds watch for the real ones.
      if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        target_compile_options(${target} PRIVATE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
      endif()
    endif()
    if(KAFKAWIRE_WERROR)
      target_compile_options(${target} PRIVATE -Werror)
      # GCC's sanitizer builds warn falsely of uninitialised members, and of the frames of coroutines as freed the wrong way.
      if(KAFKAWIRE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
      endif()
      # The thread sanitizer does not see fences, such as Asio's around each handler, which are nobody's only order there.
      if(KAFKAWIRE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -Wno-tsan)
      endif()
    endif()
  endif()
  if(KAFKAWIRE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${KAFKAWIRE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PRIVATE -fsanitize=${KAFKAWIRE_SANITIZE})
    if(KAFKAWIRE_SANITIZE_NOT)
      target_compile_options(${target} PRIVATE -fno-sanitize=${KAFKAWIRE_SANITIZE_NOT})
    endif()
  endif()
  if(KAFKAWIRE_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# For a folder of tools or tests: under the address sanitizer its code is not optimised, and goes without the checks of each access that multiply
# the code, which would be most of that build's time. The library has all of them.
macro(kafkawire_lightly_sanitized)
  if(KAFKAWIRE_SANITIZE MATCHES "address" AND NOT KAFKAWIRE_FUZZ)
    string(APPEND CMAKE_CXX_FLAGS_RELWITHDEBINFO " -O0")
    set(KAFKAWIRE_SANITIZE_NOT null,alignment,vptr)
  endif()
endmacro()

# Sources compiled so many at a time: most of what compiling one costs is in the headers that all of them include. What a group shares it shares
# by accident: each source still includes what it uses, and its unnamed namespace has names of its own (-DKAFKAWIRE_UNITY=OFF, and the preset
# dev, compile one by one). A layer that is not grouped stays so where a parent project groups its sources.
function(kafkawire_unity target at_a_time)
  if(KAFKAWIRE_UNITY AND at_a_time GREATER 1)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${at_a_time})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # GCC takes a source that is included for a header, whose types with a member of an unnamed namespace would differ by who includes it.
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    endif()
  else()
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  endif()
endfunction()

# kafkawire_add_layer(NAME [IN_LIBRARY] [AT_A_TIME n] SOURCES... LINK target... PRIVATE_LINK target...): one layer, an object library that sees
# only what it links. The layers that say IN_LIBRARY become libkafkawire; the others are for tools and tests.
function(kafkawire_add_layer name)
  cmake_parse_arguments(ARG "IN_LIBRARY" "AT_A_TIME" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(kafkawire_${name} OBJECT ${ARG_SOURCES})
  target_compile_features(kafkawire_${name} PUBLIC cxx_std_20)
  target_include_directories(kafkawire_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(kafkawire_${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  set_target_properties(kafkawire_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  kafkawire_warnings(kafkawire_${name})
  kafkawire_unity(kafkawire_${name} "${ARG_AT_A_TIME}")
  if(ARG_IN_LIBRARY)
    set_property(GLOBAL APPEND PROPERTY KAFKAWIRE_LAYERS $<TARGET_OBJECTS:kafkawire_${name}>)
    set_property(GLOBAL APPEND PROPERTY KAFKAWIRE_LAYER_LINKS ${ARG_PRIVATE_LINK})
  endif()
endfunction()

# kafkawire_make_library(TARGET TYPE): the layers as one library file. TYPE empty: BUILD_SHARED_LIBS decides.
function(kafkawire_make_library target)
  get_property(objects GLOBAL PROPERTY KAFKAWIRE_LAYERS)
  get_property(links GLOBAL PROPERTY KAFKAWIRE_LAYER_LINKS)
  list(REMOVE_DUPLICATES links)
  add_library(${target} ${ARGN} ${objects})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE ${links})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
    # Within 0.x every minor version may break the ABI; the inline namespace v0_1 says the same to the linker.
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(KAFKAWIRE_SANITIZE)
    target_link_options(${target} PRIVATE -fsanitize=${KAFKAWIRE_SANITIZE})
  else()
    # A symbol that no layer defines is found here, not at the user's first start.
    target_link_options(${target} PRIVATE $<$<PLATFORM_ID:Linux>:-Wl,--no-undefined>)
    # The messages' tables are full of addresses to be relocated, each of 24 bytes: packed they take next to nothing.
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "SHARED_LIBRARY" AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
      include(CheckLinkerFlag)
      check_linker_flag(CXX "-Wl,-z,pack-relative-relocs" KAFKAWIRE_LINKER_PACKS_RELOCATIONS)
      if(KAFKAWIRE_LINKER_PACKS_RELOCATIONS)
        target_link_options(${target} PRIVATE -Wl,-z,pack-relative-relocs)
      endif()
      # Inline functions and templates that nobody calls have sections of their own, and go.
      check_linker_flag(CXX "-Wl,--gc-sections" KAFKAWIRE_LINKER_COLLECTS_SECTIONS)
      if(KAFKAWIRE_LINKER_COLLECTS_SECTIONS)
        target_link_options(${target} PRIVATE -Wl,--gc-sections)
      endif()
      # Its own functions are called directly, not through a table in which somebody could replace them.
      check_linker_flag(CXX "-Wl,-Bsymbolic-functions" KAFKAWIRE_LINKER_BINDS_FUNCTIONS)
      if(KAFKAWIRE_LINKER_BINDS_FUNCTIONS)
        target_link_options(${target} PRIVATE -Wl,-Bsymbolic-functions)
      endif()
    endif()
  endif()
endfunction()

# kafkawire_component(NAME LAYERS name... LINK target... PRIVATE_LINK target...): a library of its own on top of libkafkawire, made of the
# named layers' objects: target kafkawire_NAME_library, kafkawire::NAME, libkafkawire-NAME.
function(kafkawire_component name)
  cmake_parse_arguments(ARG "" "" "LAYERS;LINK;PRIVATE_LINK" ${ARGN})
  set(objects)
  foreach(layer IN LISTS ARG_LAYERS)
    list(APPEND objects $<TARGET_OBJECTS:kafkawire_${layer}>)
  endforeach()
  add_library(kafkawire_${name}_library ${objects})
  target_link_libraries(kafkawire_${name}_library PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE_LINK})
  set_target_properties(kafkawire_${name}_library PROPERTIES OUTPUT_NAME kafkawire-${name} EXPORT_NAME ${name} LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(KAFKAWIRE_SANITIZE)
    target_link_options(kafkawire_${name}_library PRIVATE -fsanitize=${KAFKAWIRE_SANITIZE})
  endif()
  add_library(kafkawire::${name} ALIAS kafkawire_${name}_library)
endfunction()
