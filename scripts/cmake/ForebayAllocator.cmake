# Each call of gRPC takes 13 kB at once and gives it back, on other threads than it took them: glibc spends a quarter of a
# loaded server's time on that, jemalloc half as much. In release builds only: sanitizers and valgrind bring their own.

if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT FOREBAY_SANITIZE)
  find_library(FOREBAY_JEMALLOC NAMES libjemalloc_pic.a)
  mark_as_advanced(FOREBAY_JEMALLOC)
endif()

# The program allocates with jemalloc where that is there.
function(forebay_use_jemalloc target)
  if(FOREBAY_JEMALLOC)
    target_link_libraries(${target} PRIVATE ${FOREBAY_JEMALLOC} ${CMAKE_DL_LIBS})
  endif()
endfunction()
