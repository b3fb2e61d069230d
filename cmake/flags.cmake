# Compiler and linker flags, all on the interface target intmill_flags that every target links.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

include(CheckCXXCompilerFlag)

# ccache: paths below the source folder are hashed relative, so checkouts share their objects, and so
# do builds with and without tests, which differ in -Werror only.
find_program(INTMILL_CCACHE ccache)
mark_as_advanced(INTMILL_CCACHE)
if(INTMILL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
               CCACHE_IGNOREOPTIONS=-Werror ${INTMILL_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_library(intmill_flags INTERFACE)
# -ffp-contract=off: a fused multiply-add where one compiler saw a chance and another did not would
# make the same model give different bits. -fno-math-errno keeps every value and lets sqrt inline.
# Warnings are errors for who develops intmill, not for who builds it with another compiler.
# gcc 12 sees uninitialized strings in every std::optional that was tested (-Wmaybe-uninitialized).
target_compile_options(intmill_flags INTERFACE
  -Wall -Wextra -Wshadow $<$<BOOL:${INTMILL_TESTS}>:-Werror>
  -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  -ffp-contract=off -fno-math-errno
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>)
target_compile_definitions(intmill_flags INTERFACE
  $<$<BOOL:${INTMILL_CHECKS}>:INTMILL_CHECKS=1>)

if(INTMILL_SANITIZE)
  target_compile_options(intmill_flags INTERFACE
    -fsanitize=${INTMILL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # A C caller may pass any number as an enum, and must get an error for it; gcc gives such a number
  # no meaning of its own unless -fstrict-enums asks for that.
  if(INTMILL_SANITIZE MATCHES undefined)
    target_compile_options(intmill_flags INTERFACE -fno-sanitize=enum)
  endif()
  target_link_options(intmill_flags INTERFACE -fsanitize=${INTMILL_SANITIZE})
  # A test is a process of its own, and most of it was relocating itself: 25 % less time without.
  if(INTMILL_SANITIZE MATCHES address)
    target_link_options(intmill_flags INTERFACE
      $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
  endif()
else()
  include(CheckPIESupported)  # or CMake leaves linking of programs to the compiler's default
  check_pie_supported()
  check_cxx_compiler_flag(-ftrivial-auto-var-init=zero INTMILL_HAS_VAR_INIT)  # not clang 14
  target_compile_options(intmill_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection
    $<$<BOOL:${INTMILL_HAS_VAR_INIT}>:-ftrivial-auto-var-init=zero>
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>)
  target_compile_definitions(intmill_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_ASSERTIONS>)
  if(NOT INTMILL_COVERAGE)  # needs optimization
    target_compile_options(intmill_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
  target_link_options(intmill_flags INTERFACE
    -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
endif()

if(INTMILL_COVERAGE)
  target_compile_options(intmill_flags INTERFACE --coverage)
  target_link_options(intmill_flags INTERFACE --coverage)
endif()
