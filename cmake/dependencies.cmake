# Finds what the library stands on: oneDNN, OpenMP, and header-only FlatBuffers, protozero, xxhash.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)

set(INTMILL_DNNL_WANTED 3.6)
set(INTMILL_INSTALL_HINT "run tools/install-deps.sh")

# oneDNN's own CMake files are not always usable (some builds ask for OpenCL's headers), hence the
# plain search behind them.
find_package(dnnl ${INTMILL_DNNL_WANTED} CONFIG QUIET)
add_library(intmill_dnnl INTERFACE)
if(TARGET DNNL::dnnl)
  set(INTMILL_DNNL_VERSION ${dnnl_VERSION})
  target_link_libraries(intmill_dnnl INTERFACE DNNL::dnnl)
else()
  find_path(INTMILL_DNNL_INCLUDE oneapi/dnnl/dnnl.hpp)
  find_library(INTMILL_DNNL_LIBRARY dnnl)
  if(NOT INTMILL_DNNL_INCLUDE OR NOT INTMILL_DNNL_LIBRARY)
    message(FATAL_ERROR "oneDNN >= ${INTMILL_DNNL_WANTED} is missing; ${INTMILL_INSTALL_HINT}")
  endif()
  file(STRINGS ${INTMILL_DNNL_INCLUDE}/oneapi/dnnl/dnnl_version.h version_lines
       REGEX "DNNL_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
  string(REGEX REPLACE "[^;]*DNNL_VERSION_[A-Z]+ +([0-9]+)" "\\1" version_parts "${version_lines}")
  list(JOIN version_parts "." INTMILL_DNNL_VERSION)
  target_include_directories(intmill_dnnl SYSTEM INTERFACE ${INTMILL_DNNL_INCLUDE})
  target_link_libraries(intmill_dnnl INTERFACE ${INTMILL_DNNL_LIBRARY})
endif()
if(INTMILL_DNNL_VERSION VERSION_LESS INTMILL_DNNL_WANTED)
  message(FATAL_ERROR "oneDNN ${INTMILL_DNNL_VERSION} found, >= ${INTMILL_DNNL_WANTED} wanted; "
                      "${INTMILL_INSTALL_HINT}")
endif()
message(STATUS "oneDNN ${INTMILL_DNNL_VERSION}")

find_program(INTMILL_FLATC flatc)
find_path(INTMILL_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h)
find_path(INTMILL_PROTOZERO_INCLUDE protozero/pbf_reader.hpp)
find_path(INTMILL_XXHASH_INCLUDE xxhash.h)
foreach(needed FLATC FLATBUFFERS_INCLUDE PROTOZERO_INCLUDE XXHASH_INCLUDE)
  if(NOT INTMILL_${needed})
    message(FATAL_ERROR "INTMILL_${needed} was not found; ${INTMILL_INSTALL_HINT}")
  endif()
  mark_as_advanced(INTMILL_${needed})
endforeach()
