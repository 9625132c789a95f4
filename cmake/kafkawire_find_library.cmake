# kafkawire_find_library(PACKAGE name TARGET t HEADER h LIBRARY l PC module): a header and a library, looked for where pkg-config points and
# then in the usual places, as the imported target t and name_FOUND. For Find modules.
include(FindPackageHandleStandardArgs)

macro(kafkawire_find_library)
  cmake_parse_arguments(_kw "" "PACKAGE;TARGET;HEADER;LIBRARY;PC" "" ${ARGN})
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(PC_${_kw_PACKAGE} QUIET ${_kw_PC})
  endif()
  find_path(${_kw_PACKAGE}_INCLUDE_DIR ${_kw_HEADER} HINTS ${PC_${_kw_PACKAGE}_INCLUDE_DIRS})
  find_library(${_kw_PACKAGE}_LIBRARY NAMES ${_kw_LIBRARY} HINTS ${PC_${_kw_PACKAGE}_LIBRARY_DIRS})
  mark_as_advanced(${_kw_PACKAGE}_INCLUDE_DIR ${_kw_PACKAGE}_LIBRARY)
  find_package_handle_standard_args(${_kw_PACKAGE} REQUIRED_VARS ${_kw_PACKAGE}_LIBRARY ${_kw_PACKAGE}_INCLUDE_DIR)
  if(${_kw_PACKAGE}_FOUND AND NOT TARGET ${_kw_TARGET})
    add_library(${_kw_TARGET} UNKNOWN IMPORTED)
    set_target_properties(${_kw_TARGET} PROPERTIES
      IMPORTED_LOCATION "${${_kw_PACKAGE}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${_kw_PACKAGE}_INCLUDE_DIR}")
  endif()
endmacro()
