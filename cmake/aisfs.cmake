# How targets of this project are declared. The DEPS lines are the architecture:
# tests/arch/layers.txt says which of them are allowed.

set(AISFS_SANITIZE "" CACHE STRING "comma list for -fsanitize=")
option(AISFS_FUZZ "build the libFuzzer targets of tests/fuzz" OFF)

find_program(AISFS_CCACHE ccache)
if(AISFS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${AISFS_CCACHE})
endif()

add_library(aisfs_flags INTERFACE)
target_compile_options(aisfs_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror
  -Wno-missing-field-initializers -fstack-protector-strong -fPIE -fno-plt)
target_compile_definitions(aisfs_flags INTERFACE SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(aisfs_flags INTERFACE -Wthread-safety -Xclang -fno-pch-timestamp)
else()
  # gcc 12 reports false positives in coroutine frames and in its own library.
  target_compile_options(aisfs_flags INTERFACE -fcoroutines -Wno-maybe-uninitialized
    -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-dangling-pointer -Wno-mismatched-new-delete)
endif()
if(AISFS_SANITIZE)
  target_compile_options(aisfs_flags INTERFACE -fsanitize=${AISFS_SANITIZE} -fno-omit-frame-pointer -O1)
  target_link_options(aisfs_flags INTERFACE -fsanitize=${AISFS_SANITIZE})
  if(AISFS_FUZZ)
    # The libraries under test tell the fuzzer what it has reached.
    target_compile_options(aisfs_flags INTERFACE -fsanitize=fuzzer-no-link)
  endif()
else()
  target_compile_definitions(aisfs_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()
find_program(AISFS_MOLD mold)
if(AISFS_MOLD)
  target_link_options(aisfs_flags INTERFACE -fuse-ld=mold)
endif()
target_link_options(aisfs_flags INTERFACE -pie -Wl,-z,relro,-z,now)

# Asio's and Beast's own sources, once, and what their coroutines' frames lie in. The precompiled
# header refers to them, so all link them.
add_library(aisfs_asio STATIC ${PROJECT_SOURCE_DIR}/cmake/asio_impl.cc
  ${PROJECT_SOURCE_DIR}/common/async/frame_memory.cc)
target_include_directories(aisfs_asio PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(aisfs_asio PUBLIC Boost::system OpenSSL::SSL Threads::Threads)
target_compile_options(aisfs_asio PRIVATE -fPIE)
target_compile_definitions(aisfs_asio PRIVATE BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
if(AISFS_SANITIZE)
  target_compile_options(aisfs_asio PRIVATE -fsanitize=${AISFS_SANITIZE} -fno-omit-frame-pointer -O1)
endif()
target_link_libraries(aisfs_flags INTERFACE aisfs_asio)

# One precompiled header for all: the standard library and Asio's awaitable.
file(WRITE ${CMAKE_BINARY_DIR}/pch_anchor.cc "// anchor of the shared precompiled header\n")
add_library(aisfs_pch STATIC ${CMAKE_BINARY_DIR}/pch_anchor.cc)
target_link_libraries(aisfs_pch PRIVATE aisfs_flags)
target_include_directories(aisfs_pch PRIVATE ${PROJECT_SOURCE_DIR})
target_precompile_headers(aisfs_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
# It names its headers by absolute paths, so one from a cache may name those of another checkout.
set_target_properties(aisfs_pch PROPERTIES CXX_COMPILER_LAUNCHER "")

# aisfs_library(common_base SRCS a.cc b.cc DEPS fmt::fmt PRIVATE_DEPS OpenSSL::Crypto)
function(aisfs_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SRCS)
    add_library(${name} STATIC ${ARG_SRCS})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} aisfs_flags)
    target_precompile_headers(${name} REUSE_FROM aisfs_pch)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
  add_library(aisfs::${name} ALIAS ${name})
endfunction()

# aisfs_program(aisnode SRCS main.cc DEPS ...): lands in <build>/bin.
function(aisfs_program name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} aisfs_flags)
  target_precompile_headers(${name} REUSE_FROM aisfs_pch)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# aisfs_test(result_test SRCS result_test.cc DEPS aisfs::common_base LABELS unit)
function(aisfs_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock_main aisfs_flags)
  target_precompile_headers(${name} REUSE_FROM aisfs_pch)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# aisfs_fuzzer(sigv4_fuzz SRCS sigv4_fuzz.cc DEPS aisfs::common_s3): <build>/fuzz/sigv4_fuzz.
# Without AISFS_FUZZ it becomes a unit test that replays tests/fuzz/corpus/<name>/.
# `ninja fuzzers` builds them all and nothing else.
add_custom_target(fuzzers)
function(aisfs_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  if(AISFS_FUZZ)
    add_executable(${name} ${ARG_SRCS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  else()
    add_executable(${name} ${ARG_SRCS} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name}_replay COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(${name}_replay PROPERTIES LABELS unit TIMEOUT 60)
  endif()
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} aisfs_flags)
endfunction()
