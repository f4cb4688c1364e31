# Targets of this project carry the warnings, the sanitizers and the include root; nothing else does.

add_library(forebay_options INTERFACE)
target_include_directories(forebay_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(forebay_options INTERFACE FOREBAY_VERSION="${PROJECT_VERSION}")
target_compile_options(forebay_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # At -O3 this compiler sees overlapping copies in `"text" + string` that are not there (GCC bug 105651).
  target_compile_options(forebay_options INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # The thread-safety annotations of common/base/sync.h are checked by this compiler only.
  target_compile_options(forebay_options INTERFACE -Wthread-safety)
endif()
if(FOREBAY_SANITIZE)
  target_compile_options(forebay_options INTERFACE -fsanitize=${FOREBAY_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(forebay_options INTERFACE -fsanitize=${FOREBAY_SANITIZE})
endif()
if(FOREBAY_SANITIZE STREQUAL thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Protobuf's headers lay out maps differently when they see this macro, and the distribution's library is built
  # without it. The standard library keeps its own answer to it.
  target_compile_options(forebay_options INTERFACE -U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)
endif()
if(FOREBAY_FUZZ)
  # The fuzzer steers by what the project's own code reaches.
  target_compile_options(forebay_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# forebay_library(name SRCS a.cc … DEPS x …): a static library of this project.
function(forebay_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC forebay_options ${ARG_DEPS})
endfunction()

# forebay_binary(name SRCS … DEPS …): an executable of this project.
function(forebay_binary name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE forebay_options ${ARG_DEPS})
endfunction()

# forebay_test(name LABEL l SRCS … DEPS …): a Catch2 binary, one ctest test per binary. One per case would start the
# binary some hundred times for nothing.
function(forebay_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SRCS;DEPS" ${ARGN})
  forebay_binary(${name} SRCS ${ARG_SRCS} DEPS ${ARG_DEPS} Catch2::Catch2WithMain)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 600)
endfunction()
