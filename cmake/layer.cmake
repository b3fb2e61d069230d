# One OBJECT library a folder of src/, each with an explicit list of files.

# Adds a folder that has a CMakeLists.txt, and notices when it gets one.
macro(intmill_add_folder folder)
  file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
  if(found)
    add_subdirectory(${folder})
  endif()
endmacro()

macro(intmill_add_layer_folder layer)
  intmill_add_folder(src/${layer})
endmacro()

# For what runs once a model and not once an inference, and has no loops over data: a third smaller.
function(intmill_small_code)
  if(NOT INTMILL_SANITIZE AND NOT INTMILL_COVERAGE)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS $<$<NOT:$<CONFIG:Debug>>:-Os>)
  endif()
endfunction()

# intmill_layer(<name> file.cpp ...): the object library intmill_<name>, part of libintmill.
# The third-party headers a layer may see follow the table in ARCHITECTURE.md.
function(intmill_layer name)
  set(target intmill_${name})
  add_library(${target} OBJECT ${ARGN})
  if(name MATCHES "^(ops|passes|export|ir|capi)$")
    intmill_small_code(${ARGN})
  endif()
  target_include_directories(${target} PRIVATE
    ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(${target} PRIVATE intmill_flags)
  if(name STREQUAL base OR name STREQUAL kernels)
    target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
  endif()
  if(name STREQUAL base)
    target_include_directories(${target} SYSTEM PRIVATE ${INTMILL_XXHASH_INCLUDE})
  endif()
  if(name STREQUAL kernels)
    target_link_libraries(${target} PRIVATE intmill_dnnl)
  endif()
  if(name STREQUAL format)
    target_include_directories(${target} SYSTEM PRIVATE ${INTMILL_FLATBUFFERS_INCLUDE})
  endif()
  if(name STREQUAL export)
    target_include_directories(${target} SYSTEM PRIVATE ${INTMILL_PROTOZERO_INCLUDE})
  endif()
  if(name STREQUAL import)
    target_include_directories(${target} SYSTEM PRIVATE
      ${INTMILL_PROTOZERO_INCLUDE} ${INTMILL_FLATBUFFERS_INCLUDE})
  endif()
  set_property(GLOBAL APPEND PROPERTY INTMILL_OBJECT_TARGETS ${target})
endfunction()
